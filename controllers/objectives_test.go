package controllers_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
)

func TestAServiceLevelSaysWhetherItsObjectivesAreMet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.create(aiming(v1alpha1.ObjectivesSpec{AnsweredWithin: "2m", AnsweredPercent: new(int32(90))}))
	level := &v1alpha1.ServiceLevel{}
	met := func(reason, message string) {
		t.Helper()
		if found := w.waitFor(level, "standard", v1alpha1.ConditionObjectivesMet, reason); found.Message != message {
			t.Errorf("message is %q, want %q", found.Message, message)
		}
	}
	met(v1alpha1.ReasonNotReported, "No replica of the router says what customers got")
	w.waitFor(level, "standard", v1alpha1.ConditionReady, v1alpha1.ReasonReady)

	measured := func(answered int64) {
		w.data.measure("standard", configz.Measured{
			At: w.clock.now(), Rules: "24h0m0s 2m0s", Tallies: map[string]configz.Tally{"answered": {Sum: answered, Of: 1000}},
		})
		change(w, "standard", level, func(l *v1alpha1.ServiceLevel) {
			l.Labels = map[string]string{"nudged": time.Now().Format("150405.000")}
		})
	}
	measured(896)
	met(v1alpha1.ReasonObjectivesMissed, "Over the last 24h: answered 89 %, wanted 90 %")
	measured(936)
	met(v1alpha1.ReasonObjectivesMet, "Over the last 24h: answered 93 %, wanted 90 %")

	w.settled()
	before := w.writes.count()
	measured(931)
	w.settled()
	if diff := cmp.Diff([]string(nil), w.writes.since(before), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("writes for what rounds to the same (-want +got):\n%s", diff)
	}
	change(w, "standard", level, func(l *v1alpha1.ServiceLevel) { l.Spec.Objectives = nil })
	w.eventually(func() error {
		if err := w.get("standard", level); err != nil {
			return err
		}
		if found, still := conditions.Find(conditionsOf(level), v1alpha1.ConditionObjectivesMet); still {
			return fmt.Errorf("with nothing wanted: %+v", found)
		}
		return nil
	})
}
