package router

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
)

// aiming gives the brand's ServiceLevel objectives.
func aiming(spec *yingdav1.ObjectivesSpec) func([]client.Object) {
	return func(objects []client.Object) {
		for _, object := range objects {
			if level, is := object.(*yingdav1.ServiceLevel); is {
				level.Spec.Objectives = spec
				level.Generation = 0 // So that it is compiled anew.
			}
		}
	}
}

func (w *world) measures() map[string]configz.Measured {
	w.t.Helper()
	if err := w.measureObjectives(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return w.Objectives()
}

// ratios are the ratios that are shown, by objective.
func (w *world) ratios() map[string]float64 {
	w.t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	shown := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "yingda_objective_ratio" {
				shown[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
			}
		}
	}
	return shown
}

func TestWhatCustomersGotIsToldByTheRulesInForce(t *testing.T) {
	w := newWorld(t, aiming(&yingdav1.ObjectivesSpec{BotContainmentPercent: new(int32(50))}))
	if got := w.Objectives(); got != nil {
		t.Errorf("before anybody looked: %v", got)
	}
	for i := range 20 {
		customer := fmt.Sprint("c", i)
		w.writes(customer, map[bool]string{true: "发票", false: "有人吗"}[i < 8])
		w.closes(customer)
	}
	w.now = w.now.Add(time.Minute)
	first := configz.Measured{At: w.now, Rules: "24h0m0s 0s", Tallies: map[string]configz.Tally{"answered": {Of: 12}, "botContainment": {Sum: 8, Of: 20}}}
	if diff := cmp.Diff(map[string]configz.Measured{"standard": first}, w.measures()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"botContainment": 0.8}, w.ratios()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}

	w.becomes(aiming(&yingdav1.ObjectivesSpec{Window: "1h", BotContainmentPercent: new(int32(40))}))
	if got := w.measures()["standard"].Rules; got != "1h0m0s 0s" {
		t.Errorf("told by the rules %s", got)
	}
	if diff := cmp.Diff(map[string]float64{"botContainment": 1}, w.ratios()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	w.now = w.now.Add(2 * time.Hour)
	w.measures()
	if got := w.ratios(); len(got) != 0 {
		t.Errorf("shown of what too few tell: %v", got)
	}

	w.becomes(aiming(nil))
	if got := w.measures(); got == nil || len(got) != 0 {
		t.Errorf("with nothing wanted: %v", got)
	}
}
