package channel

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/retry"
	"github.com/yingda-dev/yingda/internal/telemetry"
)

// answers are what the ready replicas say who work by the Channels of a pool.
type answers struct {
	// pool are the connectors' answers, serving those of everybody else.
	pool    []ack.Answer
	serving []ack.Group
}

// servers are the components that work by a Channel, beside its pool.
func servers() []string { return []string{dataplane.Router, dataplane.Desk, dataplane.Workflows} }

func ask(ctx context.Context, asker ack.Asker, key PoolKey) (answers, error) {
	serving, err := ack.Serving(ctx, asker, key.Namespace, key.Brand, ack.Needed(servers()...)...)
	if err != nil {
		return answers{}, err
	}
	pool, err := asker.Ask(ctx, ack.Target{Namespace: key.Namespace, Brand: key.Brand, Component: dataplane.Connector, Pool: key.Pool})
	if err != nil {
		return answers{}, fmt.Errorf("asking the connectors: %w", err)
	}
	return answers{pool: pool, serving: serving}, nil
}

// groups are all who must serve a Channel, its connectors first.
func (a answers) groups() []ack.Group {
	return append([]ack.Group{{Name: dataplane.Connector, Answers: a.pool}}, a.serving...)
}

// judge says whether all of them serve a generation of a Channel.
func (a answers) judge(channel string, generation int64) conditions.Condition {
	return ack.Judge("Channel", channel, generation, a.groups()...)
}

// ReplicaReconciler asks the replicas of a pool, once for all of its Channels, and has those looked at of which they say
// something new.
type ReplicaReconciler struct {
	asker     ack.Asker
	following *following
	now       func() time.Time
}

// Replicas makes the reconciler that asks for what this one waits for.
func (r *Reconciler) Replicas() *ReplicaReconciler {
	return &ReplicaReconciler{asker: r.asker, following: r.following, now: r.now}
}

// Reconcile asks the replicas of one pool.
func (r *ReplicaReconciler) Reconcile(ctx context.Context, key PoolKey) (ctrl.Result, error) {
	if !r.following.has(key) {
		return ctrl.Result{}, nil
	}
	answers, err := ask(ctx, r.asker, key)
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: r.following.compare(key, answers, r.now())}, nil
}

// SetupWithManager says when to ask beside what was arranged: when it changes who is there to be asked.
func (r *ReplicaReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return builder.TypedControllerManagedBy[PoolKey](mgr).
		Named("channel-replicas").
		WithOptions(controller.TypedOptions[PoolKey]{MaxConcurrentReconciles: poolsAtOnce, RateLimiter: retry.Limiter[PoolKey]()}).
		WatchesRawSource(source.TypedFunc[PoolKey](func(_ context.Context, queue workqueue.TypedRateLimitingInterface[PoolKey]) error {
			r.following.askBy(queue.AddAfter)
			return nil
		})).
		Watches(&corev1.Pod{}, handler.TypedEnqueueRequestsFromMapFunc(r.poolsOfReplica), builder.WithPredicates(predicate.And(ack.ReplicaChanged(),
			ack.HasLabel(dataplane.LabelComponent, append(servers(), dataplane.Connector)...)))).
		Complete(telemetry.Traced("channel-replicas", r))
}

// poolsOfReplica finds the pools for whose Channels a pod works: its own, or for want of one all of its Brand.
func (r *ReplicaReconciler) poolsOfReplica(ctx context.Context, pod client.Object) []PoolKey {
	if pod.GetLabels()[dataplane.LabelPool] != "" {
		return poolOfObject(ctx, pod)
	}
	return r.following.ofBrand(pod.GetNamespace(), pod.GetLabels()[dataplane.LabelBrand])
}
