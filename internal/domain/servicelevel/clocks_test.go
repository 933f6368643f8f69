package servicelevel

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestCompileClocks(t *testing.T) {
	t.Parallel()
	replying := func(target, warnAfter, reviewAfter time.Duration) Clocks {
		return Clocks{FirstResponse: FirstResponse{time.Minute, 3 * time.Minute}, Reply: Reply{target, warnAfter, reviewAfter}}
	}
	defaults := replying(15*time.Second, 20*time.Second, 5*time.Minute)
	for name, tc := range map[string]struct {
		spec    yingdav1.ServiceLevelSpec
		want    Clocks
		wantErr string
	}{
		"without a word the promises are those of the schema": {want: defaults},
		"what is declared counts, and the rest is the schema's": {
			spec: yingdav1.ServiceLevelSpec{Reply: yingdav1.ReplySpec{WarnAfter: "1m"}},
			want: replying(15*time.Second, time.Minute, 5*time.Minute),
		},
		"all at once is no contradiction": {
			spec: yingdav1.ServiceLevelSpec{Reply: yingdav1.ReplySpec{Target: "1s", WarnAfter: "1s", ReviewAfter: "1s"}},
			want: replying(time.Second, time.Second, time.Second),
		},
		"a reminder before the target is refused": {
			spec:    yingdav1.ServiceLevelSpec{Reply: yingdav1.ReplySpec{WarnAfter: "10s"}},
			wantErr: `spec.reply.target: Invalid value: "15s": must not be longer than warnAfter, which is 10s`,
		},
		"a review before the reminder is refused": {
			spec:    yingdav1.ServiceLevelSpec{Reply: yingdav1.ReplySpec{ReviewAfter: "19s"}},
			wantErr: `spec.reply.warnAfter: Invalid value: "20s": must not be longer than reviewAfter, which is 19s`,
		},
		"a first response has a target and a limit": {
			spec: yingdav1.ServiceLevelSpec{FirstResponse: yingdav1.FirstResponseSpec{Target: "5m", Limit: "5m"}},
			want: Clocks{FirstResponse: FirstResponse{5 * time.Minute, 5 * time.Minute}, Reply: defaults.Reply},
		},
		"a limit before the target is refused": {
			spec:    yingdav1.ServiceLevelSpec{FirstResponse: yingdav1.FirstResponseSpec{Target: "5m"}},
			wantErr: `spec.firstResponse.target: Invalid value: "5m": must not be longer than limit, which is 3m`,
		},
		"a clock of no length is refused": {
			spec:    yingdav1.ServiceLevelSpec{Reply: yingdav1.ReplySpec{Target: "0s"}},
			wantErr: "spec.reply.target: Invalid value: \"0s\": must be at least 1s and at most 24h",
		},
		"a common question that may take longer than a general one is refused": {
			spec:    yingdav1.ServiceLevelSpec{Resolution: yingdav1.ResolutionSpec{Common: "20m"}},
			wantErr: `spec.resolution.common: Invalid value: "20m": must not be longer than general, which is 15m`,
		},
		"a class that does not exist is refused": {
			spec:    yingdav1.ServiceLevelSpec{Resolution: yingdav1.ResolutionSpec{Topics: []yingdav1.TopicClass{{Name: "order", Class: "Easy"}}}},
			wantErr: "spec.resolution.topics[0].class",
		},
		"what is no duration is named": {
			spec:    yingdav1.ServiceLevelSpec{Reply: yingdav1.ReplySpec{ReviewAfter: "soon"}},
			wantErr: "spec.reply.reviewAfter",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, wrong := CompileClocks(tc.spec)
			checkError(t, wrong.ToAggregate(), tc.wantErr)
			got.Resolution = Resolution{}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(Resolution{})); tc.wantErr == "" && diff != "" {
				t.Errorf("clocks (-want +got):\n%s", diff)
			}
			checkError(t, Validate(tc.spec).ToAggregate(), tc.wantErr)
		})
	}
}

func TestHowSoonAQuestionIsSolvedDependsOnItsTopic(t *testing.T) {
	t.Parallel()
	clocks, wrong := CompileClocks(yingdav1.ServiceLevelSpec{Resolution: yingdav1.ResolutionSpec{
		Complex: "1h", Topics: []yingdav1.TopicClass{{Name: "order", Class: yingdav1.ResolutionCommon}, {Name: "complaint", Class: yingdav1.ResolutionComplex}},
	}})
	checkError(t, wrong.ToAggregate(), "")
	for topic, want := range map[string]time.Duration{"order": 5 * time.Minute, "complaint": time.Hour, "return": 15 * time.Minute, "": 15 * time.Minute} {
		if got := clocks.Resolution.Within(topic); got != want {
			t.Errorf("what is about %q is solved within %s, want %s", topic, got, want)
		}
	}
}
