package servicelevel

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
)

func TestObjectivesAreACondition(t *testing.T) {
	at := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	said := func(minutes int, tallies map[string]configz.Tally) ack.Answer {
		return ack.Answer{Report: configz.Report{Objectives: map[string]configz.Measured{
			"standard": {At: at.Add(time.Duration(minutes) * time.Minute), Rules: "24h0m0s 2m0s", Tallies: tallies},
		}}}
	}
	brand := func(answers ...ack.Answer) []ack.Group {
		return []ack.Group{{Name: "router", Answers: answers}, {Name: "desk", Answers: []ack.Answer{{}}}}
	}
	good := map[string]configz.Tally{"answered": {Sum: 95, Of: 100}, "satisfaction": {Sum: 92, Of: 20}}
	poor := map[string]configz.Tally{"answered": {Sum: 10, Of: 100}, "satisfaction": {Sum: 46, Of: 10}}
	const condition = v1alpha1.ConditionObjectivesMet
	for name, tt := range map[string]struct {
		brands [][]ack.Group
		want   conditions.Condition
	}{
		"met": {
			[][]ack.Group{brand(said(0, good))},
			conditions.True(condition, v1alpha1.ReasonObjectivesMet, "Over the last 24h: answered 95 %, wanted 90 %; satisfaction 4.6, wanted 4.5"),
		},
		"missed, whatever is not known": {
			[][]ack.Group{brand(said(0, poor))},
			conditions.False(condition, v1alpha1.ReasonObjectivesMissed, "Over the last 24h: answered 10 %, wanted 90 %; satisfaction unknown, wanted 4.5"),
		},
		"the customers of all Brands count the same": {
			[][]ack.Group{brand(said(0, good)), brand(said(0, poor))},
			conditions.False(condition, v1alpha1.ReasonObjectivesMissed, "Over the last 24h: answered 52 %, wanted 90 %; satisfaction 4.6, wanted 4.5"),
		},
		"of two replicas the one counts that looked last": {
			[][]ack.Group{brand(said(0, poor), said(5, good), ack.Answer{Err: errors.New("away")})},
			conditions.True(condition, v1alpha1.ReasonObjectivesMet, "Over the last 24h: answered 95 %, wanted 90 %; satisfaction 4.6, wanted 4.5"),
		},
		"too few customers": {
			[][]ack.Group{brand(said(0, nil))},
			conditions.Unknown(condition, v1alpha1.ReasonTooFewCustomers, "Over the last 24h: answered unknown, wanted 90 %; satisfaction unknown, wanted 4.5"),
		},
		"measured by other rules": {
			[][]ack.Group{brand(ack.Answer{Report: configz.Report{Objectives: map[string]configz.Measured{"standard": {At: at, Rules: "1h0m0s 2m0s", Tallies: good}}}})},
			conditions.Unknown(condition, v1alpha1.ReasonTooFewCustomers, "Over the last 24h: answered unknown, wanted 90 %; satisfaction unknown, wanted 4.5"),
		},
		"nobody looked": {
			[][]ack.Group{brand(ack.Answer{})},
			conditions.Unknown(condition, v1alpha1.ReasonNotReported, "No replica of the router says what customers got"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			level := &v1alpha1.ServiceLevel{}
			level.Name = "standard"
			level.Spec.Objectives = &v1alpha1.ObjectivesSpec{AnsweredWithin: "2m", AnsweredPercent: new(int32(90)), Satisfaction: "4.5"}
			decided := decide(&scene{level: level, brands: tt.brands})
			if diff := cmp.Diff(tt.want, decided.findings[len(decided.findings)-1]); diff != "" || decided.wake == 0 {
				t.Errorf("ObjectivesMet (-want +got):\n%s", diff)
			}
			level.Spec.Objectives = nil
			if decided := decide(&scene{level: level, brands: tt.brands}); len(decided.findings) != 3 || decided.wake != 0 {
				t.Errorf("with nothing wanted: %+v", decided)
			}
		})
	}
}
