package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// around are days of a kind from two days ago to in two days, wherever it is today.
func around(now time.Time, kind v1alpha1.CalendarDayKind) []v1alpha1.CalendarDay {
	var days []v1alpha1.CalendarDay
	for offset := -2; offset <= 2; offset++ {
		days = append(days, day(now.AddDate(0, 0, offset).Format(time.DateOnly), kind))
	}
	return days
}

// open waits until a schedule says that it is open, or that it is not.
func (w *world) open(schedule string, want metav1.ConditionStatus) {
	w.t.Helper()
	w.eventually(func() error {
		found := &v1alpha1.ShiftSchedule{}
		if err := w.get(schedule, found); err != nil {
			return err
		}
		if found.Status.Open != want {
			return fmt.Errorf("open is %q, want %q", found.Status.Open, want)
		}
		return nil
	})
}

func TestAScheduleWorksByItsCalendars(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	name := w.namespace
	online, holidays := &v1alpha1.ShiftSchedule{}, &v1alpha1.HolidayCalendar{}
	w.create(naming(alwaysOpen("online"), name))
	missing := w.waitFor(online, "online", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	if want := "HolidayCalendar " + name + " does not exist"; missing.Message != want {
		t.Errorf("message is %q, want %q", missing.Message, want)
	}
	w.waitFor(online, "online", v1alpha1.ConditionReady, v1alpha1.ReasonNotFound)
	w.waitFor(online, "online", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences)
	w.open("online", metav1.ConditionTrue)

	// It appears: the schedule heals, and is closed for the holiday.
	w.createCalendar(calendar(name, around(w.clock.now(), v1alpha1.CalendarDayOff)...))
	w.waitFor(online, "online", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(holidays, name, v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAcknowledged)
	w.waitFor(holidays, name, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.open("online", metav1.ConditionFalse)
	// The calendar's five days are one gap, which the midnight of today cuts.
	if err := w.get("online", online); err != nil {
		t.Fatal(err)
	}
	if gaps := online.Status.Gaps; len(gaps) != 1 || gaps[0].Reason != v1alpha1.GapDayOff || !strings.HasSuffix(gaps[0].Until, "T00:00+08:00") {
		t.Errorf("gaps are %+v", gaps)
	}
	if holidays.Status.Days != 5 || holidays.Status.FirstDate != holidays.Spec.Days[0].Date || holidays.Status.LastDate != holidays.Spec.Days[4].Date {
		t.Errorf("status is %+v", holidays.Status)
	}

	// It is edited: neither is in force before every replica has it.
	w.data.hold("HolidayCalendar", name, 1)
	change(w, name, holidays, func(c *v1alpha1.HolidayCalendar) { c.Spec.Days = around(w.clock.now(), v1alpha1.CalendarDayPeak) })
	w.waitFor(online, "online", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReload)
	late := w.waitFor(holidays, name, v1alpha1.ConditionReady, v1alpha1.ReasonAwaitingReload)
	if want := "Acknowledged: ShiftSchedule " + w.namespace + "/online does not work by this generation yet"; late.Message != want {
		t.Errorf("message is %q, want %q", late.Message, want)
	}
	w.open("online", metav1.ConditionTrue)
	w.data.release("HolidayCalendar", name)
	w.waitFor(online, "online", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(holidays, name, v1alpha1.ConditionReady, v1alpha1.ReasonReady)

	// It is gone: the schedule says so.
	w.remove(holidays, name)
	w.waitFor(online, "online", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
}

func TestACalendarThatNoScheduleWorksByIsReady(t *testing.T) {
	w := newWorld(t)
	holidays := &v1alpha1.HolidayCalendar{}
	w.createCalendar(calendar(w.namespace))
	w.waitFor(holidays, w.namespace, v1alpha1.ConditionAcknowledged, v1alpha1.ReasonNotInUse)
	w.waitFor(holidays, w.namespace, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(holidays, w.namespace, v1alpha1.ConditionCalendarStale, v1alpha1.ReasonYearMissing)
	// A schedule that nobody serves changes nothing.
	w.create(naming(alwaysOpen("online"), w.namespace))
	w.waitFor(&v1alpha1.ShiftSchedule{}, "online", v1alpha1.ConditionReady, v1alpha1.ReasonAwaitingReferences)
	w.waitFor(holidays, w.namespace, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	year := w.clock.now().UTC().Year()
	change(w, w.namespace, holidays, func(c *v1alpha1.HolidayCalendar) {
		for i := range 2 {
			c.Spec.Days = append(c.Spec.Days, day(fmt.Sprintf("%d-10-01", year+i), v1alpha1.CalendarDayOff))
		}
	})
	w.waitFor(holidays, w.namespace, v1alpha1.ConditionCalendarStale, v1alpha1.ReasonUpToDate)
}

func TestACalendarWithADateThatDoesNotExist(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	online, holidays := &v1alpha1.ShiftSchedule{}, &v1alpha1.HolidayCalendar{}
	w.createCalendar(calendar(w.namespace, day("2026-02-30", v1alpha1.CalendarDayOff)))
	w.create(naming(alwaysOpen("online"), w.namespace))
	invalid := w.waitFor(holidays, w.namespace, v1alpha1.ConditionValid, v1alpha1.ReasonInvalid)
	if want := `spec.days[0].date: Invalid value: "2026-02-30": day 2026-02-30: write a date that exists as YYYY-MM-DD`; invalid.Message != want {
		t.Errorf("message is %q, want %q", invalid.Message, want)
	}
	w.waitFor(holidays, w.namespace, v1alpha1.ConditionReady, v1alpha1.ReasonInvalid)
	refused := w.waitFor(online, "online", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonInvalid)
	if want := "HolidayCalendar " + w.namespace + " is invalid; its condition Valid says why"; refused.Message != want {
		t.Errorf("message is %q, want %q", refused.Message, want)
	}
	change(w, w.namespace, holidays, func(c *v1alpha1.HolidayCalendar) { c.Spec.Days[0].Date = "2026-02-28" })
	w.waitFor(holidays, w.namespace, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(online, "online", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}
