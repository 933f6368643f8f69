package brand

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/refs"
)

// observeClaims finds out what of the Brand's connections another Brand keeps. Two Brands in one database or Temporal
// namespace would take each other's work, so the one that comes to it is neither set up nor brought up to date; pods of it that
// run already are left alone, as everywhere, and what they work in stays theirs until it is set up elsewhere.
func (r *Reconciler) observeClaims(ctx context.Context, seen *scene) error {
	var err error
	seen.rivals, err = refs.BrandRivals(ctx, r.client, seen.brand)
	seen.taken = refs.BrandTaken(seen.brand, seen.rivals)
	return err
}

// claimsChanged lets through Brands that declare something else, or work in something else than before.
func claimsChanged() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, was := e.ObjectOld.(*v1alpha1.Brand)
			after, is := e.ObjectNew.(*v1alpha1.Brand)
			return was && is && !equality.Semantic.DeepEqual(before.Status.Connections, after.Status.Connections)
		},
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	})
}

// rivals finds the Brands that have a connection in common with a Brand that came, changed or went.
func (r *Reconciler) rivals(ctx context.Context, obj client.Object) []reconcile.Request {
	brand, ok := obj.(*v1alpha1.Brand)
	if !ok {
		return nil
	}
	rivals, err := refs.BrandRivals(ctx, r.client, brand)
	if err != nil {
		log.FromContext(ctx).Error(err, "Looking for the Brands with the same connections failed")
		return nil
	}
	var requests []reconcile.Request
	for i := range rivals {
		requests = append(requests, request(rivals[i].Namespace, rivals[i].Name)...)
	}
	return requests
}
