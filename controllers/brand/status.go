package brand

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

func status(seen *scene, decided verdict, settings dataplane.Settings, now time.Time) v1alpha1.BrandStatus {
	brand := seen.brand
	desk := dataplane.URL(settings, seen.desk)
	if exposure := brand.Spec.Desk.Exposure; exposure != nil {
		desk = dataplane.ExposedURL(exposure)
	}
	connections := brand.Status.Connections
	if decided.serve {
		connections = refs.Connections(brand)
	}
	return v1alpha1.BrandStatus{
		Conditions:         conditions.Merge(brand.Status.Conditions, brand.Generation, now, decided.findings...),
		ObservedGeneration: brand.Generation,
		DeskURL:            desk,
		Connections:        connections,
		Router:             seen.replicas(dataplane.Router, now),
		Desk:               seen.replicas(dataplane.Desk, now),
	}
}

func (s *scene) replicas(component string, now time.Time) *v1alpha1.ReplicasStatus {
	return dataplane.Replicas(s.deployments[component], s.scales[component].autoscaler, now)
}
