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

// Prune deletes what owner controls, selector chooses and keep does not hold, among the kinds.
func (a *Applier) Prune(ctx context.Context, owner client.Object, selector labels.Selector, keep []runtime.ApplyConfiguration, kinds ...client.Object) error {
	kept := make(map[Reference]bool, len(keep))
	for _, rendered := range keep {
		reference, err := ReferenceTo(rendered)
		if err != nil {
			return fmt.Errorf("naming what is kept: %w", err)
		}
		kept[reference] = true
	}
	for _, kind := range kinds {
		list, err := a.listOf(kind)
		if err != nil {
			return err
		}
		if err := a.client.List(ctx, list, client.InNamespace(owner.GetNamespace()), client.MatchingLabelsSelector{Selector: selector}); err != nil {
			return fmt.Errorf("listing what may be left over: %w", err)
		}
		err = meta.EachListItem(list, func(item runtime.Object) error {
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

// listOf is an empty list of the object's kind.
func (a *Applier) listOf(object client.Object) (client.ObjectList, error) {
	kind, err := a.client.GroupVersionKindFor(object)
	if err != nil {
		return nil, fmt.Errorf("finding the kind of %T: %w", object, err)
	}
	made, err := a.client.Scheme().New(kind.GroupVersion().WithKind(kind.Kind + "List"))
	if err != nil {
		return nil, fmt.Errorf("making an empty list: %w", err)
	}
	list, ok := made.(client.ObjectList)
	if !ok {
		return nil, fmt.Errorf("%T is no list", made)
	}
	return list, nil
}
