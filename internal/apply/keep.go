package apply

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Keep cuts an object to what this package compares, before it enters the cache: of the managed fields those of the operator's
// own managers, and nothing of what kubectl keeps for itself. That is a third of a Channel.
func Keep(obj any) (any, error) {
	object, ok := obj.(client.Object)
	if !ok {
		return obj, nil // The end of an object that the cache missed.
	}
	object.SetManagedFields(slices.DeleteFunc(object.GetManagedFields(), func(entry metav1.ManagedFieldsEntry) bool {
		return !strings.HasPrefix(entry.Manager, managers)
	}))
	delete(object.GetAnnotations(), corev1.LastAppliedConfigAnnotation)
	return object, nil
}
