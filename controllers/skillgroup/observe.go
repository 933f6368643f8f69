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
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/refs"
)

// scene is all that a pass looks at.
type scene struct {
	group *v1alpha1.SkillGroup
	// brand is the group's; nil when it does not exist.
	brand *v1alpha1.Brand
	// schedule says why the group's schedule, its own or the Brand's, cannot be used; nil when it can, or there is none.
	schedule *refs.Problem
	// selectorErr says why the selector cannot be used.
	selectorErr error
	// agents is the number that the selector chooses.
	agents int
	// router and desk are the answers of the ready replicas.
	router, desk []ack.Answer
}

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{group: &v1alpha1.SkillGroup{}}
	exists, err := refs.Get(ctx, r.Client, key, seen.group)
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
	brand, used := &v1alpha1.Brand{}, spec.ScheduleRef
	exists, err := refs.Get(ctx, r.Client, key, brand)
	if err != nil {
		return err
	}
	if exists {
		seen.brand = brand
		if used == nil {
			used = brand.Spec.Defaults.ScheduleRef
		}
	}
	if used != nil {
		key.Name = used.Name
		seen.schedule, err = r.scheduleProblem(ctx, key)
	}
	return err
}

func (r *Reconciler) scheduleProblem(ctx context.Context, key types.NamespacedName) (*refs.Problem, error) {
	found := &v1alpha1.ShiftSchedule{}
	exists, err := refs.Get(ctx, r.Client, key, found)
	if err != nil {
		return nil, err
	}
	if !exists {
		problem := refs.NotFound("ShiftSchedule", key.Name)
		return &problem, nil
	}
	if _, err := schedule.Compile(found.Spec); err != nil {
		problem := refs.Problem{Reason: v1alpha1.ReasonInvalid, Message: "ShiftSchedule " + key.Name + " is invalid; its condition Valid says why"}
		return &problem, nil //nolint:nilerr // what is wrong with the schedule is the schedule's own finding
	}
	return nil, nil //nolint:nilnil // no problem is an answer, not a failure
}

func (r *Reconciler) observeAgents(ctx context.Context, seen *scene) error {
	var agents v1alpha1.AgentList
	err := r.Client.List(ctx, &agents, client.InNamespace(seen.group.Namespace), client.MatchingFields{refs.ByBrand: seen.group.Spec.BrandRef.Name})
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
	if seen.router, err = r.Asker.Ask(ctx, target); err != nil {
		return fmt.Errorf("asking the router: %w", err)
	}
	target.Component = dataplane.Desk
	if seen.desk, err = r.Asker.Ask(ctx, target); err != nil {
		return fmt.Errorf("asking the desk: %w", err)
	}
	return nil
}
