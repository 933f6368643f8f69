package brand

import (
	"context"
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/domain/scaling"
	"github.com/yingda-dev/yingda/internal/peaks"
	"github.com/yingda-dev/yingda/internal/refs"
)

// scale says how many replicas a workload must have, and whether it runs already.
type scale struct {
	plan    scaling.Plan
	running bool
	// autoscaler is nil for a workload without a HorizontalPodAutoscaler of the operator's. Nothing wakes the Brand for what its
	// status says: replicas that run are asked all 30 seconds anyway.
	autoscaler *autoscalingv2.HorizontalPodAutoscaler
}

// scales are those of all workloads, by component.
type scales map[string]scale

// specOf is what the Brand declares of a component's replicas.
func specOf(brand *v1alpha1.Brand, component string) scaling.Spec {
	switch component {
	case dataplane.Router:
		// Routers share the partitions of one topic, and do nothing else.
		return scaling.Of(brand.Spec.Router.Replicas, brand.Spec.Router.Scaling).Within(brand.Spec.Kafka.Topics.Partitions)
	case dataplane.Desk:
		return scaling.Of(brand.Spec.Desk.Replicas, brand.Spec.Desk.Scaling)
	default:
		return scaling.Fixed(1)
	}
}

func (r *Reconciler) observeScales(ctx context.Context, seen *scene) error {
	seen.scales = scales{}
	for _, component := range components() {
		plan, err := peaks.Plan(ctx, r.client, seen.brand, specOf(seen.brand, component), r.now())
		if err != nil {
			return err
		}
		found := scale{plan: plan, running: seen.deployments[component] != nil}
		autoscaler := &autoscalingv2.HorizontalPodAutoscaler{}
		exists, err := refs.Look(ctx, r.client, seen.key(dataplane.WorkloadName(seen.brand.Name, component)), autoscaler)
		if err != nil {
			return err
		}
		if exists {
			found.autoscaler = autoscaler
		}
		seen.scales[component] = found
	}
	return nil
}

// leaveReplicas lets go of the numbers of replicas that autoscalers have.
func (r *Reconciler) leaveReplicas(ctx context.Context, seen *scene) error {
	for _, component := range components() {
		if !seen.scales[component].plan.Autoscaled() {
			continue
		}
		if err := r.apply.LeaveReplicas(ctx, seen.deployments[component]); err != nil {
			return err
		}
	}
	return nil
}

// scale brings about what scales the workloads that run. An event says why the cluster refuses one.
func (r *Reconciler) scale(ctx context.Context, seen *scene, objects rendered) error {
	for _, component := range components() {
		if !seen.scales[component].running {
			continue
		}
		for _, object := range objects.scaling[component] {
			refusal, err := r.apply.Refusable(ctx, seen.brand, object)
			if err != nil {
				return fmt.Errorf("scaling the %s of Brand %s: %w", component, seen.brand.Name, err)
			}
			if refusal != "" {
				seen.unscaled = true
				r.recorder.Eventf(seen.brand, nil, corev1.EventTypeWarning, v1alpha1.ReasonNotAccepted, "Scale", "%s", conditions.Bound(refusal))
			}
		}
	}
	return nil
}

// brandsOfPeaks are those that peaks change, of the Brands whose peaks may be others now.
func (r *Reconciler) brandsOfPeaks(ctx context.Context, changed client.Object) []reconcile.Request {
	brands, err := peaks.Brands(ctx, r.client, changed)
	if err != nil {
		log.FromContext(ctx).Error(err, "Finding the Brands of a schedule failed")
	}
	var requests []reconcile.Request
	for i := range brands {
		if specOf(&brands[i], dataplane.Router).LiftedForPeaks() || specOf(&brands[i], dataplane.Desk).LiftedForPeaks() {
			requests = append(requests, request(brands[i].Namespace, brands[i].Name)...)
		}
	}
	return requests
}
