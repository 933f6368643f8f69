package shiftschedule

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/refs"
)

// verdict is what a pass makes of the scene.
type verdict struct {
	// findings in the order of the status, Ready first.
	findings []conditions.Condition
	// state is nil when the schedule is not valid.
	state *schedule.State
	// next is the next transition in the schedule's time zone; zero when there is none ahead.
	next time.Time
	// gaps of the dates ahead.
	gaps []v1alpha1.ScheduleGap
	// wake is how long it is until either may differ.
	wake time.Duration
	// pending says that asking the replicas again may change a finding.
	pending bool
}

func decide(seen *scene, now time.Time) verdict {
	var decided verdict
	calendars, problems := compileCalendars(seen)
	acknowledged := judge(seen, problems)
	valid := conditions.True(v1alpha1.ConditionValid, v1alpha1.ReasonValid, "All shifts and overrides can be used")
	if compiled, err := schedule.Compile(seen.schedule.Spec, calendars...); err != nil {
		valid = conditions.False(v1alpha1.ConditionValid, v1alpha1.ReasonInvalid, oneLine(err.Error()))
		acknowledged, _ = ack.NotServed("ShiftSchedule", seen.schedule.Name, seen.brands)
	} else {
		decided.read(compiled, now)
	}
	decided.pending = ack.Pending(acknowledged)
	findings := []conditions.Condition{refs.Finding(problems), valid, acknowledged}
	decided.findings = append([]conditions.Condition{conditions.Summary(findings...)}, findings...)
	return decided
}

// compileCalendars returns the calendars that can be used, and what is wrong with the others.
func compileCalendars(seen *scene) (usable []*schedule.Calendar, problems []refs.Problem) {
	for _, name := range schedule.CalendarNames(seen.schedule.Spec) {
		i := slices.IndexFunc(seen.calendars, func(c *v1alpha1.HolidayCalendar) bool { return c.Name == name })
		if i < 0 {
			problems = append(problems, refs.NotFoundInCluster("HolidayCalendar", name))
			continue
		}
		calendar, err := schedule.CompileCalendar(seen.calendars[i].Spec)
		if err != nil {
			problems = append(problems, refs.Problem{
				Reason: v1alpha1.ReasonInvalid, Message: "HolidayCalendar " + name + " is invalid; its condition Valid says why",
			})
			continue
		}
		usable = append(usable, calendar)
	}
	return usable, problems
}

// judge says whether the schedule is served, and by its calendars as they are now.
func judge(seen *scene, problems []refs.Problem) conditions.Condition {
	acknowledged := ack.JudgeBrands("ShiftSchedule", seen.schedule.Name, seen.schedule.Generation, seen.brands)
	if len(problems) > 0 && (acknowledged.Status == metav1.ConditionTrue || ack.Pending(acknowledged)) {
		// Replicas report the generation once all calendars can be used; the change of these wakes the controller.
		return conditions.False(v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences,
			"Without all of its calendars the schedule is served by what there is of them, not as declared")
	}
	for _, calendar := range seen.calendars {
		if acknowledged.Status != metav1.ConditionTrue {
			break
		}
		acknowledged = ack.JudgeBrands("HolidayCalendar", calendar.Name, calendar.Generation, seen.brands)
	}
	return acknowledged
}

// read takes what is on now, when it changes, and the gaps ahead. It asks to be woken at the next transition, or at midnight, when
// the dates ahead are others.
func (v *verdict) read(compiled *schedule.Schedule, now time.Time) {
	state := compiled.At(now)
	v.state = &state
	v.gaps = gapsAhead(compiled, now)
	v.wake = compiled.Day(now).Until.Sub(now)
	if next, ok := compiled.NextTransition(now); ok {
		v.next = next.In(compiled.Location())
		v.wake = min(v.wake, next.Sub(now))
	}
}

func oneLine(text string) string { return strings.ReplaceAll(text, "\n", "; ") }
