// Package skillgroup reconciles SkillGroups: it resolves their references, counts their agents and reports who serves them.
//
// It writes nothing but the status.
package skillgroup

import (
	"context"
	"time"

	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/apply"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

// Reconciler reconciles SkillGroups.
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
		client: o.Client, apply: apply.New(o.Client, o.Live, "skillgroup"), asker: o.Asker, backoff: ack.NewBackoff(),
		recorder: o.Recorder, now: o.Now,
	}
}

// Reconcile brings the status of one SkillGroup up to date.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, req.NamespacedName)
	if err != nil || seen == nil || seen.group.DeletionTimestamp != nil {
		r.backoff.Forget(req.NamespacedName)
		return ctrl.Result{}, err
	}
	now := r.now()
	decided := decide(seen)
	before := seen.group.Status.Conditions
	after := status(seen, decided, now)
	changed, err := r.apply.Status(ctx, seen.group, after)
	if err != nil {
		return ctrl.Result{}, err
	}
	if changed {
		conditions.Announce(r.recorder, seen.group, before, after.Conditions)
	}
	return ctrl.Result{RequeueAfter: r.wake(req, seen, decided)}, nil
}

// wake says when to ask the replicas again: only while one of them has not loaded this generation.
func (r *Reconciler) wake(req ctrl.Request, seen *scene, decided verdict) time.Duration {
	if decided.pending {
		return r.backoff.Next(req.NamespacedName, seen.group.Generation)
	}
	r.backoff.Forget(req.NamespacedName)
	return 0
}

// SetupWithManager says which changes a SkillGroup's state depends on.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	list := func() client.ObjectList { return &v1alpha1.SkillGroupList{} }
	declared := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.SkillGroup{}).
		Watches(&v1alpha1.Brand{}, handler.EnqueueRequestsFromMapFunc(ack.MapBrand(r.client, list, refs.ByBrand, client.Object.GetName)), declared).
		Watches(&v1alpha1.ShiftSchedule{}, handler.EnqueueRequestsFromMapFunc(ack.MapNamespace(r.client, list)), declared).
		// An agent's labels are no part of its generation; its status, which changes more often, does not matter here.
		Watches(&v1alpha1.Agent{}, handler.EnqueueRequestsFromMapFunc(ack.MapBrand(r.client, list, refs.ByBrand, brandOfAgent)),
			builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(ack.Replica(), handler.EnqueueRequestsFromMapFunc(ack.MapBrand(r.client, list, refs.ByBrand, ack.BrandLabel)),
			ack.WatchReplicas(dataplane.Router, dataplane.Desk)).
		Complete(r)
}

func brandOfAgent(obj client.Object) string {
	agent, ok := obj.(*v1alpha1.Agent)
	if !ok {
		return ""
	}
	return agent.Spec.BrandRef.Name
}
