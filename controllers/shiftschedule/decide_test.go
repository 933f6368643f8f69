package shiftschedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func shift(name, start, duration string) v1alpha1.WeeklyShift {
	return v1alpha1.WeeklyShift{
		Days:  []v1alpha1.Weekday{v1alpha1.Monday, v1alpha1.Tuesday, v1alpha1.Wednesday, v1alpha1.Thursday, v1alpha1.Friday},
		Shift: v1alpha1.Shift{Name: name, Start: start, Duration: duration},
	}
}

// looked is what a pass makes of a schedule at a moment.
func looked(t *testing.T, at string, spec v1alpha1.ShiftScheduleSpec) verdict {
	t.Helper()
	now, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	return decide(&scene{schedule: &v1alpha1.ShiftSchedule{Spec: spec}}, now)
}

func gapsOf(decided verdict) []string {
	var gaps []string
	for _, gap := range decided.gaps {
		gaps = append(gaps, fmt.Sprintf("%s %s %s %s", gap.From, gap.Until, gap.Reason, gap.Name))
	}
	return gaps
}

func TestAPassWakesAtTheNextTransitionOrAtMidnight(t *testing.T) {
	t.Parallel()
	spec := v1alpha1.ShiftScheduleSpec{TimeZone: "Asia/Shanghai", Shifts: []v1alpha1.WeeklyShift{shift("day", "09:00", "8h")}}
	for name, tc := range map[string]struct {
		at   string
		spec v1alpha1.ShiftScheduleSpec
		want time.Duration
	}{
		"in a shift: its end":                    {"2026-11-23T16:00:00+08:00", spec, time.Hour},
		"in the evening: midnight":               {"2026-11-23T17:00:00+08:00", spec, 7 * time.Hour},
		"midnight is that of the time zone":      {"2026-11-23T09:00:00Z", spec, 7 * time.Hour},
		"at midnight: the start":                 {"2026-11-24T00:00:00+08:00", spec, 9 * time.Hour},
		"before a weekend: midnight":             {"2026-11-28T00:00:00+08:00", spec, 24 * time.Hour},
		"a schedule without shifts: midnight":    {"2026-11-23T09:00:00Z", v1alpha1.ShiftScheduleSpec{TimeZone: "UTC"}, 15 * time.Hour},
		"a day of 23 hours ends an hour earlier": {"2026-03-29T00:00:00+01:00", v1alpha1.ShiftScheduleSpec{TimeZone: "Europe/Berlin"}, 23 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := looked(t, tc.at, tc.spec).wake; got != tc.want {
				t.Errorf("wakes in %v, want %v", got, tc.want)
			}
		})
	}
}

func TestGapsOfTheFortnight(t *testing.T) {
	t.Parallel()
	closed := func(name, from, to string) v1alpha1.ScheduleOverride {
		return v1alpha1.ScheduleOverride{Name: name, From: from, To: to}
	}
	spec := v1alpha1.ShiftScheduleSpec{
		TimeZone: "Asia/Shanghai",
		Shifts:   []v1alpha1.WeeklyShift{shift("morning", "09:00", "3h"), shift("afternoon", "13:00", "4h")},
		Overrides: []v1alpha1.ScheduleOverride{
			closed("yesterday", "2026-11-22", "2026-11-22"), closed("inventory", "2026-12-04", "2026-12-04"), closed("later", "2026-12-07", "2026-12-07"),
		},
	}
	want := []string{
		"2026-11-23T12:00+08:00 2026-11-23T13:00+08:00 BetweenShifts morning", // and not again
		"2026-12-04T09:00+08:00 2026-12-04T12:00+08:00 Override inventory",
		"2026-12-04T13:00+08:00 2026-12-04T17:00+08:00 Override inventory",
	}
	for _, at := range []string{"2026-11-23T00:00:00+08:00", "2026-11-23T12:30:00+08:00", "2026-11-23T15:59:59Z"} {
		if diff := cmp.Diff(want, gapsOf(looked(t, at, spec))); diff != "" {
			t.Errorf("at %s, an hour of one date (-want +got):\n%s", at, diff)
		}
	}
	t.Run("the next date sees one date further", func(t *testing.T) {
		t.Parallel()
		want := append([]string{"2026-11-24T12:00+08:00 2026-11-24T13:00+08:00 BetweenShifts morning"}, append(want[1:],
			"2026-12-07T09:00+08:00 2026-12-07T12:00+08:00 Override later", "2026-12-07T13:00+08:00 2026-12-07T17:00+08:00 Override later")...)
		if diff := cmp.Diff(want, gapsOf(looked(t, "2026-11-24T00:00:00+08:00", spec))); diff != "" {
			t.Errorf("gaps (-want +got):\n%s", diff)
		}
	})
	t.Run("at most 16", func(t *testing.T) {
		t.Parallel()
		many := spec
		many.Overrides = []v1alpha1.ScheduleOverride{closed("closed", "2026-01-01", "2026-12-31")}
		got := looked(t, "2026-11-23T12:30:00+08:00", many).gaps
		if len(got) != maxGaps || got[0].From != "2026-11-23T09:00+08:00" {
			t.Errorf("%d gaps, the first %+v", len(got), got[0])
		}
	})
}
