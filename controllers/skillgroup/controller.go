// Package skillgroup reconciles SkillGroups: it resolves their references, counts their agents, the seats that are wanted
// and taken and the customers who wait, recommends seats where customers are promised an answer in time, looks for the skills
// that Channels want of them, and reports who serves them.
//
// It writes nothing but the status. What a schedule wants it reads from the schedule's status, whose transitions wake it: the
// schedule's own controller alone looks at the clock.
package skillgroup

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/refs"
	"github.com/yingda-dev/yingda/internal/reporter"
	"github.com/yingda-dev/yingda/internal/retry"
	"github.com/yingda-dev/yingda/internal/telemetry"
)

// Reconciler reconciles SkillGroups.
type Reconciler struct {
	*reporter.Reporter

	alike *alike
}

// New makes a Reconciler.
func New(o reporter.Options) *Reconciler {
	return &Reconciler{reporter.New("skillgroup", o), newAlike()}
}

// Reconcile brings the status of one SkillGroup up to date.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, req.NamespacedName)
	if err != nil || seen == nil || seen.group.DeletionTimestamp != nil {
		if err == nil {
			r.alike.forget(req.NamespacedName)
		}
		return r.Forget(req.NamespacedName, err)
	}
	seen.alike = r.alike.generations(seen.group)
	now := r.Now()
	decided := decide(seen, now)
	after := status(seen, decided, now)
	return r.Report(ctx, reporter.Pass{
		Object: seen.group, Before: seen.group.Status.Conditions, Status: after, After: after.Conditions,
		Turns: []string{v1alpha1.ConditionQueueHealthy, v1alpha1.ConditionStaffed, v1alpha1.ConditionOnCallReached}, Pending: decided.pending, Wake: decided.wake,
	})
}

// SetupWithManager says which changes a SkillGroup's state depends on.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	list := func() client.ObjectList { return &v1alpha1.SkillGroupList{} }
	return ctrl.NewControllerManagedBy(mgr).
		WithOptions(controller.Options{RateLimiter: retry.Limiter[ctrl.Request]()}).
		// Its own writes do not wake it: who waits changes faster than it is to be written.
		For(&v1alpha1.SkillGroup{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}))).
		Watches(&v1alpha1.SkillGroup{}, handler.EnqueueRequestsFromMapFunc(ack.MapIndexed(r.Client, list, refs.ByOverflow)), builder.WithPredicates(cameOrWent())).
		Watches(&v1alpha1.Brand{}, handler.EnqueueRequestsFromMapFunc(ack.MapBrand(r.Client, list, refs.ByBrand, client.Object.GetName)),
			builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, ack.BlameChanged()))).
		Watches(&v1alpha1.ShiftSchedule{}, handler.EnqueueRequestsFromMapFunc(ack.MapNamespace(r.Client, list)),
			builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, saysOtherwise()))).
		Watches(&v1alpha1.Channel{}, handler.EnqueueRequestsFromMapFunc(ack.MapBrand(r.Client, list, refs.ByBrand, brandOfChannel)),
			builder.WithPredicates(wantsChanged())).
		// An agent's labels are no part of its generation; its status, which changes as well, does not matter here.
		Watches(&v1alpha1.Agent{}, handler.EnqueueRequestsFromMapFunc(ack.MapBrand(r.Client, list, refs.ByBrand, brandOfAgent)),
			builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}))).
		Watches(ack.Replica(), handler.EnqueueRequestsFromMapFunc(ack.MapBrand(r.Client, list, refs.ByBrand, ack.BrandLabel)),
			ack.WatchReplicas(components()...)).
		Complete(telemetry.Traced("skillgroup", r))
}

// cameOrWent lets through objects that are made and deleted.
func cameOrWent() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc:  func(event.UpdateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// saysOtherwise lets through schedules that want other seats than before, or for another reason, and that lack something else.
func saysOtherwise() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, ok := e.ObjectOld.(*v1alpha1.ShiftSchedule)
			if !ok {
				return false
			}
			after, ok := e.ObjectNew.(*v1alpha1.ShiftSchedule)
			return ok && (!equal(demandOf(before), demandOf(after)) || !equal(lacking(before), lacking(after)))
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

func brandOfAgent(obj client.Object) string {
	agent, ok := obj.(*v1alpha1.Agent)
	if !ok {
		return ""
	}
	return agent.Spec.BrandRef.Name
}

func brandOfChannel(obj client.Object) string {
	channel, ok := obj.(*v1alpha1.Channel)
	if !ok {
		return ""
	}
	return channel.Spec.BrandRef.Name
}
