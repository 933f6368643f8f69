package routing

import (
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// Members are the names of the agents that a group's selector chooses, sorted. An empty selector chooses all of them. The
// caller passes the agents of the group's own Brand.
func Members(selector metav1.LabelSelector, agents []yingdav1.Agent) ([]string, error) {
	sel, err := metav1.LabelSelectorAsSelector(&selector)
	if err != nil {
		return nil, fmt.Errorf("reading agentSelector: %w", err)
	}
	var names []string
	for i := range agents {
		if sel.Matches(labels.Set(agents[i].Labels)) {
			names = append(names, agents[i].Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Groups are the names of the skill groups to which an agent belongs, sorted: those of the agent's Brand whose selector
// chooses the agent's labels. Groups whose selector cannot be read are left out and named by the error; the others hold, so
// that one broken group does not take an agent out of the rest.
func Groups(agent yingdav1.Agent, groups []yingdav1.SkillGroup) ([]string, error) {
	var names []string
	var errs []error
	for i := range groups {
		group := &groups[i]
		if group.Spec.BrandRef != agent.Spec.BrandRef {
			continue
		}
		sel, err := metav1.LabelSelectorAsSelector(&group.Spec.AgentSelector)
		if err != nil {
			errs = append(errs, fmt.Errorf("reading agentSelector of skill group %s: %w", group.Name, err))
			continue
		}
		if sel.Matches(labels.Set(agent.Labels)) {
			names = append(names, group.Name)
		}
	}
	slices.Sort(names)
	return names, errors.Join(errs...)
}
