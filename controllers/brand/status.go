package brand

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
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
		Keys:               seen.keys(),
	}
}

// keys are what the worker tells that knows the most; as long as none does, what was told before.
func (s *scene) keys() *v1alpha1.KeysStatus {
	var told *configz.Keys
	for _, answer := range s.answers[dataplane.Workflows] {
		if keys := answer.Report.Keys; keys != nil && (told == nil || keys.Count > told.Count || keys.Count == told.Count && keys.MadeAt.After(told.MadeAt)) {
			told = keys
		}
	}
	if told == nil {
		return s.brand.Status.Keys
	}
	keys := &v1alpha1.KeysStatus{Count: int32(told.Count), MadeAt: metav1.NewTime(told.MadeAt.Truncate(time.Second))} //nolint:gosec // A key a day for ages.
	if told.NextMadeAt != nil {
		keys.NextMadeAt = new(metav1.NewTime(told.NextMadeAt.Truncate(time.Second)))
	}
	return keys
}

func (s *scene) replicas(component string, now time.Time) *v1alpha1.ReplicasStatus {
	return dataplane.Replicas(s.deployments[component], s.scales[component].autoscaler, now)
}
