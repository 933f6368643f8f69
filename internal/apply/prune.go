package apply

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Prune deletes what owner controls, selector chooses and keep does not hold, among the kinds of the given lists.
func (a *Applier) Prune(ctx context.Context, owner client.Object, selector labels.Selector, keep []Reference, kinds ...client.ObjectList) error {
	kept := make(map[Reference]bool, len(keep))
	for _, reference := range keep {
		kept[reference] = true
	}
	for _, list := range kinds {
		if err := a.client.List(ctx, list, client.InNamespace(owner.GetNamespace()), client.MatchingLabelsSelector{Selector: selector}); err != nil {
			return fmt.Errorf("listing what may be left over: %w", err)
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			obj, ok := item.(client.Object)
			if !ok || !metav1.IsControlledBy(obj, owner) || obj.GetDeletionTimestamp() != nil {
				return nil
			}
			gvk, err := a.client.GroupVersionKindFor(obj)
			if err != nil {
				return fmt.Errorf("finding the kind of %s: %w", obj.GetName(), err)
			}
			if kept[Reference{Kind: gvk.GroupKind(), Name: obj.GetName()}] {
				return nil
			}
			return a.Delete(ctx, obj)
		})
		if err != nil {
			return fmt.Errorf("pruning: %w", err)
		}
	}
	return nil
}
