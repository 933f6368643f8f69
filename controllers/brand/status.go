package brand

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

func status(seen *scene, decided verdict, settings dataplane.Settings, now time.Time) v1alpha1.BrandStatus {
	brand := seen.brand
	desk := dataplane.URL(settings, seen.desk)
	if exposure := brand.Spec.Desk.Exposure; exposure != nil {
		desk = dataplane.ExposedURL(exposure)
	}
	return v1alpha1.BrandStatus{
		Conditions:         conditions.Merge(brand.Status.Conditions, brand.Generation, now, decided.findings...),
		ObservedGeneration: brand.Generation,
		DeskURL:            desk,
		Channels:           int32(min(len(seen.channels), 1<<30)),
		Router:             dataplane.Replicas(seen.deployments[dataplane.Router]),
		Desk:               dataplane.Replicas(seen.deployments[dataplane.Desk]),
	}
}
