package apply

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// LeaveReplicas lets go of the number of replicas of a Deployment that an autoscaler has from now on; of nil it does nothing.
//
// A field that its only owner applies no more is removed, and a Deployment without a number of replicas gets one. So a second
// manager takes the number as it is, before the first leaves it out: it stays until the autoscaler writes another one, and
// never comes back, since the second manager applies nothing else.
func (a *Applier) LeaveReplicas(ctx context.Context, seen *appsv1.Deployment) error {
	if seen == nil || seen.Spec.Replicas == nil {
		return nil
	}
	owned, err := ownedFields(seen, a.manager, "")
	if err != nil {
		return fmt.Errorf("looking who has the replicas of %s: %w", seen.Name, err)
	}
	spec, ok := owned["f:spec"].(map[string]any)
	if _, owns := spec["f:replicas"]; !ok || !owns {
		return nil
	}
	// It holds for the version that was seen: the number of before would undo what was scaled since.
	config := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": appsv1.SchemeGroupVersion.String(),
		"kind":       "Deployment",
		"metadata":   map[string]any{"name": seen.Name, "namespace": seen.Namespace, "resourceVersion": seen.ResourceVersion},
		"spec":       map[string]any{"replicas": int64(*seen.Spec.Replicas)},
	}})
	if err := a.client.Apply(ctx, config, client.FieldOwner(a.manager+"-replicas"), client.ForceOwnership); err != nil {
		return fmt.Errorf("leaving the replicas of %s to its autoscaler: %w", seen.Name, err)
	}
	return nil
}
