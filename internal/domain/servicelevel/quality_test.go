package servicelevel

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestCompileQuality(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec    *yingdav1.QualitySpec
		want    *Quality
		wantErr string
	}{
		"without a word nothing is judged": {},
		"an empty one is the schema's":     {spec: &yingdav1.QualitySpec{}, want: &Quality{SamplePercent: 5, DueWithin: 48 * time.Hour}},
		"what is declared counts": {
			spec: &yingdav1.QualitySpec{SamplePercent: new(int32(0)), ReviewResponsesOver: "10m", DueWithin: "24h"},
			want: &Quality{ReviewResponsesOver: 10 * time.Minute, DueWithin: 24 * time.Hour},
		},
		"more than all is refused": {
			spec:    &yingdav1.QualitySpec{SamplePercent: new(int32(101))},
			wantErr: "spec.quality.samplePercent: Invalid value: 101: must be from 0 to 100",
		},
		"a wait of no length is refused": {
			spec:    &yingdav1.QualitySpec{ReviewResponsesOver: "0s"},
			wantErr: `spec.quality.reviewResponsesOver: Invalid value: "0s": must be at least 1s and at most 24h`,
		},
		"a judgement due at once is refused": {
			spec:    &yingdav1.QualitySpec{DueWithin: "59s"},
			wantErr: `spec.quality.dueWithin: Invalid value: "59s": must be at least 1m and at most 720h`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, wrong := CompileQuality(tc.spec)
			checkError(t, wrong.ToAggregate(), tc.wantErr)
			if diff := cmp.Diff(tc.want, got); tc.wantErr == "" && diff != "" {
				t.Errorf("CompileQuality (-want +got):\n%s", diff)
			}
		})
	}
}
