package channel

import (
	"context"
	"maps"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/gather"
	"github.com/yingda-dev/yingda/internal/peaks"
	"github.com/yingda-dev/yingda/internal/refs"
	"github.com/yingda-dev/yingda/internal/retry"
	"github.com/yingda-dev/yingda/internal/telemetry"
)

// How many Channels, and how many pools, are reconciled at the same time. A Channel's pass waits for the API server or for
// replicas most of the time, and those that do not answer must not hold up the Channels of other pools; a pool's computes.
const (
	channelsAtOnce = 128
	poolsAtOnce    = 64
)

// How long another Channel may wait for the right to read its Secret: one that comes a little later than the first of its pool,
// and one of many that keep coming.
const (
	poolSpacing     = time.Second
	mostPoolSpacing = 8 * time.Second
)

// SetupWithManager says which changes a Channel's state depends on.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	exists := builder.WithPredicates(ack.ExistenceChanged())
	ofPool := ack.HasLabel(dataplane.LabelComponent, dataplane.Connector)
	byLabels := handler.EnqueueRequestsFromMapFunc(r.channelsOfObject)
	b := ctrl.NewControllerManagedBy(mgr)
	for _, route := range dataplane.Routes(r.settings) {
		b = b.Watches(route, handler.EnqueueRequestsFromMapFunc(r.channelOfRoute), builder.WithPredicates(ofPool))
	}
	return b.
		WithOptions(controller.Options{MaxConcurrentReconciles: channelsAtOnce, RateLimiter: retry.Limiter[reconcile.Request]()}).
		WatchesRawSource(source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
			r.following.lookBy(func(channel types.NamespacedName) { queue.Add(reconcile.Request{NamespacedName: channel}) })
			return nil
		})).
		For(&v1alpha1.Channel{}, builder.WithPredicates(r.apply.NotOwn(), known())).
		Watches(&v1alpha1.Channel{}, handler.Funcs{CreateFunc: r.expect}).
		Watches(&v1alpha1.Channel{}, handler.EnqueueRequestsFromMapFunc(r.channelsOfAccount), builder.WithPredicates(accountChanged())).
		Watches(&v1alpha1.Brand{}, handler.EnqueueRequestsFromMapFunc(r.channelsOfBrand), builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, ack.BlameChanged()))).
		Watches(&v1alpha1.SkillGroup{}, handler.EnqueueRequestsFromMapFunc(r.channelsNaming(namesGroup)), exists).
		Watches(&v1alpha1.Playbook{}, handler.EnqueueRequestsFromMapFunc(r.channelsNaming(namesPlaybook)), exists).
		Watches(&v1alpha1.Playbook{}, handler.EnqueueRequestsFromMapFunc(r.channelsNaming(asksPlaybook)), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.ServiceLevel{}, handler.EnqueueRequestsFromMapFunc(r.channelsNaming(namesServiceLevel)), exists).
		WatchesMetadata(refs.SecretMetadata(), handler.EnqueueRequestsFromMapFunc(r.channelsOfSecret)).
		Watches(&appsv1.Deployment{}, byLabels, builder.WithPredicates(ofPool, servingChanged())).
		Watches(&appsv1.Deployment{}, r.later(), builder.WithPredicates(ofPool, replicasChanged())).
		Watches(&autoscalingv2.HorizontalPodAutoscaler{}, r.later(), builder.WithPredicates(ofPool, idleChanged())).
		Watches(&corev1.Service{}, byLabels, builder.WithPredicates(ofPool)).
		Complete(telemetry.Traced("channel", r))
}

// expect has replicas asked for a new Channel before the first pass over it, which then mostly finds it Ready.
func (r *Reconciler) expect(_ context.Context, e event.CreateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	channel, ok := e.Object.(*v1alpha1.Channel)
	if !ok || !unheardOf(channel) {
		return
	}
	r.following.expect(channel, r.now())
	queue.AddAfter(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(channel)}, patience)
}

// known lets through all changes but that a new Channel comes.
func known() predicate.Predicate {
	return predicate.Funcs{CreateFunc: func(e event.CreateEvent) bool {
		channel, ok := e.Object.(*v1alpha1.Channel)
		return !ok || !unheardOf(channel)
	}}
}

// unheardOf says whether a Channel is new, and there is nothing to do for it but to wait for its replicas.
func unheardOf(channel *v1alpha1.Channel) bool {
	return channel.Status.ObservedGeneration == 0 && channel.DeletionTimestamp == nil && controllerutil.ContainsFinalizer(channel, Finalizer)
}

// servingChanged lets through that the first replica of a Deployment becomes ready, that the last one is no more, and that it
// belongs to somebody else: whether its Channels are served.
func servingChanged() predicate.Predicate {
	return deploymentChanged(func(before, after *appsv1.Deployment) bool {
		return (before.Status.ReadyReplicas == 0) != (after.Status.ReadyReplicas == 0) ||
			!equality.Semantic.DeepEqual(before.OwnerReferences, after.OwnerReferences)
	})
}

// replicasChanged lets through other numbers of replicas, and why they are wanted.
func replicasChanged() predicate.Predicate {
	return deploymentChanged(func(before, after *appsv1.Deployment) bool {
		return *dataplane.Replicas(before, nil, time.Time{}) != *dataplane.Replicas(after, nil, time.Time{})
	})
}

// idleChanged lets through that an autoscaler begins or ceases to scale nothing, and that one goes which did so.
func idleChanged() predicate.Predicate {
	idle := func(object client.Object) string {
		autoscaler, _ := object.(*autoscalingv2.HorizontalPodAutoscaler)
		why, _ := dataplane.Idle(autoscaler, time.Time{})
		return why
	}
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool { return idle(e.ObjectOld) != idle(e.ObjectNew) },
		DeleteFunc: func(e event.DeleteEvent) bool { return idle(e.Object) != "" },
	}
}

func deploymentChanged(changed func(before, after *appsv1.Deployment) bool) predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, wasDeployment := e.ObjectOld.(*appsv1.Deployment)
		after, isDeployment := e.ObjectNew.(*appsv1.Deployment)
		return wasDeployment && isDeployment && changed(before, after)
	}}
}

// replicasSpacing is how far the numbers of replicas in a Channel's status may be behind. A pool that grows for a peak changes
// them with each pod, and all its Channels have them.
const replicasSpacing = 10 * time.Second

// later has all Channels of a pool looked at of which an object changes or goes, each once for all changes of the next moments.
func (r *Reconciler) later() handler.Funcs {
	look := func(ctx context.Context, object client.Object, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		for _, request := range r.channelsOfObject(ctx, object) {
			queue.AddAfter(request, replicasSpacing)
		}
	}
	return handler.Funcs{
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			look(ctx, e.ObjectNew, queue)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			look(ctx, e.Object, queue)
		},
	}
}

// SetupWithManager says which changes a pool depends on.
func (r *PoolReconciler) SetupWithManager(mgr ctrl.Manager) error {
	to := handler.TypedEnqueueRequestsFromMapFunc[client.Object, PoolKey]
	gathered := gather.New[PoolKey](r.now, poolSpacing, mostPoolSpacing)
	ofPool, ofSetup := ack.HasLabel(dataplane.LabelComponent, dataplane.Connector), ack.HasLabel(dataplane.LabelComponent, dataplane.Setup)
	b := builder.TypedControllerManagedBy[PoolKey](mgr).
		Named("channel-pool").
		WithOptions(controller.TypedOptions[PoolKey]{MaxConcurrentReconciles: poolsAtOnce, RateLimiter: retry.Limiter[PoolKey]()}).
		Watches(&v1alpha1.Channel{}, gathered.Handler(poolOfChannel), builder.WithPredicates(partOfPoolChanged())).
		Watches(&v1alpha1.Brand{}, to(r.poolsOfBrand), builder.WithPredicates(ack.DeclarationChanged())).
		// A pool waits for the Brand while another one has its connections, and the Brand's status says when that ends.
		Watches(&v1alpha1.Brand{}, gathered.Handler(r.poolsOfBrand), builder.WithPredicates(ack.StatusChanged(), brandSaysElse())).
		Watches(&batchv1.Job{}, to(r.poolsOfSetup), builder.WithPredicates(ofSetup)).
		Watches(&corev1.Pod{}, to(r.poolsOfSetup), builder.WithPredicates(ofSetup, ack.ReplicaChanged())).
		WatchesMetadata(refs.SecretMetadata(), to(r.poolsOfSecret))
	for _, object := range peaks.Kinds() {
		b = b.Watches(object, to(r.poolsOfPeaks), peaks.Declared())
	}
	for _, object := range dataplane.Kinds(r.settings) {
		b = b.Watches(object, gathered.Handler(poolOfObject), builder.WithPredicates(ofPool, peaks.Unmeasured(), r.apply.NotOwn()))
	}
	return b.Complete(telemetry.Traced("channel-pool", r))
}

// brandSaysElse lets through what a Brand's conditions say anew; how many replicas it has is nothing new to its pools.
func brandSaysElse() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, wasBrand := e.ObjectOld.(*v1alpha1.Brand)
		after, isBrand := e.ObjectNew.(*v1alpha1.Brand)
		return wasBrand && isBrand && !equality.Semantic.DeepEqual(before.Status.Conditions, after.Status.Conditions)
	}}
}

// partOfPoolChanged lets through what changes a pool: what its Channels declare, and that they come and go. Their status,
// which the operator writes itself, is no part of it.
func partOfPoolChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, wasChannel := e.ObjectOld.(*v1alpha1.Channel)
		after, isChannel := e.ObjectNew.(*v1alpha1.Channel)
		return wasChannel && isChannel && (before.Generation != after.Generation || gone(before) != gone(after))
	}}
}

func (r *Reconciler) channelsOfBrand(ctx context.Context, brand client.Object) []reconcile.Request {
	return r.channels(ctx, everyChannel, client.InNamespace(brand.GetNamespace()), client.MatchingFields{refs.ByBrand: brand.GetName()})
}

func (r *Reconciler) channelsOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	return r.channels(ctx, everyChannel, client.InNamespace(secret.GetNamespace()), client.MatchingFields{refs.BySecret: secret.GetName()})
}

// channelOfRoute finds the Channel whose webhook a route leads to, by its name.
func (r *Reconciler) channelOfRoute(ctx context.Context, route client.Object) []reconcile.Request {
	return r.channels(ctx, func(channel *v1alpha1.Channel) bool { return routeName(channel) == route.GetName() },
		client.InNamespace(route.GetNamespace()), client.MatchingFields{refs.ByBrand: route.GetLabels()[dataplane.LabelBrand]})
}

func (r *Reconciler) channelsOfAccount(ctx context.Context, obj client.Object) []reconcile.Request {
	channel, ok := obj.(*v1alpha1.Channel)
	if !ok || channel.Spec.WeChat() == nil {
		return nil
	}
	// The Channel itself is woken as such: a second pass at the same time would not know what the first has written.
	return r.channels(ctx, func(other *v1alpha1.Channel) bool { return other.UID != channel.UID },
		client.MatchingFields{refs.ByAccount: channel.Spec.WeChat().AppID})
}

// channelsOfObject finds the Channels that an object or a pod of the Brand concerns, by its labels.
func (r *Reconciler) channelsOfObject(ctx context.Context, obj client.Object) []reconcile.Request {
	brand, pool := obj.GetLabels()[dataplane.LabelBrand], obj.GetLabels()[dataplane.LabelPool]
	if brand == "" {
		return nil
	}
	return r.channels(ctx, func(channel *v1alpha1.Channel) bool {
		return pool == "" || dataplane.PoolOf(channel) == pool
	}, client.InNamespace(obj.GetNamespace()), client.MatchingFields{refs.ByBrand: brand})
}

func (r *Reconciler) channelsNaming(names func(channel *v1alpha1.Channel, name string) bool) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		return r.channels(ctx, func(channel *v1alpha1.Channel) bool { return names(channel, obj.GetName()) },
			client.InNamespace(obj.GetNamespace()))
	}
}

func (r *Reconciler) channels(ctx context.Context, choose func(*v1alpha1.Channel) bool, options ...client.ListOption) []reconcile.Request {
	var channels v1alpha1.ChannelList
	if err := r.client.List(ctx, &channels, append(options, client.UnsafeDisableDeepCopy)...); err != nil { // They are only looked at.
		log.FromContext(ctx).Error(err, "Listing Channels for a change failed")
		return nil
	}
	var requests []reconcile.Request
	for i := range channels.Items {
		if choose(&channels.Items[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&channels.Items[i])})
		}
	}
	return requests
}

func everyChannel(*v1alpha1.Channel) bool { return true }

func namesGroup(channel *v1alpha1.Channel, name string) bool {
	for _, rule := range channel.Spec.Routing {
		if rule.SkillGroupRef.Name == name {
			return true
		}
	}
	return false
}

func namesPlaybook(channel *v1alpha1.Channel, name string) bool {
	return channel.Spec.PlaybookRef != nil && channel.Spec.PlaybookRef.Name == name
}

// asksPlaybook says whether the Channel's menu may ask the Playbook for anything: it does where the Brand names it, too.
func asksPlaybook(channel *v1alpha1.Channel, name string) bool {
	return asksBot(channel) && (channel.Spec.PlaybookRef == nil || namesPlaybook(channel, name))
}

func namesServiceLevel(channel *v1alpha1.Channel, name string) bool {
	return channel.Spec.ServiceLevelRef != nil && channel.Spec.ServiceLevelRef.Name == name
}

func poolOfChannel(_ context.Context, obj client.Object) []PoolKey {
	channel, ok := obj.(*v1alpha1.Channel)
	if !ok {
		return nil
	}
	return []PoolKey{poolKeyOf(channel)}
}

func (r *PoolReconciler) poolsOfBrand(ctx context.Context, brand client.Object) []PoolKey {
	return r.pools(ctx, brand.GetNamespace(), brand.GetName())
}

func (r *PoolReconciler) poolsOfSetup(ctx context.Context, jobOrPod client.Object) []PoolKey {
	return r.pools(ctx, jobOrPod.GetNamespace(), jobOrPod.GetLabels()[dataplane.LabelBrand])
}

func poolOfObject(_ context.Context, obj client.Object) []PoolKey {
	brand, pool := obj.GetLabels()[dataplane.LabelBrand], obj.GetLabels()[dataplane.LabelPool]
	if brand == "" || pool == "" {
		return nil
	}
	return []PoolKey{{Namespace: obj.GetNamespace(), Brand: brand, Pool: pool}}
}

// poolsOfSecret finds the pools whose Channels, or whose Brands, refer to a Secret.
func (r *PoolReconciler) poolsOfSecret(ctx context.Context, secret client.Object) []PoolKey {
	key := types.NamespacedName{Namespace: secret.GetNamespace(), Name: secret.GetName()}
	referring := []client.ListOption{client.InNamespace(key.Namespace), client.MatchingFields{refs.BySecret: key.Name}}
	var channels v1alpha1.ChannelList
	var brands v1alpha1.BrandList
	if err := r.client.List(ctx, &channels, referring...); err != nil {
		log.FromContext(ctx).Error(err, "Listing Channels for a Secret failed")
	}
	if err := r.client.List(ctx, &brands, referring...); err != nil {
		log.FromContext(ctx).Error(err, "Listing Brands for a Secret failed")
	}
	var found []PoolKey
	for i := range channels.Items {
		found = append(found, poolOfChannel(ctx, &channels.Items[i])...)
	}
	for i := range brands.Items {
		found = append(found, r.poolsOfBrand(ctx, &brands.Items[i])...)
	}
	return found
}

// poolsOfPeaks are those that peaks change, of the Brands whose peaks may be others now.
func (r *PoolReconciler) poolsOfPeaks(ctx context.Context, changed client.Object) []PoolKey {
	brands, err := peaks.Brands(ctx, r.client, changed)
	if err != nil {
		log.FromContext(ctx).Error(err, "Finding the Brands of a schedule failed")
	}
	known := map[PoolKey]bool{}
	for i := range brands {
		var channels v1alpha1.ChannelList
		err := r.client.List(ctx, &channels, client.InNamespace(brands[i].Namespace), client.MatchingFields{refs.ByBrand: brands[i].Name},
			client.UnsafeDisableDeepCopy) // They are only looked at.
		if err != nil {
			log.FromContext(ctx).Error(err, "Listing the Channels of a Brand failed")
			continue
		}
		for k := range channels.Items {
			if scale(channels.Items[k : k+1]).LiftedForPeaks() {
				known[poolKeyOf(&channels.Items[k])] = true
			}
		}
	}
	return slices.Collect(maps.Keys(known))
}

// pools are those that the Brand's Channels have.
func (r *PoolReconciler) pools(ctx context.Context, namespace, brand string) []PoolKey {
	if brand == "" {
		return nil
	}
	var channels v1alpha1.ChannelList
	if err := r.client.List(ctx, &channels, client.InNamespace(namespace), client.MatchingFields{refs.ByBrand: brand}); err != nil {
		log.FromContext(ctx).Error(err, "Listing the Channels of a Brand failed")
		return nil
	}
	known := map[PoolKey]bool{}
	for i := range channels.Items {
		known[poolKeyOf(&channels.Items[i])] = true
	}
	return slices.Collect(maps.Keys(known))
}
