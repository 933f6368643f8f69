package servicelevel

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/burst"
)

// The defaults and bounds of spec.emergency in the resource's schema.
const (
	defaultMinComplaints = 5
	defaultTimesUsual    = 3
	defaultCalmFor       = 30 * time.Minute

	minMinComplaints, maxMinComplaints = 2, 10000
	minTimesUsual, maxTimesUsual       = 2, 100
	minCalmFor, maxCalmFor             = time.Minute, 24 * time.Hour
)

// Emergency says when complaints are too many, in a form to work with.
type Emergency struct {
	// Detected says whether they are looked for.
	Detected bool
	Rules    burst.Rules
}

// CompileEmergency reads when complaints are too many; of a spec without the schema's defaults it takes these. It refuses what the
// schema refuses.
func CompileEmergency(spec yingdav1.ServiceLevelSpec) (Emergency, field.ErrorList) {
	path, declared := field.NewPath("spec", "emergency"), spec.Emergency
	var wrong field.ErrorList
	number := func(name string, value, otherwise, least, most int32) int32 {
		if value == 0 {
			return otherwise
		}
		if value < least || value > most {
			wrong = append(wrong, field.Invalid(path.Child(name), value, fmt.Sprintf("must be from %d to %d", least, most)))
		}
		return value
	}
	emergency := Emergency{
		Detected: declared.Detection != yingdav1.EmergencyDetectionDisabled,
		Rules: burst.Rules{
			MinComplaints: number("minComplaints", declared.MinComplaints, defaultMinComplaints, minMinComplaints, maxMinComplaints),
			TimesUsual:    number("timesUsual", declared.TimesUsual, defaultTimesUsual, minTimesUsual, maxTimesUsual),
			CalmFor:       defaultCalmFor,
		},
	}
	if declared.CalmFor != "" {
		calmFor, err := between(declared.CalmFor, minCalmFor, maxCalmFor)
		if err != nil {
			wrong = append(wrong, field.Invalid(path.Child("calmFor"), declared.CalmFor, err.Error()))
		}
		emergency.Rules.CalmFor = calmFor
	}
	switch declared.Detection {
	case "", yingdav1.EmergencyDetectionEnabled, yingdav1.EmergencyDetectionDisabled:
	default:
		wrong = append(wrong, field.NotSupported(path.Child("detection"), declared.Detection,
			[]yingdav1.EmergencyDetection{yingdav1.EmergencyDetectionEnabled, yingdav1.EmergencyDetectionDisabled}))
	}
	return emergency, wrong
}
