package schedule

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// oracle answers At by brute force from the words of the resource, sharing no arithmetic with the package: wall-clock times
// are found by walking the clock minute by minute.
type oracle struct {
	tb   testing.TB
	spec yingdav1.ShiftScheduleSpec
	// calendars in the order of the resource.
	calendars []yingdav1.HolidayCalendarSpec
	location  *time.Location
	instants  map[string]time.Time
	dates     map[time.Time][]span
}

func newOracle(tb testing.TB, spec yingdav1.ShiftScheduleSpec, calendars []yingdav1.HolidayCalendarSpec) *oracle {
	tb.Helper()
	location, err := time.LoadLocation(spec.TimeZone)
	if err != nil {
		tb.Fatal(err)
	}
	return &oracle{tb: tb, spec: spec, calendars: calendars, location: location, instants: map[string]time.Time{}, dates: map[time.Time][]span{}}
}

const wallFormat = "2006-01-02 15:04"

// instant walks from a day before the date to the first minute at which the wall shows the time. A time that it never shows
// is counted on from the last minute before the gap.
func (o *oracle) instant(date time.Time, start string) time.Time {
	want := date.Format(time.DateOnly) + " " + start
	if at, ok := o.instants[want]; ok {
		return at
	}
	last := date.Add(-24 * time.Hour)
	for at := last; ; at = at.Add(time.Minute) {
		wall := at.In(o.location).Format(wallFormat)
		if wall == want {
			o.instants[want] = at
			return at
		}
		if wall > want {
			lastWall, _ := time.Parse(wallFormat, last.In(o.location).Format(wallFormat))
			wantWall, _ := time.Parse(wallFormat, want)
			o.instants[want] = last.Add(wantWall.Sub(lastWall))
			return o.instants[want]
		}
		last = at
	}
}

// shifts are the shifts that start on a date, weakest first, and how strong the list is.
func (o *oracle) shifts(date time.Time) (int, []yingdav1.Shift) {
	day := date.Format(time.DateOnly)
	for i, ov := range slices.Backward(o.spec.Overrides) {
		if ov.From <= day && day <= ov.To {
			return 1000 * (i + 1), ov.Shifts
		}
	}
	weekday := o.weekday(date)
	shifts := make([]yingdav1.Shift, len(o.spec.Shifts))
	for i, weekly := range o.spec.Shifts {
		if weekly.RRule != "" && o.rotates(&weekly, date, weekday) {
			shifts[i] = weekly.Shift
		}
		for _, d := range weekly.Days {
			if string(d) == weekday {
				shifts[i] = weekly.Shift
			}
		}
	}
	return 0, shifts
}

// rotates reports whether a rotation starts on a date that counts as a weekday. A rule of weeks is asked for the date of that
// weekday in the same week.
func (o *oracle) rotates(shift *yingdav1.WeeklyShift, date time.Time, as string) bool {
	anchor, err := time.Parse(time.DateOnly, shift.AnchorDate)
	if err != nil {
		o.tb.Fatal(err)
	}
	own, asked := date.Format("Mon"), date
	switch {
	case as == "" || date.Before(anchor):
		return false
	case strings.Contains(shift.RRule, "MONTHLY") && as != own:
		return false
	case strings.Contains(shift.RRule, "WEEKLY"):
		week := everyDay()
		anchor = anchor.AddDate(0, 0, -slices.Index(week, yingdav1.Weekday(anchor.Format("Mon"))))
		asked = date.AddDate(0, 0, slices.Index(week, yingdav1.Weekday(as))-slices.Index(week, yingdav1.Weekday(own)))
	}
	day := asked.Format(time.DateOnly)
	return slices.Contains(reference(o.tb, shift.RRule, anchor.Format(time.DateOnly), day), day)
}

// weekday is the name of the weekday whose shifts start on a date; empty for none.
func (o *oracle) weekday(date time.Time) string {
	weekday := date.Format("Mon")
	for _, calendar := range o.calendars {
		for _, day := range calendar.Days {
			if day.Date != date.Format(time.DateOnly) {
				continue
			}
			switch {
			case day.Kind == "Workday" && day.Follows == "":
				weekday = "Mon"
			case day.Kind == "Workday":
				weekday = string(day.Follows)
			case day.Kind == "Peak" || o.spec.OnHoliday == "AsUsual":
				weekday = date.Format("Mon")
			case o.spec.OnHoliday == "LikeSunday":
				weekday = "Sun"
			default:
				weekday = ""
			}
		}
	}
	return weekday
}

// span is a State from one moment to another, and whether it is stronger than others.
type span struct {
	strength   int
	start, end time.Time
	state      State
	peaks      []span
}

func (o *oracle) span(date time.Time, strength int, start, length string, state State) span {
	d, _ := time.ParseDuration(length)
	at := o.instant(date, start)
	return span{strength: strength, start: at, end: at.Add(d), state: state}
}

// spans are the shifts that start on a date.
func (o *oracle) spans(date time.Time) []span {
	if known, ok := o.dates[date]; ok {
		return known
	}
	var all []span
	base, shifts := o.shifts(date)
	for i, sh := range shifts {
		if sh.Name == "" {
			continue // not on this weekday
		}
		one := o.span(date, base+i, sh.Start, sh.Duration, State{Open: true, Shift: sh.Name, Seats: *sh.Seats})
		for j, p := range sh.Peaks {
			peakDate := date
			if p.Start < sh.Start {
				peakDate = date.AddDate(0, 0, 1)
			}
			one.peaks = append(one.peaks, o.span(peakDate, j, p.Start, p.Duration, State{Open: true, Shift: sh.Name, Peak: p.Name, Seats: p.Seats}))
		}
		all = append(all, one)
	}
	o.dates[date] = all
	return all
}

// strongest is the strongest span at t, of equals the last.
func strongest(spans []span, t time.Time) (best span, found bool) {
	for _, s := range spans {
		if !t.Before(s.start) && t.Before(s.end) && (!found || s.strength >= best.strength) {
			best, found = s, true
		}
	}
	return best, found
}

func (o *oracle) at(t time.Time) State {
	y, m, d := t.In(o.location).Date()
	var spans []span
	for offset := -2; offset <= 2; offset++ {
		spans = append(spans, o.spans(time.Date(y, m, d+offset, 0, 0, 0, 0, time.UTC))...)
	}
	shift, _ := strongest(spans, t)
	if peak, ok := strongest(shift.peaks, t); ok {
		return peak.state
	}
	return shift.state
}

// changes are weeks around changes of clocks, and some without.
func changes() map[string][]string {
	return map[string][]string{
		"America/New_York": {"2026-03-08", "2026-11-01", "2027-03-14", "2027-11-07"},
		"Europe/Berlin":    {"2026-03-29", "2026-10-25", "2027-03-28", "2027-10-31"},
		"America/Nuuk":     {"2026-03-28", "2026-10-24"}, // over midnight
		"Africa/Cairo":     {"2026-04-24", "2026-10-29"}, // at midnight
		"America/St_Johns": {"2006-04-02", "2006-10-29"}, // just after midnight, back into yesterday
		"Asia/Shanghai":    {"2026-11-11"},
	}
}

// compare walks a span minute by minute: At is what the oracle says, and NextTransition is the next minute at which that changes.
func compare(t *testing.T, spec yingdav1.ShiftScheduleSpec, calendars []yingdav1.HolidayCalendarSpec, from time.Time, length time.Duration) {
	t.Helper()
	s, o := mustCompile(t, spec).With(mustCompileCalendars(t, calendars...)...), newOracle(t, spec, calendars)
	previous := o.at(from)
	next, ok := s.NextTransition(from)
	for at := from; at.Before(from.Add(length)); at = at.Add(time.Minute) {
		want := o.at(at)
		if got := s.At(at); got != want {
			t.Fatalf("%s: At(%s) = %+v, want %+v\n%s%s", spec.TimeZone, at.In(s.Location()), got, want, describe(spec), describe(calendars))
		}
		changed := want != previous
		if reached := ok && at.Equal(next); changed != reached {
			t.Fatalf("%s: at %s the state changed: %t, but the transition is at %v, %t\n%s%s", spec.TimeZone, at.In(s.Location()), changed, next, ok, describe(spec), describe(calendars))
		}
		if changed {
			previous = want
			next, ok = s.NextTransition(at)
		}
	}
}

func describe[T any](declared T) string {
	var nothing T
	return cmp.Diff(nothing, declared)
}

func TestNightShiftsOverEveryChangeOfClocksMatchTheOracle(t *testing.T) {
	t.Parallel()
	for zone, dates := range changes() {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			for _, date := range dates {
				day, err := time.Parse(time.DateOnly, date)
				if err != nil {
					t.Fatal(err)
				}
				compare(t, night(zone), nil, day.AddDate(0, 0, -3), 6*24*time.Hour)
			}
		})
	}
}

func TestRandomSchedulesMatchTheOracle(t *testing.T) {
	t.Parallel()
	for zone, dates := range changes() {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(4, uint64(len(zone))))
			for _, date := range dates {
				day, err := time.Parse(time.DateOnly, date)
				if err != nil {
					t.Fatal(err)
				}
				for range 6 {
					compare(t, randomSpec(rng, zone, day), randomCalendars(rng, day), day.AddDate(0, 0, -3), 6*24*time.Hour)
				}
			}
		})
	}
}

// randomSpec is a schedule whose times crowd around the hours in which clocks change, with overrides around the day.
func randomSpec(rng *rand.Rand, zone string, around time.Time) yingdav1.ShiftScheduleSpec {
	policies := []yingdav1.HolidayPolicy{"", yingdav1.HolidayClosed, yingdav1.HolidayLikeSunday, yingdav1.HolidayAsUsual}
	spec := yingdav1.ShiftScheduleSpec{TimeZone: zone, OnHoliday: policies[rng.IntN(len(policies))]}
	for range 1 + rng.IntN(4) {
		var days []yingdav1.Weekday
		for _, d := range everyDay() {
			if rng.IntN(3) > 0 {
				days = append(days, d)
			}
		}
		if len(days) == 0 {
			days = weekend()
		}
		spec.Shifts = append(spec.Shifts, on(days, randomShift(rng, len(spec.Shifts))))
	}
	for range rng.IntN(3) {
		rules := []string{"FREQ=DAILY;INTERVAL=2", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA,SU", "FREQ=MONTHLY;BYDAY=-1SU,2SA", "FREQ=DAILY;COUNT=3"}
		rule, anchor := rules[rng.IntN(len(rules))], around.AddDate(0, 0, rng.IntN(5)-4).Format(time.DateOnly)
		spec.Shifts = append(spec.Shifts, rotation(rule, anchor, randomShift(rng, len(spec.Shifts))))
	}
	for range rng.IntN(3) {
		from := around.AddDate(0, 0, rng.IntN(4)-2)
		ov := overrideOf(string(rune('p'+len(spec.Overrides))), from.Format(time.DateOnly), from.AddDate(0, 0, rng.IntN(2)).Format(time.DateOnly))
		for range rng.IntN(3) {
			ov.Shifts = append(ov.Shifts, randomShift(rng, len(ov.Shifts)))
		}
		spec.Overrides = append(spec.Overrides, ov)
	}
	return spec
}

// randomCalendars are up to two calendars which list most of the dates around the day.
func randomCalendars(rng *rand.Rand, around time.Time) []yingdav1.HolidayCalendarSpec {
	var calendars []yingdav1.HolidayCalendarSpec
	for range rng.IntN(3) {
		var days []yingdav1.CalendarDay
		for offset := -4; offset <= 4; offset++ {
			date := around.AddDate(0, 0, offset).Format(time.DateOnly)
			switch rng.IntN(5) {
			case 0:
				days = append(days, off(date))
			case 1:
				days = append(days, workday(date, everyDay()[rng.IntN(7)]))
			case 2:
				days = append(days, workday(date, ""))
			case 3:
				days = append(days, sale(date))
			}
		}
		calendars = append(calendars, calendarOf(days...))
	}
	return calendars
}

func randomShift(rng *rand.Rand, i int) yingdav1.Shift {
	sh := shiftOf(string(rune('a'+i)), randomStart(rng), randomDuration(rng, 24*60), rng.Int32N(3))
	for j := range rng.IntN(3) {
		sh.Peaks = append(sh.Peaks, peakOf(string(rune('x'+j)), startWithin(rng, &sh), randomDuration(rng, 6*60), rng.Int32N(5)))
	}
	return sh
}

// startWithin is a time of day at which the shift is on.
func startWithin(rng *rand.Rand, sh *yingdav1.Shift) string {
	start, _ := time.Parse("15:04", sh.Start)
	length, _ := time.ParseDuration(sh.Duration)
	return start.Add(time.Duration(rng.Int64N(int64(length/time.Minute))) * time.Minute).Format("15:04")
}

func randomStart(rng *rand.Rand) string {
	hour := rng.IntN(24)
	if rng.IntN(2) == 0 {
		hour = []int{22, 23, 0, 1, 2, 3}[rng.IntN(6)]
	}
	return time.Date(2026, 1, 1, hour, rng.IntN(4)*15, 0, 0, time.UTC).Format("15:04")
}

func randomDuration(rng *rand.Rand, most int) string {
	return strconv.Itoa(1+rng.IntN(most)) + "m"
}
