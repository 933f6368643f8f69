package router

import (
	"math"
	"testing"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// in is the almanac of a group that follows a schedule of the zone and the calendar.
func in(t *testing.T, zone string, days ...yingdav1.CalendarDay) almanac {
	t.Helper()
	calendar, err := schedule.CompileCalendar(yingdav1.HolidayCalendarSpec{Days: days})
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := schedule.Compile(yingdav1.ShiftScheduleSpec{TimeZone: zone, Shifts: []yingdav1.WeeklyShift{{
		Days: []yingdav1.Weekday{yingdav1.Monday}, Shift: yingdav1.Shift{Name: "day", Start: "09:00", Duration: "12h"},
	}}}, calendar)
	if err != nil {
		t.Fatal(err)
	}
	return almanac{&catalog.Group{Schedule: compiled}}
}

// daily are contacts at the time of a clock on each of the days before.
func daily(clock time.Time, days int, arrivals func(time.Time) int32) (rows []db.WorkloadHistoryRow) {
	for n := days; n > 0; n-- {
		at := clock.AddDate(0, 0, -n)
		if came := arrivals(at); came > 0 {
			rows = append(rows, db.WorkloadHistoryRow{Quarter: at.UTC(), Arrivals: came})
		}
	}
	return rows
}

func TestTheDayAheadIsLikeTheDaysBehind(t *testing.T) {
	shanghai := in(t, "Asia/Shanghai")
	// Monday at noon. Twelve came at 13:15 each day, but on Tuesdays two, and on Sundays nobody.
	clock := time.Date(2026, 11, 23, 13, 15, 0, 0, shanghai.zone())
	weekly := func(at time.Time) int32 {
		switch at.Weekday() {
		case time.Sunday:
			return 0
		case time.Tuesday:
			return 2
		default:
			return 12
		}
	}
	now := noon().Add(20 * time.Minute)
	got := dayAhead(daily(clock, 43, weekly), shanghai, now)
	if got == nil || !got.From.Equal(noon()) || len(got.Arrivals) != 24 {
		t.Fatalf("forecast is %+v", got)
	}
	for hour, arrivals := range got.Arrivals {
		if want := map[int]float64{1: 12}[hour]; math.Abs(arrivals-want) > 1e-6 {
			t.Errorf("%d hours ahead are %v contacts, want %v", hour, arrivals, want)
		}
	}
	if got.MeanAbsoluteError == nil || *got.MeanAbsoluteError > 1e-6 {
		t.Errorf("the error of weeks that are all alike is %v", got.MeanAbsoluteError)
	}
	// At three in the afternoon, 13:00 is tomorrow's.
	if got := dayAhead(daily(clock, 43, weekly), shanghai, now.Add(3*time.Hour)); math.Abs(got.Arrivals[22]-2) > 1e-6 {
		t.Errorf("Tuesday's are %v, want 2", got.Arrivals[22])
	}
}

func TestTooLittleHistoryIsNoForecast(t *testing.T) {
	utc := almanac{&catalog.Group{}}
	ten := func(time.Time) int32 { return 10 }
	for days, want := range map[int]bool{0: false, 1: false, 7: false, 8: true} {
		got := dayAhead(daily(noon().Add(time.Hour), days, ten), utc, noon())
		if (got != nil) != want {
			t.Errorf("of %d days, the first of them not whole, there is %+v", days, got)
		}
		if got != nil && (got.Arrivals[1] != 10 || got.MeanAbsoluteError != nil) {
			t.Errorf("of %d days there is %+v", days, got)
		}
	}
}

func TestTheHoursAreThoseOfTheGroupsOwnClock(t *testing.T) {
	// In Kolkata the clocks show half an hour more.
	kolkata := in(t, "Asia/Kolkata")
	clock := time.Date(2026, 11, 23, 18, 30, 0, 0, kolkata.zone())
	got := dayAhead(daily(clock, 10, func(time.Time) int32 { return 3 }), kolkata, noon())
	if want := time.Date(2026, 11, 23, 9, 0, 0, 0, kolkata.zone()); !got.From.Equal(want) {
		t.Errorf("it begins at %s, want %s", got.From, want)
	}
	if got.Arrivals[9] != 3 {
		t.Errorf("arrivals are %v, want 3 from 18:00", got.Arrivals)
	}
}

func TestADayIsWhatTheCalendarSays(t *testing.T) {
	calendar := in(t, "Asia/Shanghai",
		yingdav1.CalendarDay{Date: "2026-11-23", Kind: yingdav1.CalendarDayOff},
		yingdav1.CalendarDay{Date: "2026-11-24", Kind: yingdav1.CalendarDayWorkday, Follows: yingdav1.Friday},
		yingdav1.CalendarDay{Date: "2026-11-25", Kind: yingdav1.CalendarDayPeak})
	date := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for n, want := range []staffing.Day{
		{Date: date, Kind: staffing.DayOff},
		{Date: date.AddDate(0, 0, 1), Kind: staffing.Workday, Follows: time.Friday},
		{Date: date.AddDate(0, 0, 2), Kind: staffing.Peak},
		{Date: date.AddDate(0, 0, 3)},
	} {
		if got := calendar.day(noon().AddDate(0, 0, n)); got != want {
			t.Errorf("day %d is %+v, want %+v", n, got, want)
		}
	}
}
