package shiftschedule

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

// toTheMinute is RFC 3339 without seconds, which shifts do not have.
const toTheMinute = "2006-01-02T15:04Z07:00"

func status(seen *scene, decided verdict, now time.Time) v1alpha1.ShiftScheduleStatus {
	schedule := seen.schedule
	out := v1alpha1.ShiftScheduleStatus{
		Conditions:         conditions.Merge(schedule.Status.Conditions, schedule.Generation, now, decided.findings...),
		ObservedGeneration: schedule.Generation,
	}
	for _, calendar := range seen.calendars {
		out.Calendars = append(out.Calendars, v1alpha1.ObservedCalendar{Name: calendar.Name, ObservedGeneration: calendar.Generation})
	}
	if decided.state == nil {
		return out
	}
	out.Open = metav1.ConditionFalse
	if decided.state.Open {
		out.Open = metav1.ConditionTrue
	}
	out.CurrentShift = decided.state.Shift
	out.CurrentPeak = decided.state.Peak
	out.Seats = &decided.state.Seats
	out.Gaps = decided.gaps
	if !decided.next.IsZero() {
		out.NextTransition = decided.next.Format(toTheMinute)
	}
	return out
}
