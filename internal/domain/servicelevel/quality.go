package servicelevel

import (
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// The defaults and bounds of quality in the resource's schema.
const (
	defaultSamplePercent = 5
	defaultReviewDue     = 48 * time.Hour

	minReviewDue, maxReviewDue = time.Minute, 720 * time.Hour
)

// Quality says which conversations are judged afterwards, in a form to work with.
type Quality struct {
	SamplePercent int32
	// ReviewResponsesOver is zero for all that are marked.
	ReviewResponsesOver time.Duration
	DueWithin           time.Duration
}

// CompileQuality reads which conversations are judged; nil for none. It refuses what the schema refuses.
func CompileQuality(spec *yingdav1.QualitySpec) (*Quality, field.ErrorList) {
	if spec == nil {
		return nil, nil
	}
	r := reader{path: field.NewPath("spec", "quality")}
	quality := &Quality{
		SamplePercent:       defaultSamplePercent,
		ReviewResponsesOver: r.clock("reviewResponsesOver", spec.ReviewResponsesOver, 0),
		DueWithin:           defaultReviewDue,
	}
	if percent := spec.SamplePercent; percent != nil {
		if quality.SamplePercent = *percent; *percent < 0 || *percent > 100 {
			r.wrong = append(r.wrong, field.Invalid(r.path.Child("samplePercent"), *percent, "must be from 0 to 100"))
		}
	}
	if spec.DueWithin != "" {
		due, err := between(spec.DueWithin, minReviewDue, maxReviewDue)
		if err != nil {
			r.wrong = append(r.wrong, field.Invalid(r.path.Child("dueWithin"), spec.DueWithin, err.Error()))
		}
		quality.DueWithin = due
	}
	return quality, r.wrong
}
