// Package playbook reconciles Playbooks: it checks what a schema cannot and reports who serves them.
//
// It writes nothing but the status. A Playbook belongs to no Brand; the routers, desks and workflows of all Brands of its
// namespace serve it, and the connectors of the official accounts that it answers.
package playbook

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
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

// Reconciler reconciles Playbooks.
type Reconciler struct{ *reporter.Reporter }

// New makes a Reconciler.
func New(o reporter.Options) *Reconciler { return &Reconciler{reporter.New("playbook", o)} }

// Reconcile brings the status of one Playbook up to date.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, req.NamespacedName)
	if err != nil || seen == nil || seen.playbook.DeletionTimestamp != nil {
		return r.Forget(req.NamespacedName, err)
	}
	now := r.Now()
	decided := decide(seen)
	after := status(seen, decided, now)
	return r.Report(ctx, reporter.Pass{
		Object: seen.playbook, Before: seen.playbook.Status.Conditions, Status: after, After: after.Conditions,
		Pending: decided.pending,
	})
}

// SetupWithManager says which changes a Playbook's state depends on.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	all := handler.EnqueueRequestsFromMapFunc(ack.MapNamespace(r.Client, func() client.ObjectList { return &v1alpha1.PlaybookList{} }))
	return ctrl.NewControllerManagedBy(mgr).
		WithOptions(controller.Options{RateLimiter: retry.Limiter[ctrl.Request]()}).
		For(&v1alpha1.Playbook{}).
		Watches(&v1alpha1.Brand{}, all, builder.WithPredicates(ack.DeclarationChanged())).
		Watches(&v1alpha1.Channel{}, handler.EnqueueRequestsFromMapFunc(playbookOf), builder.WithPredicates(ack.DeclarationChanged())).
		Watches(ack.Replica(), all, ack.WatchReplicas(components()...)).
		Complete(telemetry.Traced("playbook", r))
}

// playbookOf is the Playbook that a Channel names.
func playbookOf(_ context.Context, changed client.Object) []ctrl.Request {
	channel, ok := changed.(*v1alpha1.Channel)
	if !ok || channel.Spec.PlaybookRef == nil {
		return nil
	}
	return []ctrl.Request{{NamespacedName: types.NamespacedName{Namespace: channel.Namespace, Name: channel.Spec.PlaybookRef.Name}}}
}
