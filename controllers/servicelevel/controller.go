// Package servicelevel reconciles ServiceLevels: it checks them and reports who serves them.
//
// It writes nothing but the status. A ServiceLevel belongs to no Brand; the routers, desks and workflows of all Brands of its
// namespace serve it.
package servicelevel

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/reporter"
	"github.com/yingda-dev/yingda/internal/retry"
	"github.com/yingda-dev/yingda/internal/telemetry"
)

// Reconciler reconciles ServiceLevels.
type Reconciler struct{ *reporter.Reporter }

// New makes a Reconciler.
func New(o reporter.Options) *Reconciler { return &Reconciler{reporter.New("servicelevel", o)} }

// Reconcile brings the status of one ServiceLevel up to date.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, req.NamespacedName)
	if err != nil || seen == nil || seen.level.DeletionTimestamp != nil {
		return r.Forget(req.NamespacedName, err)
	}
	now := r.Now()
	decided := decide(seen)
	after := status(seen, decided, now)
	return r.Report(ctx, reporter.Pass{
		Object: seen.level, Before: seen.level.Status.Conditions, Status: after, After: after.Conditions,
		Turns: []string{v1alpha1.ConditionObjectivesMet}, Pending: decided.pending, Wake: decided.wake,
	})
}

// SetupWithManager says which changes a ServiceLevel's state depends on.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	all := handler.EnqueueRequestsFromMapFunc(ack.MapNamespace(r.Client, func() client.ObjectList { return &v1alpha1.ServiceLevelList{} }))
	return ctrl.NewControllerManagedBy(mgr).
		WithOptions(controller.Options{RateLimiter: retry.Limiter[ctrl.Request]()}).
		For(&v1alpha1.ServiceLevel{}).
		Watches(&v1alpha1.Brand{}, all, builder.WithPredicates(ack.ExistenceChanged())).
		Watches(ack.Replica(), all, ack.WatchReplicas(components()...)).
		Complete(telemetry.Traced("servicelevel", r))
}
