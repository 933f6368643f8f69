package ack

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// ReplicaChanged lets through what changes who must be asked: a pod that comes, goes, becomes ready, moves or ends.
func ReplicaChanged() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, ok := e.ObjectOld.(*corev1.Pod)
			if !ok {
				return false
			}
			after, ok := e.ObjectNew.(*corev1.Pod)
			return ok && (Ready(before) != Ready(after) ||
				before.Status.PodIP != after.Status.PodIP ||
				before.Status.Phase != after.Status.Phase)
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// ExistenceChanged lets through objects that come and go.
func ExistenceChanged() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc:  func(event.UpdateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// StatusChanged lets through updates of the status alone, DeclarationChanged all but those.
func StatusChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		UpdateFunc:  func(e event.UpdateEvent) bool { return !declares(e) },
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

// DeclarationChanged lets through what people change, and that objects come and go.
func DeclarationChanged() predicate.Predicate { return predicate.Funcs{UpdateFunc: declares} }

func declares(e event.UpdateEvent) bool {
	before, after := e.ObjectOld, e.ObjectNew
	return before.GetUID() != after.GetUID() || before.GetGeneration() != after.GetGeneration() ||
		before.GetDeletionTimestamp().IsZero() != after.GetDeletionTimestamp().IsZero() ||
		!maps.Equal(before.GetLabels(), after.GetLabels()) || !maps.Equal(before.GetAnnotations(), after.GetAnnotations()) ||
		!slices.Equal(before.GetFinalizers(), after.GetFinalizers())
}

// KeepOfPod cuts a pod to what the operator looks at before it enters the cache.
func KeepOfPod(obj any) (any, error) {
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return obj, nil
	}
	pod.ManagedFields = nil
	pod.Annotations = nil
	pod.Spec = corev1.PodSpec{}
	pod.Status = corev1.PodStatus{
		Phase: pod.Status.Phase, PodIP: pod.Status.PodIP, Conditions: pod.Status.Conditions, ContainerStatuses: pod.Status.ContainerStatuses,
	}
	return pod, nil
}

// HasLabel lets through objects with the value of a label.
func HasLabel(label string, values ...string) predicate.Predicate {
	return predicate.NewPredicateFuncs(func(obj client.Object) bool {
		for _, value := range values {
			if obj.GetLabels()[label] == value {
				return true
			}
		}
		return false
	})
}
