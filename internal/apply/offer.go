package apply

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Offer brings an object to the server that the operator ships and people may change: what somebody else has set to another
// value stays, and then nothing of the object is written. It returns false for one that was changed so.
func (a *Applier) Offer(ctx context.Context, object *unstructured.Unstructured) (taken bool, err error) {
	ctx, span := a.span(ctx, "offer", object)
	defer span.End()
	switch err := a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(a.manager)); {
	case apierrors.IsConflict(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("offering %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	return true, nil
}
