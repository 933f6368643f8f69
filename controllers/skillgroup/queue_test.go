package skillgroup

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/queue"
)

func noon() time.Time { return time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) }

func TestWhoWaitsIsWhatAnyRouterSays(t *testing.T) {
	saying := func(waiting int64, since time.Time) ack.Answer {
		return ack.Answer{Report: configz.Report{Queues: map[string]configz.Queue{
			"after-sales": {Waiting: waiting, OldestSince: since}, "pre-sales": {Waiting: 9, OldestSince: since},
		}}}
	}
	nobody := ack.Answer{Report: configz.Report{Queues: map[string]configz.Queue{}}}
	broken := ack.Answer{Err: errors.New("refused")}
	status := func(waiting int32, since time.Time) *v1alpha1.SkillGroupQueueStatus {
		return &v1alpha1.SkillGroupQueueStatus{Waiting: waiting, OldestWaitingSince: &metav1.Time{Time: since}}
	}
	for name, tt := range map[string]struct {
		router []ack.Answer
		want   *v1alpha1.SkillGroupQueueStatus
	}{
		"no router runs":                     {nil, nil},
		"the only replica does not answer":   {[]ack.Answer{broken}, nil},
		"the only replica cannot say":        {[]ack.Answer{{}}, nil},
		"nobody waits":                       {[]ack.Answer{nobody}, &v1alpha1.SkillGroupQueueStatus{}},
		"one of two replicas can say":        {[]ack.Answer{broken, saying(2, noon())}, status(2, noon())},
		"one looked before somebody came":    {[]ack.Answer{saying(1, noon()), saying(2, noon()), nobody}, status(2, noon())},
		"parts of a second are not told":     {[]ack.Answer{saying(1, noon().Add(time.Millisecond))}, status(1, noon())},
		"a replica that waits for its state": {[]ack.Answer{{}, nobody}, &v1alpha1.SkillGroupQueueStatus{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, waiting("after-sales", tt.router)); diff != "" {
				t.Errorf("queue (-want +got):\n%s", diff)
			}
		})
	}
}

func TestQueueHealthy(t *testing.T) {
	rules, err := queue.Compile(v1alpha1.SkillGroupSpec{})
	if err != nil {
		t.Fatal(err)
	}
	const condition = "QueueHealthy"
	for name, tt := range map[string]struct {
		waiting int32
		since   time.Duration
		want    conditions.Condition
	}{
		"nobody waits":       {0, 0, conditions.True(condition, "QueueShort", "Nobody waits")},
		"as many as may":     {5, time.Minute, conditions.True(condition, "QueueShort", "No more than 5 customers wait")},
		"too many":           {6, time.Minute, conditions.False(condition, "QueueLong", "6 customers wait, more than 5")},
		"too long":           {1, 301 * time.Second, conditions.False(condition, "QueueSlow", "Somebody has waited for more than 5 minutes; 1 wait")},
		"too many, too long": {6, time.Hour, conditions.False(condition, "QueueLong", "6 customers wait, more than 5, the first of them for more than 5 minutes")},
	} {
		t.Run(name, func(t *testing.T) {
			seen := &v1alpha1.SkillGroupQueueStatus{Waiting: tt.waiting}
			if tt.waiting > 0 {
				seen.OldestWaitingSince = &metav1.Time{Time: noon().Add(-tt.since)}
			}
			if diff := cmp.Diff(tt.want, healthy(rules, seen, noon())); diff != "" {
				t.Errorf("condition (-want +got):\n%s", diff)
			}
		})
	}
	if got := healthy(rules, nil, noon()); got.Reason != v1alpha1.ReasonNotReported || got.Status != metav1.ConditionUnknown {
		t.Errorf("when nobody can say: %+v", got)
	}
}
