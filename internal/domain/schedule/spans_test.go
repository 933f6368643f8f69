package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// short shows spans as 11-23 09:00-12:00.
func short(from, until time.Time) string {
	return from.Format("01-02 15:04") + "-" + strings.TrimPrefix(until.Format("01-02 15:04"), from.Format("01-02 "))
}

func TestSpans(t *testing.T) {
	t.Parallel()
	s := mustCompile(t, lumi())
	var got []string
	for span := range s.Spans(parse(t, s.Location(), "2026-11-20 13:00"), parse(t, s.Location(), "2026-11-21 12:00")) {
		got = append(got, fmt.Sprintf("%s %s/%s %d", short(span.From, span.Until), span.State.Shift, span.State.Peak, span.State.Seats))
	}
	want := []string{
		"11-20 13:00-14:00 weekday/noon 3", "11-20 14:00-19:00 weekday/ 1", "11-20 19:00-21:00 weekday/evening 3",
		"11-20 21:00-11-21 10:00 / 0", "11-21 10:00-12:00 weekend/ 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Spans (-want +got):\n%s", diff)
	}
}

func TestSpansOfWhatNeverChangesEnd(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, spec := range map[string]yingdav1.ShiftScheduleSpec{
		"closed": weekly("UTC"), "open": weekly("UTC", on(everyDay(), shiftOf("a", "00:00", "24h", 1))),
	} {
		at := from
		for span := range mustCompile(t, spec).Spans(from, from.AddDate(3, 0, 0)) {
			if !span.From.Equal(at) || span.State.Open != (name == "open") {
				t.Errorf("%s: %+v, want one from %v", name, span, at)
			}
			at = span.Until
		}
		if !at.Equal(from.AddDate(3, 0, 0)) {
			t.Errorf("%s: the last span ends at %v", name, at)
		}
	}
	if spans := slices.Collect(mustCompile(t, lumi()).Spans(from, from)); spans != nil {
		t.Errorf("of no time at all: %v", spans)
	}
}

func TestBusinessTime(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec         yingdav1.ShiftScheduleSpec
		from, until  string
		want         time.Duration
		makesHoliday string
	}{
		"within a shift":                      {spec: lumi(), from: "2026-11-23 10:00", until: "2026-11-23 11:30", want: 90 * time.Minute},
		"over a night":                        {spec: lumi(), from: "2026-11-19 20:00", until: "2026-11-20 10:00", want: 2 * time.Hour},
		"a week":                              {spec: lumi(), from: "2026-11-23 00:00", until: "2026-11-30 00:00", want: 76 * time.Hour},
		"a week with a holiday":               {spec: lumi(), from: "2026-11-23 00:00", until: "2026-11-30 00:00", want: 64 * time.Hour, makesHoliday: "2026-11-25"},
		"backwards is none":                   {spec: lumi(), from: "2026-11-23 12:00", until: "2026-11-23 10:00"},
		"closed is none":                      {spec: weekly("UTC"), from: "2026-01-01 00:00", until: "2029-01-01 00:00"},
		"a shift that wants no seats is open": {spec: weekly("UTC", on(everyDay(), shiftOf("bot", "00:00", "1h", 0))), from: "2026-01-01 00:00", until: "2026-01-02 00:00", want: time.Hour},
		"a night over the change forward":     {spec: night("Europe/Berlin"), from: "2026-03-28 12:00", until: "2026-03-29 12:00", want: 8 * time.Hour},
		"a day over the change forward":       {spec: weekly("Europe/Berlin", on(everyDay(), shiftOf("a", "00:00", "24h", 1))), from: "2026-03-29 00:00", until: "2026-03-30 00:00", want: 23 * time.Hour},
		"a day over the change back, of 24 h": {spec: weekly("Europe/Berlin", on(everyDay(), shiftOf("a", "00:00", "24h", 1))), from: "2026-10-25 00:00", until: "2026-10-26 00:00", want: 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustCompile(t, tc.spec)
			if tc.makesHoliday != "" {
				s = s.With(mustCompileCalendars(t, calendarOf(off(tc.makesHoliday)))...)
			}
			if got := s.BusinessTime(parse(t, s.Location(), tc.from), parse(t, s.Location(), tc.until)); got != tc.want {
				t.Errorf("BusinessTime(%s, %s) = %v, want %v", tc.from, tc.until, got, tc.want)
			}
		})
	}
}

func TestAddBusinessTime(t *testing.T) {
	t.Parallel()
	const never = ""
	always := weekly("UTC", on(everyDay(), shiftOf("a", "00:00", "24h", 1)))
	for name, tc := range map[string]struct {
		spec yingdav1.ShiftScheduleSpec
		from string
		d    time.Duration
		want string
	}{
		"within a shift": {lumi(), "2026-11-23 10:00", time.Hour, "2026-11-23 11:00 +08:00"},
		"from the night it counts on the opening": {lumi(), "2026-11-23 03:00", time.Hour, "2026-11-23 10:00 +08:00"},
		"over the night":                {lumi(), "2026-11-23 20:30", time.Hour, "2026-11-24 09:30 +08:00"},
		"what fits ends with the shift": {lumi(), "2026-11-23 20:00", time.Hour, "2026-11-23 21:00 +08:00"},
		"nothing is the moment itself":  {lumi(), "2026-11-23 03:00", 0, "2026-11-23 03:00 +08:00"},
		"over the change of clocks":     {night("Europe/Berlin"), "2026-10-24 23:00", 7 * time.Hour, "2026-10-25 05:00 +01:00"},
		"in what never closes":          {always, "2026-01-01 00:00", 1000 * 24 * time.Hour, "2028-09-27 00:00 +00:00"},
		"in what never opens":           {weekly("UTC"), "2026-11-23 03:00", time.Second, never},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, got := mustCompile(t, tc.spec), never
			if at, ok := s.AddBusinessTime(parse(t, s.Location(), tc.from), tc.d); ok {
				got = at.Format("2006-01-02 15:04 -07:00")
			}
			if got != tc.want {
				t.Errorf("AddBusinessTime(%s, %v) = %q, want %q", tc.from, tc.d, got, tc.want)
			}
		})
	}
}

func TestGaps(t *testing.T) {
	t.Parallel()
	breaks := weekly("UTC", on(workdays(), shiftOf("morning", "09:00", "3h", 1)), on(workdays(), shiftOf("afternoon", "13:00", "4h", 1)))
	around := weekly("UTC", on(everyDay(), shiftOf("all-day", "00:00", "24h", 1)))
	named := func(day yingdav1.CalendarDay, name string) yingdav1.CalendarDay {
		day.Name = name
		return day
	}
	for name, tc := range map[string]struct {
		spec yingdav1.ShiftScheduleSpec
		days []yingdav1.CalendarDay
		want []string
	}{
		"a week like others has none": {spec: mondays()},
		"nights are none":             {spec: weekly("UTC", on(everyDay(), shiftOf("a", "09:00", "9h", 1)))},
		"a day off":                   {spec: mondays(), days: []yingdav1.CalendarDay{named(off("2026-11-23"), "节")}, want: []string{"11-23 09:00-10:00 DayOff 节"}},
		"a day off that is worked":    {spec: onHoliday(mondays(), yingdav1.HolidayAsUsual), days: []yingdav1.CalendarDay{off("2026-11-23")}},
		"a day off on which it is closed anyway": {
			spec: mondays(), days: []yingdav1.CalendarDay{off("2026-11-24")},
		},
		"a day off like a Sunday that is shorter": {
			spec: onHoliday(weekly("UTC", on(workdays(), shiftOf("a", "09:00", "9h", 1)), on(weekend(), shiftOf("b", "10:00", "2h", 1))), yingdav1.HolidayLikeSunday),
			days: []yingdav1.CalendarDay{off("2026-11-23")},
			want: []string{"11-23 09:00-10:00 DayOff ", "11-23 12:00-18:00 DayOff "},
		},
		"a rotation on a day off": {
			spec: weekly("UTC", rotation("FREQ=WEEKLY;INTERVAL=2", "2026-11-09", shiftOf("a", "09:00", "1h", 1))),
			days: []yingdav1.CalendarDay{off("2026-11-23"), off("2026-11-30")}, want: []string{"11-23 09:00-10:00 DayOff "},
		},
		"a make-up Sunday that is closed when Sundays are open": {
			spec: mondays(), days: []yingdav1.CalendarDay{named(workday("2026-11-22", ""), "补班")}, want: []string{"11-22 13:00-14:00 Workday 补班"},
		},
		"an override that closes":                 {spec: overridden(mondays(), overrideOf("inventory", "2026-11-22", "2026-11-24")), want: []string{"11-22 13:00-14:00 Override inventory", "11-23 09:00-10:00 Override inventory"}},
		"an override that is shorter":             {spec: overridden(mondays(), overrideOf("short", "2026-11-23", "2026-11-23", shiftOf("a", "09:00", "30m", 1))), want: []string{"11-23 09:30-10:00 Override short"}},
		"an override that is longer":              {spec: overridden(mondays(), overrideOf("long", "2026-11-23", "2026-11-23", shiftOf("a", "08:00", "8h", 1)))},
		"a break of every day":                    {spec: breaks, want: []string{"11-23 12:00-13:00 BetweenShifts morning", "11-24 12:00-13:00 BetweenShifts morning", "11-25 12:00-13:00 BetweenShifts morning"}},
		"a break that last night's shift covers":  {spec: weekly("UTC", on(workdays(), shiftOf("night", "22:00", "12h", 1)), on(workdays(), shiftOf("early", "05:00", "1h", 1)), on(workdays(), shiftOf("noon", "10:00", "2h", 1))), want: []string{"11-23 06:00-10:00 BetweenShifts early", "11-23 12:00-22:00 BetweenShifts noon", "11-24 12:00-22:00 BetweenShifts noon", "11-25 12:00-22:00 BetweenShifts noon"}},
		"a break in a day off is a part of it":    {spec: breaks, days: []yingdav1.CalendarDay{off("2026-11-23"), off("2026-11-24"), off("2026-11-25")}, want: []string{"11-23 09:00-12:00 DayOff ", "11-23 13:00-17:00 DayOff ", "11-24 09:00-12:00 DayOff ", "11-24 13:00-17:00 DayOff ", "11-25 09:00-12:00 DayOff ", "11-25 13:00-17:00 DayOff "}},
		"days off of one name are one gap":        {spec: around, days: []yingdav1.CalendarDay{named(off("2026-11-23"), "国庆节"), named(off("2026-11-24"), "国庆节")}, want: []string{"11-23 00:00-11-25 00:00 DayOff 国庆节"}},
		"days off of two names are two":           {spec: around, days: []yingdav1.CalendarDay{named(off("2026-11-23"), "中秋节"), named(off("2026-11-24"), "国庆节")}, want: []string{"11-23 00:00-11-24 00:00 DayOff 中秋节", "11-24 00:00-11-25 00:00 DayOff 国庆节"}},
		"what begins and ends outside is cut":     {spec: around, days: []yingdav1.CalendarDay{off("2026-11-21"), off("2026-11-22"), off("2026-11-25"), off("2026-11-26")}, want: []string{"11-22 00:00-11-23 00:00 DayOff ", "11-25 00:00-11-26 00:00 DayOff "}},
		"the night of a day off ends in the next": {spec: night("UTC"), days: []yingdav1.CalendarDay{off("2026-11-23")}, want: []string{"11-23 22:00-11-24 06:00 DayOff "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustCompile(t, tc.spec).With(mustCompileCalendars(t, calendarOf(tc.days...))...)
			var got []string
			for _, gap := range s.Gaps(parse(t, s.Location(), "2026-11-22 00:00"), parse(t, s.Location(), "2026-11-26 00:00")) {
				got = append(got, fmt.Sprintf("%s %s %s", short(gap.From, gap.Until), gap.Reason, gap.Name))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Gaps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOverlaps(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec yingdav1.ShiftScheduleSpec
		want []string
	}{
		"the sample has none": {spec: lumi()},
		"shifts that touch":   {spec: weekly("UTC", on(everyDay(), shiftOf("a", "09:00", "1h", 1)), on(everyDay(), shiftOf("b", "10:00", "1h", 1)))},
		"one within another":  {spec: weekly("UTC", on(workdays(), shiftOf("a", "08:00", "8h", 1)), on([]yingdav1.Weekday{yingdav1.Monday}, shiftOf("b", "12:00", "1h", 2))), want: []string{"11-23 12:00-13:00 a < b"}},
		"last night's and this morning's": {
			spec: weekly("UTC", on([]yingdav1.Weekday{yingdav1.Sunday}, shiftOf("night", "22:00", "12h", 1)), on(workdays(), shiftOf("day", "09:00", "8h", 2))), want: []string{"11-23 09:00-10:00 night < day"},
		},
		"of three each loser is named": {
			spec: weekly("UTC", on([]yingdav1.Weekday{yingdav1.Monday}, shiftOf("a", "08:00", "8h", 1)), on(everyDay(), shiftOf("b", "09:00", "30m", 2)), on([]yingdav1.Weekday{yingdav1.Monday}, shiftOf("c", "09:10", "1h", 3))),
			want: []string{"11-23 09:00-09:10 a < b", "11-23 09:10-10:10 a < c", "11-23 09:10-09:30 b < c"},
		},
		"a shift that overlaps itself hides nothing": {spec: weekly("Europe/Berlin", on(everyDay(), shiftOf("a", "00:00", "24h", 1)))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustCompile(t, tc.spec)
			var got []string
			for _, overlap := range s.Overlaps(parse(t, s.Location(), "2026-11-23 00:00"), parse(t, s.Location(), "2026-11-25 00:00")) {
				got = append(got, fmt.Sprintf("%s %s < %s", short(overlap.From, overlap.Until), overlap.Hidden, overlap.By))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Overlaps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDaySaysWhatADateIs(t *testing.T) {
	t.Parallel()
	s := mustCompile(t, lumi()).With(mustCompileCalendars(t, china(t))...)
	for date, want := range map[string]string{
		"2026-10-10": "24h0m0s||Workday|国庆节补班|Monday|weekday 10-10 09:00-21:00",
		"2026-10-01": "24h0m0s||DayOff|国庆节|Thursday",
		"2026-11-11": "24h0m0s|double-eleven|||Wednesday|all-day 11-11 00:00-11-12 00:00",
		"2026-11-22": "24h0m0s||||Sunday|weekend 11-22 10:00-18:00",
	} {
		if got := describeDay(s.Day(parse(t, s.Location(), date+" 13:00"))); got != want {
			t.Errorf("Day(%s)\ngot  %s\nwant %s", date, got, want)
		}
	}
	skipped := mustCompile(t, weekly("America/New_York", on(everyDay(), shiftOf("a", "02:30", "1h", 1))))
	day := skipped.Day(parse(t, skipped.Location(), "2026-03-08 12:00"))
	if got, want := describeDay(day), "23h0m0s||||Sunday|a 03-08 03:30-04:30"; got != want || day.Shifts[0].Start != "02:30" {
		t.Errorf("over the change\ngot  %s, written as %s\nwant %s", got, day.Shifts[0].Start, want)
	}
}

func describeDay(d Day) string {
	parts := []string{d.Until.Sub(d.From).String(), d.Override, string(d.Kind), d.Name, d.Weekday.String()}
	for _, sh := range d.Shifts {
		parts = append(parts, sh.Name+" "+short(sh.From, sh.Until))
	}
	return strings.Join(parts, "|")
}

// TestQueriesMatchWhatAtSaysMinuteByMinute holds, for random schedules around changes of clocks, that spans, business time, gaps
// and overlaps are what asking for every minute finds.
func TestQueriesMatchWhatAtSaysMinuteByMinute(t *testing.T) {
	t.Parallel()
	for zone, dates := range changes() {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(14, uint64(len(zone))))
			for _, date := range dates {
				day, err := time.Parse(time.DateOnly, date)
				if err != nil {
					t.Fatal(err)
				}
				for range 6 {
					spec, calendars := randomSpec(rng, zone, day), randomCalendars(rng, day)
					s := mustCompile(t, spec).With(mustCompileCalendars(t, calendars...)...)
					from := day.AddDate(0, 0, -2).Add(time.Duration(rng.IntN(1440)) * time.Minute)
					checkQueries(t, s, newOracle(t, spec, calendars), from, from.Add(time.Duration(1+rng.IntN(4*1440))*time.Minute), rng)
				}
			}
		})
	}
}

func checkQueries(t *testing.T, s *Schedule, o *oracle, from, until time.Time, rng *rand.Rand) {
	t.Helper()
	usual := *s
	usual.overrides, usual.calendars = nil, nil
	spans, gaps, overlaps := slices.Collect(s.Spans(from, until)), s.Gaps(from, until), s.Overlaps(from, until)
	var open time.Duration
	for at := from; at.Before(until); at = at.Add(time.Minute) {
		if at.Equal(spans[0].Until) {
			spans = spans[1:]
		}
		state := s.At(at)
		if spans[0].State != state {
			t.Fatalf("at %s: a span of %+v, want %+v\n%s", at.In(s.Location()), spans[0].State, state, describe(o.spec))
		}
		if state.Open {
			open += time.Minute
		}
		covering := slices.DeleteFunc(slices.Clone(gaps), func(g Gap) bool { return at.Before(g.From) || !at.Before(g.Until) })
		missed := !state.Open && usual.At(at).Open
		if len(covering) > 1 || state.Open && len(covering) > 0 || missed && len(covering) == 0 ||
			!missed && len(covering) == 1 && covering[0].Reason != yingdav1.GapBetweenShifts {
			t.Fatalf("at %s: %+v, missed: %t, gaps %+v\n%s%s", at.In(s.Location()), state, missed, covering, describe(o.spec), describe(o.calendars))
		}
		hidden := map[string]bool{}
		for _, overlap := range overlaps {
			if !at.Before(overlap.From) && at.Before(overlap.Until) {
				hidden[overlap.Hidden+" < "+overlap.By] = true
			}
		}
		if diff := cmp.Diff(o.hidden(at), hidden); diff != "" {
			t.Fatalf("at %s: hidden (-want +got):\n%s%s", at.In(s.Location()), diff, describe(o.spec))
		}
	}
	if got := s.BusinessTime(from, until); got != open {
		t.Fatalf("BusinessTime(%s, %s) = %v, want %v\n%s", from, until, got, open, describe(o.spec))
	}
	want := time.Duration(1 + rng.Int64N(int64(40*time.Hour)))
	if end, ok := s.AddBusinessTime(from, want); ok && s.BusinessTime(from, end) != want {
		t.Fatalf("%v of business time after %s are %v\n%s", want, from, s.BusinessTime(from, end), describe(o.spec))
	}
}

// hidden names the shifts that are scheduled at t and not on, and what is on instead.
func (o *oracle) hidden(t time.Time) map[string]bool {
	y, m, d := t.In(o.location).Date()
	var spans []span
	for offset := -2; offset <= 2; offset++ {
		spans = append(spans, o.spans(time.Date(y, m, d+offset, 0, 0, 0, 0, time.UTC))...)
	}
	on, _ := strongest(spans, t)
	hidden := map[string]bool{}
	for _, other := range spans {
		if !t.Before(other.start) && t.Before(other.end) && other.strength != on.strength {
			hidden[other.state.Shift+" < "+on.state.Shift] = true
		}
	}
	return hidden
}
