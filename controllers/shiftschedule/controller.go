// Package shiftschedule reconciles ShiftSchedules: it reports what is on now, what changes next, and who serves them.
//
// It writes nothing but the status. It never polls the clock: a pass asks to be woken at the next transition.
package shiftschedule

import (
	"context"
	"time"

	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/apply"
	"github.com/yingda-dev/yingda/internal/conditions"
)

// Reconciler reconciles ShiftSchedules.
type Reconciler struct {
	client   client.Client
	apply    *apply.Applier
	asker    ack.Asker
	backoff  *ack.Backoff
	recorder events.EventRecorder
	now      func() time.Time
}

// Options are what a Reconciler works with.
type Options struct {
	Client   client.Client
	Live     client.Reader
	Asker    ack.Asker
	Recorder events.EventRecorder
	Now      func() time.Time
}

// New makes a Reconciler.
func New(o Options) *Reconciler {
	return &Reconciler{
		client: o.Client, apply: apply.New(o.Client, o.Live, "shiftschedule"), asker: o.Asker, backoff: ack.NewBackoff(),
		recorder: o.Recorder, now: o.Now,
	}
}

// Reconcile brings the status of one ShiftSchedule up to date.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, req.NamespacedName)
	if err != nil || seen == nil || seen.schedule.DeletionTimestamp != nil {
		r.backoff.Forget(req.NamespacedName)
		return ctrl.Result{}, err
	}
	now := r.now()
	decided := decide(seen, now)
	before := seen.schedule.Status.Conditions
	after := status(seen, decided, now)
	changed, err := r.apply.Status(ctx, seen.schedule, after)
	if err != nil {
		return ctrl.Result{}, err
	}
	if changed {
		conditions.Announce(r.recorder, seen.schedule, before, after.Conditions)
	}
	return ctrl.Result{RequeueAfter: r.wake(req, seen, decided)}, nil
}

// wake says when to look again though nothing changed: at the next transition, and while a replica has not loaded this
// generation.
func (r *Reconciler) wake(req ctrl.Request, seen *scene, decided verdict) time.Duration {
	if !decided.pending {
		r.backoff.Forget(req.NamespacedName)
		return decided.wake
	}
	next := r.backoff.Next(req.NamespacedName, seen.schedule.Generation)
	if decided.wake > 0 {
		return min(next, decided.wake)
	}
	return next
}

// SetupWithManager says which changes a ShiftSchedule's state depends on.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	all := handler.EnqueueRequestsFromMapFunc(ack.MapNamespace(r.client, func() client.ObjectList { return &v1alpha1.ShiftScheduleList{} }))
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ShiftSchedule{}).
		Watches(&v1alpha1.Brand{}, all, builder.WithPredicates(ack.ExistenceChanged())).
		Watches(ack.Replica(), all, ack.WatchReplicas(servers()...)).
		Complete(r)
}
