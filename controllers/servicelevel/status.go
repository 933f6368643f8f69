package servicelevel

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func status(seen *scene, decided verdict, now time.Time) v1alpha1.ServiceLevelStatus {
	level := seen.level
	return v1alpha1.ServiceLevelStatus{
		Conditions:         conditions.Merge(level.Status.Conditions, level.Generation, now, decided.findings...),
		ObservedGeneration: level.Generation,
	}
}
