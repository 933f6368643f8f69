package skillgroup

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/domain/queue"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/refs"
)

// scene is all that a pass looks at.
type scene struct {
	group *v1alpha1.SkillGroup
	// alike are its generations that replicas serve as they do the newest.
	alike []int64
	// brand is the group's; nil when it does not exist.
	brand *v1alpha1.Brand
	// schedule is the group's, its own or the Brand's; nil when there is none, or it cannot be used.
	schedule *v1alpha1.ShiftSchedule
	// plan is the schedule with its calendars; nil without one, and for a group that promises nothing.
	plan *schedule.Schedule
	// scheduleProblem says why it cannot be used; nil when it can, or there is none.
	scheduleProblem *refs.Problem
	// lacking says what the schedule, which is used all the same, lacks itself; nil when that is nothing.
	lacking *refs.Problem
	// selectorErr says why the selector cannot be used.
	selectorErr error
	// agents are those that the selector chooses.
	agents []v1alpha1.Agent
	// wants are the skills that Channels want of the group.
	wants []want
	// pools are those of the Brand whose connectors speak of its groups.
	pools []string
	// overflow is the group that the queue overflows to; nil when there is none, or it does not exist.
	overflow *v1alpha1.SkillGroup
	// rules are those of the queue, queueErr says why they cannot be used.
	rules    queue.Rules
	queueErr error
	// serving are the answers of the ready replicas; router and desk are those of these alone.
	serving      []ack.Group
	router, desk []ack.Answer
}

func (r *Reconciler) observe(ctx context.Context, key types.NamespacedName) (*scene, error) {
	seen := &scene{group: &v1alpha1.SkillGroup{}}
	exists, err := refs.Get(ctx, r.Client, key, seen.group)
	if err != nil || !exists {
		return nil, err
	}
	for _, look := range []func(context.Context, *scene) error{r.observeReferences, r.observeAgents, r.observeChannels, r.observeQueue, r.observeReplicas} {
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
		return r.observeSchedule(ctx, seen, key)
	}
	return nil
}

func (r *Reconciler) observeQueue(ctx context.Context, seen *scene) error {
	seen.rules, seen.queueErr = queue.Compile(seen.group.Spec)
	overflow := seen.group.Spec.Queue.Overflow
	if overflow == nil {
		return nil
	}
	found := &v1alpha1.SkillGroup{}
	exists, err := refs.Look(ctx, r.Client, types.NamespacedName{Namespace: seen.group.Namespace, Name: overflow.ToRef.Name}, found)
	if exists {
		seen.overflow = found
	}
	return err
}

func (r *Reconciler) observeSchedule(ctx context.Context, seen *scene, key types.NamespacedName) error {
	found := &v1alpha1.ShiftSchedule{}
	exists, err := refs.Get(ctx, r.Client, key, found)
	if err != nil {
		return err
	}
	if !exists {
		problem := refs.NotFound("ShiftSchedule", key.Name)
		seen.scheduleProblem = &problem
		return nil
	}
	compiled, usable, err := refs.Compiled(ctx, r.Client, found)
	if err != nil {
		return err
	}
	if !usable {
		seen.scheduleProblem = &refs.Problem{Reason: v1alpha1.ReasonInvalid, Message: "ShiftSchedule " + key.Name + " is invalid; its condition Valid says why"}
		return nil
	}
	seen.schedule, seen.lacking = found, lacking(found)
	if _, promised := targetOf(seen.group.Spec.Seats); promised {
		seen.plan = compiled
	}
	return nil
}

// lacking is what a schedule's own status says that it lacks, such as a calendar. What the status says of an earlier generation
// is not believed: the schedule's controller is about to say it anew, which wakes this one.
func lacking(of *v1alpha1.ShiftSchedule) *refs.Problem {
	if of.Status.ObservedGeneration != of.Generation {
		return nil
	}
	resolved, known := conditions.Find(of.Status.Conditions, v1alpha1.ConditionReferencesResolved)
	if !known || resolved.Status != metav1.ConditionFalse {
		return nil
	}
	return &refs.Problem{
		Reason:  resolved.Reason,
		Message: "ShiftSchedule " + of.Name + " is in force in part: " + resolved.Message,
	}
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

// chosen are the agents that the selector chooses.
func chosen(agents []v1alpha1.Agent, selector *metav1.LabelSelector) (members []v1alpha1.Agent, err error) {
	compiled, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return nil, fmt.Errorf("reading the selector: %w", err)
	}
	for i := range agents {
		if agents[i].DeletionTimestamp == nil && compiled.Matches(labels.Set(agents[i].Labels)) {
			members = append(members, agents[i])
		}
	}
	return members, nil
}

func names(agents []v1alpha1.Agent) []string {
	out := make([]string, len(agents))
	for i := range agents {
		out[i] = agents[i].Name
	}
	return out
}

func (r *Reconciler) observeChannels(ctx context.Context, seen *scene) error {
	var channels v1alpha1.ChannelList
	err := r.Client.List(ctx, &channels, client.InNamespace(seen.group.Namespace),
		client.MatchingFields{refs.ByBrand: seen.group.Spec.BrandRef.Name}, client.UnsafeDisableDeepCopy) // They are only looked at.
	if err != nil {
		return fmt.Errorf("listing Channels: %w", err)
	}
	seen.wants = wantsOf(seen.group.Name, channels.Items)
	seen.pools = dataplane.PoolsAtOnce(seen.group.Spec.BrandRef.Name, channels.Items)
	return nil
}

// components are those of which some replicas work by SkillGroups. Workflows tell the members of what is late; of the connectors those
// of official accounts say when a group opens.
func components() []string {
	return []string{dataplane.Router, dataplane.Desk, dataplane.Workflows, dataplane.Connector}
}

// servers are who works by them in a Brand, the connectors of those pools. That a pool comes and goes its replicas tell.
func servers(pools []string) []ack.Server {
	return slices.Concat(ack.Needed(dataplane.Router, dataplane.Desk), ack.Beside(dataplane.Workflows), ack.PoolsBeside("SkillGroup", pools...))
}

func (r *Reconciler) observeReplicas(ctx context.Context, seen *scene) error {
	var err error
	if seen.serving, err = ack.Serving(ctx, r.Asker, seen.group.Namespace, seen.group.Spec.BrandRef.Name, servers(seen.pools)...); err != nil {
		return err
	}
	for _, group := range seen.serving {
		switch group.Name {
		case dataplane.Router:
			seen.router = group.Answers
		case dataplane.Desk:
			seen.desk = group.Answers
		}
	}
	return nil
}
