package skillgroup

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

// scene is all that a pass looks at.
type scene struct {
	group *v1alpha1.SkillGroup
	// brandExists and scheduleExists speak of what the group names.
	brandExists, scheduleExists bool
	// selectorErr says why the selector cannot be used.
	selectorErr error
	// agents is the number that the selector chooses.
	agents int
	// router and desk are the answers of the ready replicas.
	router, desk []ack.Answer
}

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{group: &v1alpha1.SkillGroup{}}
	exists, err := refs.Get(ctx, r.client, key, seen.group)
	if err != nil || !exists {
		return nil, err
	}
	for _, look := range []func(context.Context, *scene) error{r.observeReferences, r.observeAgents, r.observeReplicas} {
		if err := look(ctx, seen); err != nil {
			return nil, fmt.Errorf("observing SkillGroup %s: %w", key.Name, err)
		}
	}
	return seen, nil
}

func (r *Reconciler) observeReferences(ctx context.Context, seen *scene) error {
	spec := seen.group.Spec
	key := types.NamespacedName{Namespace: seen.group.Namespace, Name: spec.BrandRef.Name}
	var err error
	if seen.brandExists, err = refs.Get(ctx, r.client, key, &v1alpha1.Brand{}); err != nil {
		return err
	}
	if spec.ScheduleRef == nil {
		return nil
	}
	key.Name = spec.ScheduleRef.Name
	seen.scheduleExists, err = refs.Get(ctx, r.client, key, &v1alpha1.ShiftSchedule{})
	return err
}

func (r *Reconciler) observeAgents(ctx context.Context, seen *scene) error {
	var agents v1alpha1.AgentList
	err := r.client.List(ctx, &agents, client.InNamespace(seen.group.Namespace), client.MatchingFields{refs.ByBrand: seen.group.Spec.BrandRef.Name})
	if err != nil {
		return fmt.Errorf("listing Agents: %w", err)
	}
	seen.agents, seen.selectorErr = chosen(agents.Items, &seen.group.Spec.AgentSelector)
	return nil
}

// chosen counts the agents that the selector chooses.
func chosen(agents []v1alpha1.Agent, selector *metav1.LabelSelector) (int, error) {
	compiled, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return 0, fmt.Errorf("reading the selector: %w", err)
	}
	count := 0
	for i := range agents {
		if agents[i].DeletionTimestamp == nil && compiled.Matches(labels.Set(agents[i].Labels)) {
			count++
		}
	}
	return count, nil
}

func (r *Reconciler) observeReplicas(ctx context.Context, seen *scene) error {
	target := ack.Target{Namespace: seen.group.Namespace, Brand: seen.group.Spec.BrandRef.Name, Component: dataplane.Router}
	var err error
	if seen.router, err = r.asker.Ask(ctx, target); err != nil {
		return fmt.Errorf("asking the router: %w", err)
	}
	target.Component = dataplane.Desk
	if seen.desk, err = r.asker.Ask(ctx, target); err != nil {
		return fmt.Errorf("asking the desk: %w", err)
	}
	return nil
}
