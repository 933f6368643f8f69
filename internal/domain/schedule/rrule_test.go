package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/teambition/rrule-go"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func dayNumber(tb testing.TB, text string) int64 {
	tb.Helper()
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		tb.Fatal(err)
	}
	return dayOf(at.Unix())
}

func dateOf(day int64) string { return time.Unix(day*secondsADay, 0).UTC().Format(time.DateOnly) }

// reference are the dates of a rule by a library that shares nothing with the package.
func reference(tb testing.TB, text, anchor, last string) []string {
	tb.Helper()
	option, err := rrule.StrToROption(text)
	if err != nil {
		tb.Fatalf("the reference refuses %s: %v", text, err)
	}
	if option.Dtstart, err = time.Parse(time.DateOnly, anchor); err != nil {
		tb.Fatal(err)
	}
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		tb.Fatalf("the reference refuses %s: %v", text, err)
	}
	end, err := time.Parse(time.DateOnly, last)
	if err != nil {
		tb.Fatal(err)
	}
	var dates []string
	for _, at := range rule.Between(option.Dtstart, end, true) {
		dates = append(dates, at.Format(time.DateOnly))
	}
	return dates
}

func datesOf(tb testing.TB, r *rule, first, last string) []string {
	tb.Helper()
	var dates []string
	for day := dayNumber(tb, first); day <= dayNumber(tb, last); day++ {
		if r.holds(day, weekday(day)) {
			dates = append(dates, dateOf(day))
		}
	}
	return dates
}

func TestRulesHoldOnTheDatesThatPeopleExpect(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ rule, anchor, want string }{
		"every other week on two days": {"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU", "2026-01-05", "01-05 01-06 01-19 01-20 02-02 02-03 02-16 02-17"},
		"the anchor's own week is counted from its Monday, not from the anchor": {
			"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU", "2026-01-07", "01-11 01-19 01-25 02-02 02-08 02-16 02-22",
		},
		"without a weekday it is the anchor's":       {"FREQ=WEEKLY;INTERVAL=3", "2026-01-07", "01-07 01-28 02-18"},
		"one day on, two off":                        {"FREQ=DAILY;INTERVAL=3;COUNT=5", "2026-01-30", "01-30 02-02 02-05 02-08 02-11"},
		"every day of a weekday's, until a date":     {"FREQ=DAILY;BYDAY=SA,SU;UNTIL=20260111", "2026-01-01", "01-03 01-04 01-10 01-11"},
		"the second Monday and the last Friday":      {"FREQ=MONTHLY;BYDAY=2MO,-1FR", "2026-01-01", "01-12 01-30 02-09 02-27"},
		"a fifth Saturday that not every month has":  {"FREQ=MONTHLY;BYDAY=5SA", "2026-01-01", "01-31"},
		"every Sunday of every other month":          {"FREQ=MONTHLY;INTERVAL=2;BYDAY=SU", "2026-01-01", "01-04 01-11 01-18 01-25"},
		"every Monday, and the first Tuesday":        {"FREQ=MONTHLY;BYDAY=MO,1TU", "2026-01-12", "01-12 01-19 01-26 02-02 02-03 02-09 02-16 02-23"},
		"the first, and the last two, of a month":    {"FREQ=MONTHLY;BYMONTHDAY=1,-2,-1", "2026-01-02", "01-30 01-31 02-01 02-27 02-28"},
		"without a day it is the anchor's":           {"FREQ=MONTHLY", "2026-01-15", "01-15 02-15"},
		"a month without the day is left out":        {"FREQ=MONTHLY", "2026-01-31", "01-31"},
		"a Friday the 13th is both":                  {"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2026-01-01", "02-13"},
		"the parts may come in any order":            {"COUNT=2;BYDAY=WE;FREQ=WEEKLY", "2026-01-01", "01-07 01-14"},
		"an anchor that does not match is not a day": {"FREQ=WEEKLY;BYDAY=MO;COUNT=2", "2026-01-06", "01-12 01-19"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := parseRule(tc.rule, dayNumber(t, tc.anchor))
			if err != nil {
				t.Fatal(err)
			}
			got := datesOf(t, r, "2025-12-01", "2026-02-28")
			for i := range got {
				got[i] = strings.TrimPrefix(got[i], "2026-")
			}
			if diff := cmp.Diff(strings.Fields(tc.want), got); diff != "" {
				t.Errorf("dates (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatARuleMayNotHold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                              `"" is not supported; ` + supported,
		"every other week":                              `"every other week" is not supported; ` + supported,
		"RRULE:FREQ=DAILY":                              "leave out RRULE: and write FREQ=DAILY",
		"freq=daily":                                    `"freq=daily" is not supported; ` + supported,
		"FREQ=YEARLY":                                   `"FREQ=YEARLY" is not supported: write FREQ=MONTHLY;INTERVAL=12 with an anchorDate in the month`,
		"FREQ=HOURLY;INTERVAL=4":                        `"FREQ=HOURLY" is not supported: write FREQ=DAILY, and give each start of the day a shift of its own`,
		"FREQ=FORTNIGHTLY":                              "start with FREQ=DAILY, FREQ=WEEKLY or FREQ=MONTHLY; " + supported,
		"INTERVAL=2":                                    "start with FREQ=DAILY, FREQ=WEEKLY or FREQ=MONTHLY; " + supported,
		"FREQ=WEEKLY;WKST=SU":                           `"WKST=SU" is not supported: leave WKST out: weeks start on Monday`,
		"FREQ=DAILY;BYHOUR=9":                           `"BYHOUR=9" is not supported: write the time as the start of the shift, and give each time a shift of its own`,
		"FREQ=MONTHLY;BYSETPOS=1":                       `"BYSETPOS=1" is not supported: for the nth of one weekday write BYDAY=2MO or BYDAY=-1FR with FREQ=MONTHLY, and list dates that only BYSETPOS can name as overrides`,
		"FREQ=MONTHLY;BYMONTH=6,11":                     `"BYMONTH=6,11" is not supported: bound the months by anchorDate and UNTIL, or write FREQ=MONTHLY;INTERVAL=12 with an anchorDate in the month`,
		"FREQ=WEEKLY;BYWEEKNO=20":                       `"BYWEEKNO=20" is not supported: list such dates as overrides`,
		"DTSTART=20260105;FREQ=WEEKLY":                  `"DTSTART=20260105" is not supported: write the date as anchorDate, beside rrule`,
		"FREQ=WEEKLY;EXDATE=20260105":                   `"EXDATE=20260105" is not supported: list such dates as overrides; one without shifts closes them`,
		"FREQ=DAILY;":                                   `"" is not supported; ` + supported,
		"FREQ=DAILY;FREQ=DAILY":                         "write FREQ once",
		"FREQ=DAILY;COUNT=":                             "give COUNT a value",
		"FREQ=DAILY;INTERVAL=0":                         `INTERVAL: "0" must be a number from 1 to 1000`,
		"FREQ=DAILY;INTERVAL=1001":                      `INTERVAL: "1001" must be a number from 1 to 1000`,
		"FREQ=DAILY;COUNT=-1":                           `COUNT: "-1" must be a number from 1 to 1000`,
		"FREQ=WEEKLY;BYDAY=MON":                         `BYDAY: "MON" is no weekday: write MO, TU, WE, TH, FR, SA or SU`,
		"FREQ=WEEKLY;BYDAY=MO,":                         `BYDAY: "" is no weekday: write MO, TU, WE, TH, FR, SA or SU`,
		"FREQ=WEEKLY;BYDAY=2MO":                         `BYDAY: "2MO" counts in a month: write it with FREQ=MONTHLY, or without the number`,
		"FREQ=MONTHLY;BYDAY=6MO":                        `BYDAY: "6" must be a number from 1 to 5, or from -5 to -1 to count from the end`,
		"FREQ=MONTHLY;BYDAY=0MO":                        `BYDAY: "0" must be a number from 1 to 5, or from -5 to -1 to count from the end`,
		"FREQ=WEEKLY;BYMONTHDAY=1":                      "BYMONTHDAY is not for FREQ=WEEKLY: write it with FREQ=MONTHLY or FREQ=DAILY",
		"FREQ=MONTHLY;BYMONTHDAY=0":                     `BYMONTHDAY: "0" must be a number from 1 to 31, or from -31 to -1 to count from the end`,
		"FREQ=DAILY;UNTIL=20260101T000000Z":             `UNTIL: "20260101T000000Z" is no date: write the last one as YYYYMMDD, for example UNTIL=20261231`,
		"FREQ=DAILY;UNTIL=20260230":                     `UNTIL: "20260230" is no date: write the last one as YYYYMMDD, for example UNTIL=20261231`,
		"FREQ=DAILY;UNTIL=20261231;COUNT=3":             "write UNTIL or COUNT, not both",
		"FREQ=DAILY;UNTIL=20260104":                     "there is no such date in the hundred years from anchorDate on",
		"FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=-1FR":          "there is no such date in the hundred years from anchorDate on",
		"FREQ=MONTHLY;INTERVAL=100;COUNT=1000":          "there are not 1000 such dates in the hundred years from anchorDate on",
		"FREQ=DAILY;BYDAY=" + strings.Repeat("MO", 130): "must be at most 256 characters",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got := ""
			if _, err := parseRule(text, dayNumber(t, "2026-01-05")); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestRandomRulesMatchTheReference(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 545))
	refused := 0
	for range 3000 {
		anchor := dateOf(dayNumber(t, "2024-01-01") + rng.Int64N(1000))
		text := randomRule(rng)
		r, err := parseRule(text, dayNumber(t, anchor))
		if err != nil {
			refused++ // such as hold on no date: the reference agrees below by the others
			continue
		}
		if diff := cmp.Diff(reference(t, text, anchor, "2032-12-31"), datesOf(t, r, "2023-01-01", "2032-12-31")); diff != "" {
			t.Fatalf("%s from %s (-want +got):\n%s", text, anchor, diff)
		}
	}
	if refused > 300 {
		t.Errorf("%d of 3000 rules were refused", refused)
	}
}

func randomRule(rng *rand.Rand) string {
	frequency := []string{"DAILY", "WEEKLY", "MONTHLY"}[rng.IntN(3)]
	parts := []string{"FREQ=" + frequency}
	if rng.IntN(3) > 0 {
		parts = append(parts, fmt.Sprintf("INTERVAL=%d", 1+rng.IntN(5)))
	}
	if rng.IntN(3) > 0 {
		var days []string
		counted := frequency == "MONTHLY" && rng.IntN(2) == 0 // not mixed: see mixed
		for _, day := range []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"} {
			switch n := rng.IntN(8); {
			case n < 4 && counted:
				days = append(days, fmt.Sprintf("%d%s", []int{1, 2, 3, 4, 5, -1, -2, -3, -4, -5}[rng.IntN(10)], day))
			case n < 4:
				days = append(days, day)
			}
		}
		if len(days) > 0 {
			parts = append(parts, "BYDAY="+strings.Join(days, ","))
		}
	}
	if frequency != "WEEKLY" && rng.IntN(2) == 0 {
		var days []string
		for range 1 + rng.IntN(8) {
			days = append(days, []string{"", "-"}[rng.IntN(2)]+strconv.Itoa(1+rng.IntN(31)))
		}
		parts = append(parts, "BYMONTHDAY="+strings.Join(days, ","))
	}
	switch rng.IntN(3) {
	case 0:
		parts = append(parts, fmt.Sprintf("COUNT=%d", 1+rng.IntN(20)))
	case 1:
		parts = append(parts, "UNTIL="+time.Date(2027, 1, 1+rng.IntN(700), 0, 0, 0, 0, time.UTC).Format("20060102"))
	}
	return strings.Join(parts, ";")
}

// mixed reports whether a rule lists weekdays of both kinds, as in MO,2TU. They are alternatives by RFC 5545; the reference wants
// a date to be both, so that it is none.
func mixed(r *rule) bool {
	every := slices.ContainsFunc(r.weekdays[:], func(listed ordinals) bool { return listed&everyOne != 0 })
	return every && slices.ContainsFunc(r.weekdays[:], func(listed ordinals) bool { return listed&^everyOne != 0 })
}

// FuzzRule holds that what parses is a rule of the reference too, with the same dates.
func FuzzRule(f *testing.F) {
	for _, text := range []string{
		"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU", "FREQ=MONTHLY;BYDAY=2MO,-1FR,SU;BYMONTHDAY=-31,13", "FREQ=DAILY;INTERVAL=4;COUNT=9",
		"FREQ=MONTHLY;UNTIL=20271231", "FREQ=WEEKLY;WKST=SU", "FREQ=DAILY;COUNT=1;UNTIL=1", "=;=,", "FREQ=MONTHLY;BYDAY=0;BYMONTHDAY=0", "BYDAY=+1MO;FREQ=MONTHLY",
	} {
		f.Add(text, int64(20_458))
	}
	f.Fuzz(func(t *testing.T, text string, anchor int64) {
		anchor = 19_000 + (anchor%4000+4000)%4000
		r, err := parseRule(text, anchor)
		if err != nil {
			if err.Error() == "" || strings.ContainsRune(err.Error(), '\n') {
				t.Errorf("%q is refused with %q", text, err)
			}
			return
		}
		if mixed(r) {
			return
		}
		first, last := dateOf(anchor), dateOf(anchor+800)
		want, got := reference(t, text, first, last), datesOf(t, r, first, last)
		if !slices.Equal(want, got) {
			t.Errorf("%q from %s:\ngot  %v\nwant %v", text, first, got, want)
		}
	})
}

// rotation starts by a rule.
func rotation(rule, anchor string, shift yingdav1.Shift) yingdav1.WeeklyShift {
	return yingdav1.WeeklyShift{RRule: rule, AnchorDate: anchor, Shift: shift}
}

func TestWeeksUntilRotationsBeginAnew(t *testing.T) {
	t.Parallel()
	for rules, want := range map[string]int{
		"":                                1,
		"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO": 2,
		"FREQ=DAILY;INTERVAL=4":           4,
		"FREQ=DAILY;INTERVAL=14":          2,
		"FREQ=MONTHLY;BYDAY=-1FR":         5,
		"FREQ=WEEKLY;INTERVAL=2 FREQ=WEEKLY;INTERVAL=3": 6,
		"FREQ=WEEKLY;INTERVAL=3 FREQ=DAILY;INTERVAL=5":  12,
	} {
		spec := weekly("UTC", yingdav1.WeeklyShift{Days: everyDay(), Shift: shiftOf("day", "09:00", "1h", 1)})
		for i, rule := range strings.Fields(rules) {
			spec.Shifts = append(spec.Shifts, rotation(rule, "2026-01-05", shiftOf(strconv.Itoa(i), "09:00", "1h", 1)))
		}
		if got := mustCompile(t, spec).Weeks(12); got != want {
			t.Errorf("%q begins anew after %d weeks, want %d", rules, got, want)
		}
	}
}

func TestRotationsOnDaysOfCalendars(t *testing.T) {
	t.Parallel()
	// An early and a late week, every other weekend, a meeting, and a guard of every third day.
	spec := weekly("Asia/Shanghai",
		rotation("FREQ=DAILY;INTERVAL=3", "2026-01-01", shiftOf("guard", "01:00", "1h", 0)),
		rotation("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR", "2026-01-05", shiftOf("early", "08:00", "8h", 1)),
		rotation("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR", "2026-01-12", shiftOf("late", "12:00", "8h", 1)),
		rotation("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU", "2026-01-05", shiftOf("weekend", "10:00", "2h", 1)),
		rotation("FREQ=MONTHLY;BYDAY=2SA,2MO", "2026-01-01", shiftOf("meeting", "21:00", "1h", 1)),
	)
	const guard, early, late, weekend, meeting, none = "01:00-02:00", "08:00-16:00", "12:00-20:00", "10:00-12:00", "21:00-22:00", "休息"
	for name, tc := range map[string]struct {
		date   string
		day    *yingdav1.CalendarDay
		policy yingdav1.HolidayPolicy
		want   string
	}{
		"the first week":                               {date: "2026-01-05", want: early},
		"the second week, and its meeting":             {date: "2026-01-12", want: late + ", " + meeting},
		"a year later":                                 {date: "2027-01-04", want: early},
		"before the anchors":                           {date: "2025-12-29", want: none},
		"a day off is closed":                          {date: "2026-01-07", day: new(off("2026-01-07")), want: none},
		"a day off like a Sunday is one of its week":   {date: "2026-01-06", day: new(off("2026-01-06")), policy: yingdav1.HolidayLikeSunday, want: weekend},
		"and of a week without a Sunday's shift":       {date: "2026-01-14", day: new(off("2026-01-14")), policy: yingdav1.HolidayLikeSunday, want: none},
		"what has no weekdays starts on it too":        {date: "2026-01-16", day: new(off("2026-01-16")), policy: yingdav1.HolidayLikeSunday, want: guard},
		"a day off as usual":                           {date: "2026-01-06", day: new(off("2026-01-06")), policy: yingdav1.HolidayAsUsual, want: early},
		"a Saturday":                                   {date: "2026-01-24", want: weekend},
		"a Saturday that is worked like a Monday":      {date: "2026-01-24", day: new(workday("2026-01-24", "")), want: early},
		"and in the week of the others":                {date: "2026-01-17", day: new(workday("2026-01-17", "")), want: late},
		"the second Saturday has a meeting":            {date: "2026-01-10", want: "01:00-02:00, 10:00-12:00, 21:00-22:00"},
		"which is none when it is worked like Monday":  {date: "2026-01-10", day: new(workday("2026-01-10", "")), want: guard + ", " + early},
		"nor a second Monday when it is off, a Sunday": {date: "2026-01-12", day: new(off("2026-01-12")), policy: yingdav1.HolidayLikeSunday, want: none},
		"a sales peak changes nothing":                 {date: "2026-01-14", day: new(sale("2026-01-14")), want: late},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var days []yingdav1.CalendarDay
			if tc.day != nil {
				days = append(days, *tc.day)
			}
			s := mustCompile(t, onHoliday(spec, tc.policy)).With(mustCompileCalendars(t, calendarOf(days...))...)
			if got := s.Hours(parse(t, s.Location(), tc.date+" 07:00")); got != tc.want {
				t.Errorf("Hours(%s) = %q, want %q", tc.date, got, tc.want)
			}
		})
	}
}
