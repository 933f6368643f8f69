package shiftschedule

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

func status(seen *scene, decided verdict, now time.Time) v1alpha1.ShiftScheduleStatus {
	declared := seen.schedule
	out := v1alpha1.ShiftScheduleStatus{
		Conditions:         conditions.Merge(declared.Status.Conditions, declared.Generation, now, decided.findings...),
		ObservedGeneration: declared.Generation,
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
		out.NextTransition = decided.next.Format(schedule.ToTheMinute)
	}
	return out
}
