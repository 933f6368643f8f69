// Package servicelevel reconciles ServiceLevels: it reports who serves them.
//
// It writes nothing but the status. A ServiceLevel belongs to no Brand; the routers of all Brands of its namespace serve it.
package servicelevel

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

// Reconciler reconciles ServiceLevels.
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
		client: o.Client, apply: apply.New(o.Client, o.Live, "servicelevel"), asker: o.Asker, backoff: ack.NewBackoff(),
		recorder: o.Recorder, now: o.Now,
	}
}

// Reconcile brings the status of one ServiceLevel up to date.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, req.NamespacedName)
	if err != nil || seen == nil || seen.level.DeletionTimestamp != nil {
		r.backoff.Forget(req.NamespacedName)
		return ctrl.Result{}, err
	}
	now := r.now()
	decided := decide(seen)
	before := seen.level.Status.Conditions
	after := status(seen, decided, now)
	changed, err := r.apply.Status(ctx, seen.level, after)
	if err != nil {
		return ctrl.Result{}, err
	}
	if changed {
		conditions.Announce(r.recorder, seen.level, before, after.Conditions)
	}
	return ctrl.Result{RequeueAfter: r.wake(req, seen, decided)}, nil
}

// wake says when to ask the replicas again: only while one of them has not loaded this generation.
func (r *Reconciler) wake(req ctrl.Request, seen *scene, decided verdict) time.Duration {
	if decided.pending {
		return r.backoff.Next(req.NamespacedName, seen.level.Generation)
	}
	r.backoff.Forget(req.NamespacedName)
	return 0
}

// SetupWithManager says which changes a ServiceLevel's state depends on.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	all := handler.EnqueueRequestsFromMapFunc(ack.MapNamespace(r.client, func() client.ObjectList { return &v1alpha1.ServiceLevelList{} }))
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.ServiceLevel{}).
		Watches(&v1alpha1.Brand{}, all, builder.WithPredicates(ack.ExistenceChanged())).
		Watches(ack.Replica(), all, ack.WatchReplicas(servers()...)).
		Complete(r)
}
