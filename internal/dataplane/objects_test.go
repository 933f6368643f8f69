package dataplane

import (
	"testing"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/scaling"
)

func TestThereIsABudgetOnlyWhereThereMayBeTwoReplicas(t *testing.T) {
	for name, tt := range map[string]struct {
		spec scaling.Spec
		want int
	}{
		"one replica": {scaling.Fixed(1), 0},
		"an autoscaler that may not make it more": {scaling.Spec{Min: 1, Peak: 1, Max: 1}, 0},
		"a limit that leaves one":                 {scaling.Spec{Min: 2, Peak: 4, Max: 8}.Within(1), 0},
		"two replicas":                            {scaling.Fixed(2), 1},
		"a second one for peaks":                  {scaling.Spec{Min: 1, Peak: 2}, 1},
		"an autoscaler that may make it more":     {scaling.Spec{Min: 1, Peak: 1, Max: 2}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := Workload{Brand: &v1alpha1.Brand{}, Component: Router, Plan: scaling.Plan{Spec: tt.spec, Floor: tt.spec.Min}}
			if got := len(w.Budget()); got != tt.want {
				t.Errorf("%d budgets, want %d", got, tt.want)
			}
		})
	}
}
