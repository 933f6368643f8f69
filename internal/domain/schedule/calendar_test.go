package schedule

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func off(date string) yingdav1.CalendarDay {
	return yingdav1.CalendarDay{Date: date, Kind: yingdav1.CalendarDayOff}
}

func workday(date string, follows yingdav1.Weekday) yingdav1.CalendarDay {
	return yingdav1.CalendarDay{Date: date, Kind: yingdav1.CalendarDayWorkday, Follows: follows}
}

func sale(date string) yingdav1.CalendarDay {
	return yingdav1.CalendarDay{Date: date, Kind: yingdav1.CalendarDayPeak}
}

func calendarOf(days ...yingdav1.CalendarDay) yingdav1.HolidayCalendarSpec {
	return yingdav1.HolidayCalendarSpec{Days: days}
}

func mustCompileCalendars(tb testing.TB, specs ...yingdav1.HolidayCalendarSpec) []*Calendar {
	tb.Helper()
	var calendars []*Calendar
	for _, spec := range specs {
		calendar, err := CompileCalendar(spec)
		if err != nil {
			tb.Fatalf("compiling a calendar: %v", err)
		}
		calendars = append(calendars, calendar)
	}
	return calendars
}

// china is the calendar that users apply.
func china(tb testing.TB) yingdav1.HolidayCalendarSpec {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "config", "calendars", "china.yaml"))
	if err != nil {
		tb.Fatal(err)
	}
	var calendar yingdav1.HolidayCalendar
	if err := yaml.UnmarshalStrict(text, &calendar); err != nil {
		tb.Fatal(err)
	}
	return calendar.Spec
}

func onHoliday(spec yingdav1.ShiftScheduleSpec, policy yingdav1.HolidayPolicy) yingdav1.ShiftScheduleSpec {
	spec.OnHoliday = policy
	return spec
}

// mondays tells Mondays, Wednesdays and Sundays apart.
func mondays() yingdav1.ShiftScheduleSpec {
	day := func(d yingdav1.Weekday, hour string) yingdav1.WeeklyShift {
		return on([]yingdav1.Weekday{d}, shiftOf(string(d), hour, "1h", 1))
	}
	return weekly("Asia/Shanghai", day(yingdav1.Monday, "09:00"), day(yingdav1.Wednesday, "11:00"), day(yingdav1.Sunday, "13:00"))
}

func TestChinaIn2026(t *testing.T) {
	t.Parallel()
	const weekday, weekend, none = "09:00-21:00", "10:00-18:00", "休息"
	for name, tc := range map[string]struct {
		date   string
		policy yingdav1.HolidayPolicy
		want   string
	}{
		"New Year's Day, a Thursday":                   {"2026-01-01", "", none},
		"the day after New Year, a Friday, is off too": {"2026-01-02", "", none},
		"the Sunday that makes up for it":              {"2026-01-04", "", weekday},
		"the Saturday before Spring Festival":          {"2026-02-14", "", weekday},
		"the first day of Spring Festival's nine":      {"2026-02-15", "", none},
		"the last of them, a Monday":                   {"2026-02-23", "", none},
		"the Tuesday after":                            {"2026-02-24", "", weekday},
		"the Saturday after":                           {"2026-02-28", "", weekday},
		"Tomb-Sweeping Day's Monday":                   {"2026-04-06", "", none},
		"the last day of Labour Day, a Tuesday":        {"2026-05-05", "", none},
		"the Saturday that makes up for it":            {"2026-05-09", "", weekday},
		"Dragon Boat Festival, a Friday":               {"2026-06-19", "", none},
		"the Sunday before National Day":               {"2026-09-20", "", weekday},
		"Mid-Autumn Festival, a Friday":                {"2026-09-25", "", none},
		"National Day":                                 {"2026-10-01", "", none},
		"National Day like a Sunday":                   {"2026-10-01", yingdav1.HolidayLikeSunday, weekend},
		"National Day as usual, a Thursday":            {"2026-10-01", yingdav1.HolidayAsUsual, weekday},
		"National Day's Sunday as usual":               {"2026-10-04", yingdav1.HolidayAsUsual, weekend},
		"the Saturday that makes up, like a Sunday":    {"2026-10-10", yingdav1.HolidayLikeSunday, weekday},
		"the Saturday that makes up, as usual":         {"2026-10-10", yingdav1.HolidayAsUsual, weekday},
		"a Saturday of no concern":                     {"2026-10-17", "", weekend},
		"11.11 is an override's":                       {"2026-11-11", "", "00:00-24:00"},
		"2027, which is not announced yet":             {"2027-01-01", "", weekday},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Compile(onHoliday(lumi(), tc.policy), mustCompileCalendars(t, china(t))...)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Hours(parse(t, s.Location(), tc.date+" 08:00")); got != tc.want {
				t.Errorf("Hours(%s) = %q, want %q", tc.date, got, tc.want)
			}
		})
	}
}

func TestHolidays(t *testing.T) {
	t.Parallel()
	type calendars []yingdav1.HolidayCalendarSpec
	const monday, wednesday, sunday, none = "09:00-10:00", "11:00-12:00", "13:00-14:00", "休息"
	for name, tc := range map[string]struct {
		spec      yingdav1.ShiftScheduleSpec
		calendars calendars
		date      string
		want      string
	}{
		"no calendar lists the day":                         {mondays(), calendars{calendarOf(off("2026-11-24"))}, "2026-11-23", monday},
		"a day off is closed":                               {mondays(), calendars{calendarOf(off("2026-11-23"))}, "2026-11-23", none},
		"a day off like a Sunday":                           {onHoliday(mondays(), yingdav1.HolidayLikeSunday), calendars{calendarOf(off("2026-11-23"))}, "2026-11-23", sunday},
		"a day off as usual":                                {onHoliday(mondays(), yingdav1.HolidayAsUsual), calendars{calendarOf(off("2026-11-23"))}, "2026-11-23", monday},
		"a make-up workday follows a Monday":                {mondays(), calendars{calendarOf(workday("2026-11-22", ""))}, "2026-11-22", monday},
		"or the weekday that it names":                      {mondays(), calendars{calendarOf(workday("2026-11-22", yingdav1.Wednesday))}, "2026-11-22", wednesday},
		"a make-up workday is worked when holidays are not": {onHoliday(mondays(), yingdav1.HolidayClosed), calendars{calendarOf(workday("2026-11-21", ""))}, "2026-11-21", monday},
		"a sales peak is worked like its weekday":           {mondays(), calendars{calendarOf(sale("2026-11-23"))}, "2026-11-23", monday},
		"of two calendars the later wins: a peak":           {mondays(), calendars{calendarOf(off("2026-11-23")), calendarOf(sale("2026-11-23"))}, "2026-11-23", monday},
		"of two calendars the later wins: a day off":        {mondays(), calendars{calendarOf(sale("2026-11-23")), calendarOf(off("2026-11-23"))}, "2026-11-23", none},
		"the earlier counts where the later says nothing":   {mondays(), calendars{calendarOf(off("2026-11-23")), calendarOf(off("2026-11-24"))}, "2026-11-23", none},
		"an override wins over a day off":                   {overridden(mondays(), overrideOf("open", "2026-11-23", "2026-11-23", shiftOf("a", "08:00", "1h", 1))), calendars{calendarOf(off("2026-11-23"))}, "2026-11-23", "08:00-09:00"},
		"an override that closes wins over a make-up day":   {overridden(mondays(), overrideOf("closed", "2026-11-22", "2026-11-22")), calendars{calendarOf(workday("2026-11-22", ""))}, "2026-11-22", none},
		"the night before a day off runs to its end":        {night("Asia/Shanghai"), calendars{calendarOf(off("2026-11-23"))}, "2026-11-23", "00:00-06:00"},
		"the date is that of the schedule's time zone":      {weekly("America/New_York", on(everyDay(), shiftOf("a", "20:00", "1h", 1))), calendars{calendarOf(off("2026-11-23"))}, "2026-11-24", "20:00-21:00"},
		"a holiday in a night in which clocks change":       {weekly("Europe/Berlin", on(everyDay(), shiftOf("a", "02:30", "1h", 1))), calendars{calendarOf(off("2026-03-29"))}, "2026-03-29", none},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Compile(tc.spec, mustCompileCalendars(t, tc.calendars...)...)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Hours(parse(t, s.Location(), tc.date+" 07:00")); got != tc.want {
				t.Errorf("Hours(%s) = %q, want %q", tc.date, got, tc.want)
			}
		})
	}
}

func TestNextTransitionSkipsHolidaysAndStopsAtMakeUpDays(t *testing.T) {
	t.Parallel()
	s := mustCompile(t, lumi()).With(mustCompileCalendars(t, china(t))...)
	for at, want := range map[string]string{
		"2026-09-30 21:00": "2026-10-08 09:00", // over National Day
		"2026-10-09 21:00": "2026-10-10 09:00", // the Saturday is worked
		"2026-10-10 12:00": "2026-10-10 14:00", // with the peaks of a Monday
	} {
		if got, ok := s.NextTransition(parse(t, s.Location(), at)); !ok || !got.Equal(parse(t, s.Location(), want)) {
			t.Errorf("NextTransition(%s) = %v, %t; want %s", at, got, ok, want)
		}
	}
}

func TestOtherCalendarsLeaveTheScheduleAsItWas(t *testing.T) {
	t.Parallel()
	plain := mustCompile(t, mondays())
	closed := plain.With(mustCompileCalendars(t, calendarOf(off("2026-11-23")))...)
	at := parse(t, plain.Location(), "2026-11-23 09:30")
	if !plain.At(at).Open || closed.At(at).Open || !closed.With().At(at).Open {
		t.Errorf("open without, with, and without the calendar again: %t, %t, %t", plain.At(at).Open, closed.At(at).Open, closed.With().At(at).Open)
	}
}

func TestCompileCalendar(t *testing.T) {
	t.Parallel()
	many := func(n int) (days []yingdav1.CalendarDay) {
		for i := range n {
			days = append(days, off(time.Date(2020, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)))
		}
		return days
	}
	for name, tc := range map[string]struct {
		days []yingdav1.CalendarDay
		want string
	}{
		"no day is valid":         {},
		"China's is valid":        {days: china(t).Days},
		"as many as there may be": {days: many(2000)},
		"too many":                {days: many(2001), want: "spec.days: Too many: 2001: must have at most 2000 items"},
		"a date that does not exist": {
			days: []yingdav1.CalendarDay{off("2026-02-29")},
			want: `spec.days[0].date: Invalid value: "2026-02-29": day 2026-02-29: write a date that exists as YYYY-MM-DD`,
		},
		"a date twice": {
			days: []yingdav1.CalendarDay{off("2026-10-01"), sale("2026-10-01")},
			want: `spec.days[1].date: Duplicate value: "2026-10-01"`,
		},
		"a kind that is none": {
			days: []yingdav1.CalendarDay{{Date: "2026-10-01", Kind: "Off"}},
			want: `spec.days[0].kind: Unsupported value: "Off": supported values: "DayOff", "Workday", "Peak"`,
		},
		"a weekday that is none": {
			days: []yingdav1.CalendarDay{workday("2026-10-10", "Monday")},
			want: `spec.days[0].follows: Unsupported value: "Monday": supported values: "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"`,
		},
		"a day off that follows": {
			days: []yingdav1.CalendarDay{{Date: "2026-10-01", Kind: yingdav1.CalendarDayOff, Follows: yingdav1.Monday}},
			want: `spec.days[0].follows: Invalid value: "Mon": day 2026-10-01: set follows only where kind is Workday`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if _, err := CompileCalendar(calendarOf(tc.days...)); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("CompileCalendar (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCalendarSaysWhatItSpans(t *testing.T) {
	t.Parallel()
	calendar := mustCompileCalendars(t, calendarOf(off("2026-10-01"), off("2025-12-31"), sale("2027-06-18")))[0]
	if first, last := calendar.Span(); first != "2025-12-31" || last != "2027-06-18" || calendar.Len() != 3 {
		t.Errorf("%d days from %s to %s", calendar.Len(), first, last)
	}
}

func TestStaleYear(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		years []int
		at    string
		want  int
	}{
		"next year is not due before December":     {[]int{2026}, "2026-11-30T23:59:59Z", 0},
		"on 1 December it is":                      {[]int{2026}, "2026-12-01T00:00:00Z", 2027},
		"1 December is that of UTC":                {[]int{2026}, "2026-12-01T00:00:00+08:00", 0},
		"next year is there":                       {[]int{2026, 2027}, "2026-12-31T12:00:00Z", 0},
		"in the new year it is still missing":      {[]int{2026}, "2027-01-01T00:00:00Z", 2027},
		"the current year is missed first":         {[]int{2025, 2027}, "2026-12-15T00:00:00Z", 2026},
		"an empty calendar lacks the year":         {nil, "2026-03-01T00:00:00Z", 2026},
		"a calendar of later years lacks this one": {[]int{2027}, "2026-03-01T00:00:00Z", 2026},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var days []yingdav1.CalendarDay
			for _, year := range tc.years {
				days = append(days, off(strconv.Itoa(year)+"-10-01"))
			}
			at, err := time.Parse(time.RFC3339, tc.at)
			if err != nil {
				t.Fatal(err)
			}
			year, stale := mustCompileCalendars(t, calendarOf(days...))[0].StaleYear(at)
			if stale != (tc.want != 0) || stale && year != tc.want {
				t.Errorf("StaleYear(%s) = %d, %t; want %d", tc.at, year, stale, tc.want)
			}
		})
	}
}

func TestNextStaleCheckIsTheNextFirstOfDecember(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"2026-11-30T23:59:59Z":      "2026-12-01T00:00:00Z",
		"2026-12-01T00:00:00Z":      "2027-12-01T00:00:00Z",
		"2027-01-01T07:00:00+08:00": "2027-12-01T00:00:00Z",
	} {
		from, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := NextStaleCheck(from).Format(time.RFC3339); got != want {
			t.Errorf("NextStaleCheck(%s) = %s, want %s", at, got, want)
		}
	}
}
