package holidaycalendar

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func china(days ...string) *v1alpha1.HolidayCalendar {
	c := &v1alpha1.HolidayCalendar{ObjectMeta: metav1.ObjectMeta{Name: "china", Generation: 2}}
	for _, date := range days {
		c.Spec.Days = append(c.Spec.Days, v1alpha1.CalendarDay{Date: date, Kind: v1alpha1.CalendarDayOff})
	}
	return c
}

// user is a schedule of generation 3 whose conditions speak of the generations given.
func user(name string, own, calendars int64, status metav1.ConditionStatus, reason string) v1alpha1.ShiftSchedule {
	return v1alpha1.ShiftSchedule{
		ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: name, Generation: 3},
		Status: v1alpha1.ShiftScheduleStatus{
			ObservedGeneration: own,
			Calendars:          []v1alpha1.ObservedCalendar{{Name: "others", ObservedGeneration: 9}, {Name: "china", ObservedGeneration: calendars}},
			Conditions:         []metav1.Condition{{Type: v1alpha1.ConditionAcknowledged, Status: status, Reason: reason}},
		},
	}
}

func TestAcknowledgedIsTheWordOfTheSchedules(t *testing.T) {
	served := user("served", 3, 2, metav1.ConditionTrue, v1alpha1.ReasonAcknowledged)
	for name, tt := range map[string]struct {
		schedules []v1alpha1.ShiftSchedule
		reason    string
	}{
		"nobody refers to it":                 {nil, v1alpha1.ReasonNotInUse},
		"who refers to it is served":          {[]v1alpha1.ShiftSchedule{served}, v1alpha1.ReasonAcknowledged},
		"one is about to be":                  {[]v1alpha1.ShiftSchedule{served, user("late", 3, 2, metav1.ConditionFalse, v1alpha1.ReasonAwaitingReload)}, v1alpha1.ReasonAwaitingReload},
		"one speaks of the generation before": {[]v1alpha1.ShiftSchedule{served, user("old", 3, 1, metav1.ConditionTrue, v1alpha1.ReasonAcknowledged)}, v1alpha1.ReasonAwaitingReload},
		"one has been edited since":           {[]v1alpha1.ShiftSchedule{served, user("edited", 2, 2, metav1.ConditionTrue, v1alpha1.ReasonAcknowledged)}, v1alpha1.ReasonAwaitingReload},
		"one has not been looked at":          {[]v1alpha1.ShiftSchedule{served, {}}, v1alpha1.ReasonAwaitingReload},
		"one has no Brand":                    {[]v1alpha1.ShiftSchedule{served, user("lonely", 3, 2, metav1.ConditionFalse, v1alpha1.ReasonAwaitingReferences)}, v1alpha1.ReasonAcknowledged},
		"of one nothing runs":                 {[]v1alpha1.ShiftSchedule{user("idle", 3, 2, metav1.ConditionFalse, v1alpha1.ReasonAwaitingReplicas)}, v1alpha1.ReasonNotInUse},
		"one is invalid":                      {[]v1alpha1.ShiftSchedule{user("broken", 3, 2, metav1.ConditionFalse, v1alpha1.ReasonInvalid)}, v1alpha1.ReasonNotInUse},
	} {
		t.Run(name, func(t *testing.T) {
			if got := judge(&scene{calendar: china(), schedules: tt.schedules}); got.Reason != tt.reason {
				t.Errorf("reason %s (%s), want %s", got.Reason, got.Message, tt.reason)
			}
		})
	}
}

func TestNextYearIsMissedFromTheFirstOfDecemberAndNotBefore(t *testing.T) {
	before := time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)
	decided := decide(&scene{calendar: china("2026-10-01")}, before)
	if got := decided.findings[3]; got.Type != v1alpha1.ConditionCalendarStale || got.Reason != v1alpha1.ReasonUpToDate {
		t.Errorf("in November: %+v", got)
	}
	if decided.wake != time.Hour {
		t.Errorf("looks again in %s, want an hour", decided.wake)
	}
	decided = decide(&scene{calendar: china("2026-10-01")}, before.Add(decided.wake))
	want := conditions.True(v1alpha1.ConditionCalendarStale, v1alpha1.ReasonYearMissing, "No day of 2027 is listed; add those of that year")
	if diff := cmp.Diff(want, decided.findings[3]); diff != "" {
		t.Errorf("in December (-want +got):\n%s", diff)
	}
	if ready := decided.findings[0]; ready.Type != v1alpha1.ConditionReady || ready.Status != metav1.ConditionTrue {
		t.Errorf("a stale calendar is not ready: %+v", ready)
	}
}
