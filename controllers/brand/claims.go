package brand

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/refs"
)

// observeClaims finds out what of the Brand's connections an earlier Brand keeps. Two Brands in one database or Temporal
// namespace would take each other's work, so the later one is neither set up nor brought up to date; pods of it that run
// already are left alone, as everywhere.
func (r *Reconciler) observeClaims(ctx context.Context, seen *scene) error {
	var err error
	seen.rivals, err = refs.BrandRivals(ctx, r.client, seen.brand)
	seen.taken = refs.BrandTaken(seen.brand, seen.rivals)
	return err
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
