package shiftschedule

import (
	"strings"
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// verdict is what a pass makes of the scene.
type verdict struct {
	// findings in the order of the status, Ready first.
	findings []conditions.Condition
	// state is nil when the schedule is not valid.
	state *schedule.State
	// next is the next transition in the schedule's time zone; zero when there is none ahead.
	next time.Time
	// wake is how long it is until then.
	wake time.Duration
	// pending says that asking the replicas again may change a finding.
	pending bool
}

func decide(seen *scene, now time.Time) verdict {
	acknowledged := ack.JudgeBrands("ShiftSchedule", seen.schedule.Name, seen.schedule.Generation, seen.brands)
	var decided verdict
	valid := conditions.True(v1alpha1.ConditionValid, v1alpha1.ReasonValid, "All shifts and overrides can be used")
	if compiled, err := schedule.Compile(seen.schedule.Spec); err != nil {
		valid = conditions.False(v1alpha1.ConditionValid, v1alpha1.ReasonInvalid, oneLine(err.Error()))
		acknowledged, _ = ack.NotServed("ShiftSchedule", seen.schedule.Name, seen.brands)
	} else {
		decided.read(compiled, now)
	}
	decided.pending = ack.Pending(acknowledged)
	findings := []conditions.Condition{valid, acknowledged}
	decided.findings = append([]conditions.Condition{conditions.Summary(findings...)}, findings...)
	return decided
}

// read takes what is on now and when it changes. Without a transition ahead it asks to be woken when the schedule can see
// further.
func (v *verdict) read(compiled *schedule.Schedule, now time.Time) {
	state := compiled.At(now)
	v.state = &state
	v.wake = schedule.LookAhead / 2
	if next, ok := compiled.NextTransition(now); ok {
		v.next = next.In(compiled.Location())
		v.wake = next.Sub(now)
	}
}

func oneLine(text string) string { return strings.ReplaceAll(text, "\n", "; ") }
