package brand

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/peaks"
	"github.com/yingda-dev/yingda/internal/refs"
	"github.com/yingda-dev/yingda/internal/retry"
	"github.com/yingda-dev/yingda/internal/telemetry"
)

// atOnce is how many Brands are reconciled at the same time: replicas of one that do not answer must not hold up others, and
// all Brands may be woken in the same moment.
const atOnce = 64

// SetupWithManager says which changes a Brand's state depends on.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	exists := builder.WithPredicates(ack.ExistenceChanged())
	// The Brand controls what pools are made of, too, but looks at none of it.
	ofNoPool := predicate.NewPredicateFuncs(func(obj client.Object) bool { return obj.GetLabels()[dataplane.LabelPool] == "" })
	b := ctrl.NewControllerManagedBy(mgr).
		WithOptions(controller.Options{MaxConcurrentReconciles: atOnce, RateLimiter: retry.Limiter[reconcile.Request]()}).
		For(&v1alpha1.Brand{}, builder.WithPredicates(r.apply.NotOwn())).
		Watches(&v1alpha1.Brand{}, handler.EnqueueRequestsFromMapFunc(r.rivals), builder.WithPredicates(claimsChanged())).
		WatchesMetadata(refs.SecretMetadata(), handler.EnqueueRequestsFromMapFunc(r.brandsOfSecret)).
		Watches(&v1alpha1.Channel{}, handler.EnqueueRequestsFromMapFunc(r.goingBrandOfChannel), exists).
		Watches(&v1alpha1.SkillGroup{}, handler.EnqueueRequestsFromMapFunc(r.brandsWithDefault("SkillGroup")), exists).
		Watches(&v1alpha1.Playbook{}, handler.EnqueueRequestsFromMapFunc(r.brandsWithDefault("Playbook")), exists).
		Watches(&v1alpha1.ServiceLevel{}, handler.EnqueueRequestsFromMapFunc(r.brandsWithDefault("ServiceLevel")), exists).
		Watches(&v1alpha1.ShiftSchedule{}, handler.EnqueueRequestsFromMapFunc(r.brandsWithDefault("ShiftSchedule")), exists).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(brandOfPod), builder.WithPredicates(ack.ReplicaChanged()))
	for _, object := range peaks.Kinds() {
		b = b.Watches(object, handler.EnqueueRequestsFromMapFunc(r.brandsOfPeaks), peaks.Declared())
	}
	for _, object := range dataplane.Kinds(r.settings) {
		b = b.Owns(object, builder.WithPredicates(ofNoPool, peaks.Unmeasured())) // Of two WithPredicates the last would count alone.
	}
	return b.Complete(telemetry.Traced("brand", r))
}

// goingBrandOfChannel is the Brand of a Channel if it only waits for its Channels to go.
func (r *Reconciler) goingBrandOfChannel(ctx context.Context, obj client.Object) []reconcile.Request {
	channel, ok := obj.(*v1alpha1.Channel)
	if !ok {
		return nil
	}
	key, brand := types.NamespacedName{Namespace: channel.Namespace, Name: channel.Spec.BrandRef.Name}, &v1alpha1.Brand{}
	if exists, err := refs.Look(ctx, r.client, key, brand); err != nil || !exists || brand.DeletionTimestamp == nil {
		return nil
	}
	return []reconcile.Request{{NamespacedName: key}}
}

func brandOfPod(_ context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetLabels()[dataplane.LabelBrand]
	if name == "" || pod.GetLabels()[dataplane.LabelPool] != "" {
		return nil
	}
	return request(pod.GetNamespace(), name)
}

func (r *Reconciler) brandsOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	return r.brands(ctx, func(*v1alpha1.Brand) bool { return true },
		client.InNamespace(secret.GetNamespace()), client.MatchingFields{refs.BySecret: secret.GetName()})
}

// brandsWithDefault finds the Brands that have the object of a kind among their defaults.
func (r *Reconciler) brandsWithDefault(kind string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		return r.brands(ctx, func(brand *v1alpha1.Brand) bool {
			for _, reference := range defaultReferences(brand.Spec.Defaults) {
				if reference.kind == kind && reference.name == obj.GetName() {
					return true
				}
			}
			return false
		}, client.InNamespace(obj.GetNamespace()))
	}
}

func (r *Reconciler) brands(ctx context.Context, choose func(*v1alpha1.Brand) bool, options ...client.ListOption) []reconcile.Request {
	var brands v1alpha1.BrandList
	if err := r.client.List(ctx, &brands, options...); err != nil {
		log.FromContext(ctx).Error(err, "Listing Brands for a change failed")
		return nil
	}
	var requests []reconcile.Request
	for i := range brands.Items {
		if choose(&brands.Items[i]) {
			requests = append(requests, request(brands.Items[i].Namespace, brands.Items[i].Name)...)
		}
	}
	return requests
}

func request(namespace, name string) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}}
}
