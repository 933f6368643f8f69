package apply

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// AddFinalizer adds the finalizer to the object unless it has it. The patch carries the resourceVersion, because the
// list of finalizers is replaced as a whole: a patch without it could undo what somebody else added meanwhile.
func (a *Applier) AddFinalizer(ctx context.Context, seen client.Object, finalizer string) error {
	if controllerutil.ContainsFinalizer(seen, finalizer) {
		return nil
	}
	return a.patchFinalizers(ctx, seen, func(obj client.Object) { controllerutil.AddFinalizer(obj, finalizer) })
}

// RemoveFinalizer removes the finalizer from the object if it has it.
func (a *Applier) RemoveFinalizer(ctx context.Context, seen client.Object, finalizer string) error {
	if !controllerutil.ContainsFinalizer(seen, finalizer) {
		return nil
	}
	return client.IgnoreNotFound(a.patchFinalizers(ctx, seen, func(obj client.Object) { controllerutil.RemoveFinalizer(obj, finalizer) }))
}

func (a *Applier) patchFinalizers(ctx context.Context, seen client.Object, change func(client.Object)) error {
	changed, ok := seen.DeepCopyObject().(client.Object)
	if !ok {
		return fmt.Errorf("copying %s: no object", seen.GetName())
	}
	change(changed)
	ctx, span := a.span(ctx, "patch the finalizers of", seen)
	defer span.End()
	patch := client.MergeFromWithOptions(seen, client.MergeFromWithOptimisticLock{})
	if err := a.client.Patch(ctx, changed, patch, client.FieldOwner(a.manager)); err != nil {
		return fmt.Errorf("patching the finalizers of %s: %w", seen.GetName(), err)
	}
	// What is applied next holds for the version that this made; for the one of before it would be refused.
	seen.SetFinalizers(changed.GetFinalizers())
	seen.SetResourceVersion(changed.GetResourceVersion())
	return nil
}
