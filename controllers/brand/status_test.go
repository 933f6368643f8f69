package brand

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

func TestStatusTellsOfTheKeysThatTheWorkersTellOf(t *testing.T) {
	january, april := time.Date(2026, 1, 1, 0, 0, 0, 999, time.UTC), time.Date(2026, 4, 1, 0, 0, 0, 999, time.UTC)
	before := &v1alpha1.KeysStatus{Count: 1, MadeAt: metav1.NewTime(january.Truncate(time.Second))}
	for name, tt := range map[string]struct {
		told []*configz.Keys
		want *v1alpha1.KeysStatus
	}{
		"no worker tells": {want: before},
		"one is of a release that does not tell, one of two has learnt of a new key": {
			told: []*configz.Keys{nil, {Count: 2, MadeAt: january, NextMadeAt: &april}, {Count: 1, MadeAt: january}},
			want: &v1alpha1.KeysStatus{Count: 2, MadeAt: before.MadeAt, NextMadeAt: new(metav1.NewTime(april.Truncate(time.Second)))},
		},
		"one of two has learnt that it encrypts": {
			told: []*configz.Keys{{Count: 2, MadeAt: january, NextMadeAt: &april}, {Count: 2, MadeAt: april}},
			want: &v1alpha1.KeysStatus{Count: 2, MadeAt: metav1.NewTime(april.Truncate(time.Second))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			seen := &scene{brand: &v1alpha1.Brand{Status: v1alpha1.BrandStatus{Keys: before}}, answers: map[string][]ack.Answer{}}
			for _, keys := range tt.told {
				seen.answers[dataplane.Workflows] = append(seen.answers[dataplane.Workflows], ack.Answer{Report: configz.Report{Keys: keys}})
			}
			if diff := cmp.Diff(tt.want, seen.keys()); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}
