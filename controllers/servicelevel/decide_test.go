package servicelevel

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

// The schema of today lets nothing through that Validate refuses; one of tomorrow or of yesterday may.
func TestAPromiseThatCannotBeKeptIsACondition(t *testing.T) {
	seen := &scene{level: &v1alpha1.ServiceLevel{}}
	seen.level.Spec.OffHours.AnswerWithin = "soon"
	found := decide(seen).findings
	want := conditions.False(v1alpha1.ConditionValid, v1alpha1.ReasonInvalid,
		`spec.offHours.answerWithin: Invalid value: "soon": write whole hours, minutes and seconds, for example 1h30m`)
	if diff := cmp.Diff(want, found[1]); diff != "" {
		t.Errorf("Valid (-want +got):\n%s", diff)
	}
	if found[0].Reason != v1alpha1.ReasonInvalid || found[2].Message != "Not served: invalid" {
		t.Errorf("Ready is %+v, Acknowledged %+v", found[0], found[2])
	}
	seen.level.Spec.OffHours.AnswerWithin = "1h"
	if valid := decide(seen).findings[1]; valid.Reason != v1alpha1.ReasonValid {
		t.Errorf("Valid is %+v", valid)
	}
}
