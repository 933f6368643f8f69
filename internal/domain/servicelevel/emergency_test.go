package servicelevel

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/burst"
)

func TestCompileEmergency(t *testing.T) {
	t.Parallel()
	defaults := burst.Rules{MinComplaints: 5, TimesUsual: 3, CalmFor: 30 * time.Minute}
	for name, tc := range map[string]struct {
		spec    yingdav1.EmergencySpec
		want    Emergency
		wantErr string
	}{
		"without a word bursts are looked for": {want: Emergency{true, defaults}},
		"who does not want it says so": {
			spec: yingdav1.EmergencySpec{Detection: yingdav1.EmergencyDetectionDisabled}, want: Emergency{false, defaults},
		},
		"what is declared counts": {
			spec: yingdav1.EmergencySpec{Detection: yingdav1.EmergencyDetectionEnabled, MinComplaints: 20, TimesUsual: 5, CalmFor: "1h"},
			want: Emergency{true, burst.Rules{MinComplaints: 20, TimesUsual: 5, CalmFor: time.Hour}},
		},
		"one complaint is no emergency": {
			spec: yingdav1.EmergencySpec{MinComplaints: 1}, wantErr: "spec.emergency.minComplaints: Invalid value: 1: must be from 2 to 10000",
		},
		"what is usual is no emergency": {
			spec: yingdav1.EmergencySpec{TimesUsual: 1}, wantErr: "spec.emergency.timesUsual: Invalid value: 1: must be from 2 to 100",
		},
		"a calm of a moment is refused": {
			spec: yingdav1.EmergencySpec{CalmFor: "59s"}, wantErr: `spec.emergency.calmFor: Invalid value: "59s": must be at least 1m and at most 24h`,
		},
		"another word for detection is refused": {
			spec: yingdav1.EmergencySpec{Detection: "Maybe"}, wantErr: `spec.emergency.detection: Unsupported value: "Maybe"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := yingdav1.ServiceLevelSpec{Emergency: tc.spec}
			got, wrong := CompileEmergency(spec)
			checkError(t, wrong.ToAggregate(), tc.wantErr)
			if diff := cmp.Diff(tc.want, got); tc.wantErr == "" && diff != "" {
				t.Errorf("emergency (-want +got):\n%s", diff)
			}
			checkError(t, Validate(spec).ToAggregate(), tc.wantErr)
		})
	}
}
