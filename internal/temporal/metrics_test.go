package temporal

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func TestMetricsOfTheSDKKeepTheirNamesAndFewLabels(t *testing.T) {
	registry := prometheus.NewRegistry()
	for range 2 {
		// A second client of a process counts on the same metrics.
		h := newMetricsHandler(registry).WithTags(map[string]string{"operation": "none", "namespace": "brand", "workflow_type": "Complaint"})
		h.WithTags(map[string]string{"operation": "StartWorkflow", "workflow_id": "of a customer"}).Counter("temporal_request").Inc(2)
		h.Counter("temporal_request").Inc(1)
		h.Gauge("temporal_num_pollers").Update(5)
		h.Timer("temporal_request_latency").Record(time.Second)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := []string{family.GetName()}
			for _, label := range m.GetLabel() {
				if label.GetValue() != "" {
					name = append(name, label.GetName()+"="+label.GetValue())
				}
			}
			got[strings.Join(name, " ")] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
		}
	}
	want := map[string]float64{
		"temporal_request_total operation=StartWorkflow workflow_type=Complaint":  4,
		"temporal_request_total operation=none workflow_type=Complaint":           2,
		"temporal_num_pollers operation=none workflow_type=Complaint":             5,
		"temporal_request_latency_seconds operation=none workflow_type=Complaint": 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}
