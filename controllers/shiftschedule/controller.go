// Package shiftschedule reconciles ShiftSchedules: it reports what is on now, what changes next, and who serves them.
//
// It writes nothing but the status. It never polls the clock: a pass asks to be woken at the next transition and at
// midnight, when the fortnight ahead is another.
package shiftschedule

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/refs"
	"github.com/yingda-dev/yingda/internal/reporter"
	"github.com/yingda-dev/yingda/internal/retry"
	"github.com/yingda-dev/yingda/internal/telemetry"
)

// Reconciler reconciles ShiftSchedules.
type Reconciler struct{ *reporter.Reporter }

// New makes a Reconciler.
func New(o reporter.Options) *Reconciler { return &Reconciler{reporter.New("shiftschedule", o)} }

// Reconcile brings the status of one ShiftSchedule up to date.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, req.NamespacedName)
	if err != nil || seen == nil || seen.schedule.DeletionTimestamp != nil {
		return r.Forget(req.NamespacedName, err)
	}
	now := r.Now()
	decided := decide(seen, now)
	after := status(seen, decided, now)
	return r.Report(ctx, reporter.Pass{
		Object: seen.schedule, Before: seen.schedule.Status.Conditions, Status: after, After: after.Conditions,
		Pending: decided.pending, Wake: decided.wake,
	})
}

// SetupWithManager says which changes a ShiftSchedule's state depends on.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	list := func() client.ObjectList { return &v1alpha1.ShiftScheduleList{} }
	all := handler.EnqueueRequestsFromMapFunc(ack.MapNamespace(r.Client, list))
	return ctrl.NewControllerManagedBy(mgr).
		WithOptions(controller.Options{RateLimiter: retry.Limiter[ctrl.Request]()}).
		For(&v1alpha1.ShiftSchedule{}).
		Watches(&v1alpha1.Brand{}, all, builder.WithPredicates(ack.ExistenceChanged())).
		Watches(&v1alpha1.HolidayCalendar{}, handler.EnqueueRequestsFromMapFunc(ack.MapIndexed(r.Client, list, refs.ByCalendar)),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(ack.Replica(), all, ack.WatchReplicas(components()...)).
		Complete(telemetry.Traced("shiftschedule", r))
}
