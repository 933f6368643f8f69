package dataplane

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/scaling"
	"github.com/yingda-dev/yingda/internal/keda"
)

// TestKEDATakesWhatIsRendered holds to what the webhook of KEDA 2.21 and its cron trigger refuse, beyond its CRDs: names over 63
// characters, two triggers of one name, a cron without a length or without replicas, bounds out of order.
func TestKEDATakesWhatIsRendered(t *testing.T) {
	noon := time.Date(2026, 11, 30, 4, 0, 0, 0, time.UTC)
	for name, pool := range map[string]string{
		"a short name":       "miniprogram",
		"the longest for it": "miniprogram-" + strings.Repeat("s", 54-len("lumi-miniprogram-")),
		"one that is longer": "miniprogram-" + strings.Repeat("s", 55-len("lumi-miniprogram-")),
		"the longest of all": "miniprogram-" + strings.Repeat("s", 63-len("lumi-miniprogram-")),
	} {
		t.Run(name, func(t *testing.T) {
			w := Workload{
				Brand:     &v1alpha1.Brand{ObjectMeta: metav1.ObjectMeta{Name: "lumi", Namespace: "lumi"}},
				Component: Connector, Pool: pool,
				Plan: scaling.Plan{Spec: scaling.Spec{Min: 1, Peak: 5, Max: 10}, Lifts: []scaling.Span{
					{Start: noon, End: noon.Add(2 * time.Hour)},
					{Start: noon.Add(24 * time.Hour), End: noon.Add(24*time.Hour + time.Second)},
					{Start: noon.Add(48 * time.Hour), End: noon.Add(96 * time.Hour)},
				}},
			}
			objects := w.kedaObjects()
			text, err := json.Marshal(objects[len(objects)-1])
			if err != nil {
				t.Fatal(err)
			}
			var scaled keda.ScaledObject
			if err := json.Unmarshal(text, &scaled); err != nil {
				t.Fatal(err)
			}
			autoscaler := scaled.Spec.Advanced.HorizontalPodAutoscalerConfig.Name
			if autoscaler == "" {
				autoscaler = "keda-hpa-" + scaled.Name
			}
			if len(scaled.Name) > 63 || len(autoscaler) > 63 {
				t.Errorf("KEDA refuses the names %s and %s", scaled.Name, autoscaler)
			}
			if least, most := *scaled.Spec.MinReplicaCount, *scaled.Spec.MaxReplicaCount; least < 1 || least > most {
				t.Errorf("from %d to %d replicas", least, most)
			}
			crons := 0
			for _, trigger := range scaled.Spec.Triggers {
				if trigger.Type != "cron" {
					continue
				}
				crons++
				if trigger.Metadata["start"] == trigger.Metadata["end"] || trigger.Metadata["desiredReplicas"] == "0" {
					t.Errorf("KEDA refuses the cron %v", trigger.Metadata)
				}
			}
			if crons != 3 {
				t.Errorf("%d crons for 3 lifts", crons)
			}
		})
	}
}
