package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func shiftOf(name, start, duration string, n int32, peaks ...yingdav1.Peak) yingdav1.Shift {
	return yingdav1.Shift{Name: name, Start: start, Duration: duration, Seats: new(n), Peaks: peaks}
}

func peakOf(name, start, duration string, n int32) yingdav1.Peak {
	return yingdav1.Peak{Name: name, Start: start, Duration: duration, Seats: n}
}

func everyDay() []yingdav1.Weekday { return append(workdays(), weekend()...) }

func workdays() []yingdav1.Weekday {
	return []yingdav1.Weekday{yingdav1.Monday, yingdav1.Tuesday, yingdav1.Wednesday, yingdav1.Thursday, yingdav1.Friday}
}

func weekend() []yingdav1.Weekday { return []yingdav1.Weekday{yingdav1.Saturday, yingdav1.Sunday} }

func on(days []yingdav1.Weekday, shift yingdav1.Shift) yingdav1.WeeklyShift {
	return yingdav1.WeeklyShift{Days: days, Shift: shift}
}

func weekly(zone string, shifts ...yingdav1.WeeklyShift) yingdav1.ShiftScheduleSpec {
	return yingdav1.ShiftScheduleSpec{TimeZone: zone, Shifts: shifts}
}

func overridden(spec yingdav1.ShiftScheduleSpec, overrides ...yingdav1.ScheduleOverride) yingdav1.ShiftScheduleSpec {
	spec.Overrides = append(spec.Overrides, overrides...)
	return spec
}

func overrideOf(name, from, to string, shifts ...yingdav1.Shift) yingdav1.ScheduleOverride {
	return yingdav1.ScheduleOverride{Name: name, From: from, To: to, Shifts: shifts}
}

// lumi is the schedule of the sample brand.
func lumi() yingdav1.ShiftScheduleSpec {
	return overridden(weekly("Asia/Shanghai",
		on(workdays(), shiftOf("weekday", "09:00", "12h", 1, peakOf("noon", "12:00", "2h", 3), peakOf("evening", "19:00", "2h", 3))),
		on(weekend(), shiftOf("weekend", "10:00", "8h", 1)),
	), overrideOf("double-eleven", "2026-11-10", "2026-11-12", shiftOf("all-day", "00:00", "24h", 8)))
}

func night(zone string) yingdav1.ShiftScheduleSpec {
	return weekly(zone, on(everyDay(), shiftOf("night", "22:00", "8h", 2, peakOf("small-hours", "01:00", "2h", 5))))
}

func mustCompile(tb testing.TB, spec yingdav1.ShiftScheduleSpec) *Schedule {
	tb.Helper()
	s, err := Compile(spec)
	if err != nil {
		tb.Fatalf("compiling: %v", err)
	}
	return s
}

// parse reads a wall-clock time of the zone, or an instant with an offset where the wall clock says too little.
func parse(tb testing.TB, location *time.Location, text string) time.Time {
	tb.Helper()
	if at, err := time.Parse("2006-01-02 15:04 -07:00", text); err == nil {
		return at
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, location)
	if err != nil {
		tb.Fatal(err)
	}
	return at
}

func TestAt(t *testing.T) {
	t.Parallel()
	closed := State{}
	open := func(shift, peak string, n int32) State { return State{Open: true, Shift: shift, Peak: peak, Seats: n} }
	for name, tc := range map[string]struct {
		spec yingdav1.ShiftScheduleSpec
		at   string
		want State
	}{
		"before the shift it is closed":                {lumi(), "2026-11-23 08:59", closed},
		"the start is open":                            {lumi(), "2026-11-23 09:00", open("weekday", "", 1)},
		"a peak wants its own seats":                   {lumi(), "2026-11-23 12:00", open("weekday", "noon", 3)},
		"the end of a peak is outside of it":           {lumi(), "2026-11-23 14:00", open("weekday", "", 1)},
		"the end of the shift is closed":               {lumi(), "2026-11-23 21:00", closed},
		"the weekend has its own shift":                {lumi(), "2026-11-22 10:00", open("weekend", "", 1)},
		"an override replaces the shifts of its dates": {lumi(), "2026-11-11 12:00", open("all-day", "", 8)},
		"the first minute of an override":              {lumi(), "2026-11-10 00:00", open("all-day", "", 8)},
		"the day after an override is as usual":        {lumi(), "2026-11-13 00:00", closed},
		"an empty schedule is closed":                  {weekly(""), "2026-11-23 12:00", closed},
		"without a number a shift wants one seat": {
			weekly("UTC", on(everyDay(), yingdav1.Shift{Name: "day", Start: "09:00", Duration: "1h"})), "2026-11-23 09:30", open("day", "", 1),
		},
		"a shift may want no seats and is open": {
			weekly("UTC", on(everyDay(), shiftOf("bot", "00:00", "24h", 0))), "2026-11-23 09:30", open("bot", "", 0),
		},
		"a shift over midnight is on the next morning":               {night("UTC"), "2026-11-24 05:59", open("night", "", 2)},
		"a peak earlier than the start is on the next day":           {night("UTC"), "2026-11-24 01:00", open("night", "small-hours", 5)},
		"a shift that started before a closing override runs to end": {overridden(night("UTC"), overrideOf("holiday", "2026-11-24", "2026-11-24")), "2026-11-24 05:00", open("night", "", 2)},
		"an override without shifts closes its dates":                {overridden(night("UTC"), overrideOf("holiday", "2026-11-24", "2026-11-24")), "2026-11-24 23:00", closed},
		"the later override wins on a date of both":                  {overridden(lumi(), overrideOf("closed", "2026-11-11", "2026-11-11")), "2026-11-11 12:00", closed},
		"the later shift in the list wins where two overlap":         {weekly("UTC", on(everyDay(), shiftOf("a", "08:00", "8h", 1)), on(everyDay(), shiftOf("b", "12:00", "8h", 2))), "2026-11-23 13:00", open("b", "", 2)},
		"the earlier shift is on again when the later has ended":     {weekly("UTC", on(everyDay(), shiftOf("a", "08:00", "8h", 1)), on(everyDay(), shiftOf("b", "12:00", "1h", 2))), "2026-11-23 13:30", open("a", "", 1)},
		"last night's shift wins when it is later in the list":       {weekly("UTC", on(everyDay(), shiftOf("early", "05:00", "8h", 1)), on(everyDay(), shiftOf("night", "22:00", "8h", 2))), "2026-11-24 05:30", open("night", "", 2)},
		"an override's shift wins over one of the evening before":    {overridden(night("UTC"), overrideOf("sale", "2026-11-24", "2026-11-24", shiftOf("sale", "05:00", "1h", 9))), "2026-11-24 05:30", open("sale", "", 9)},
		"the later peak in the list wins where two overlap":          {weekly("UTC", on(everyDay(), shiftOf("a", "08:00", "8h", 1, peakOf("p", "09:00", "3h", 2), peakOf("q", "10:00", "1h", 3)))), "2026-11-23 10:30", open("a", "q", 3)},
		"what of a peak lies outside of its shift does not count":    {weekly("UTC", on(everyDay(), shiftOf("a", "08:00", "2h", 1, peakOf("p", "09:00", "3h", 2)))), "2026-11-23 10:00", closed},
		"days are those of the time zone":                            {weekly("America/New_York", on([]yingdav1.Weekday{yingdav1.Monday}, shiftOf("a", "20:00", "1h", 1))), "2026-11-24 01:30 +00:00", open("a", "", 1)},
		"a start that New York skips moves forward by the gap":       {weekly("America/New_York", on(everyDay(), shiftOf("a", "02:30", "1h", 1))), "2026-03-08 03:30 -04:00", open("a", "", 1)},
		"and not before": {weekly("America/New_York", on(everyDay(), shiftOf("a", "02:30", "1h", 1))), "2026-03-08 03:29 -04:00", closed},
		"a start that New York has twice is the first":                {weekly("America/New_York", on(everyDay(), shiftOf("a", "01:30", "30m", 1))), "2026-11-01 01:30 -04:00", open("a", "", 1)},
		"and not the second":                                          {weekly("America/New_York", on(everyDay(), shiftOf("a", "01:30", "30m", 1))), "2026-11-01 01:30 -05:00", closed},
		"a night in which Berlin's clocks go forward has eight hours": {night("Europe/Berlin"), "2026-03-29 06:59 +02:00", open("night", "", 2)},
		"and no more": {night("Europe/Berlin"), "2026-03-29 07:00 +02:00", closed},
		"a night in which Berlin's clocks go back has eight hours": {night("Europe/Berlin"), "2026-10-25 05:00 +01:00", closed},
		"and no less": {night("Europe/Berlin"), "2026-10-25 04:59 +01:00", open("night", "", 2)},
		"a day's shift over the change forward ends two dates later": {weekly("America/New_York", on([]yingdav1.Weekday{yingdav1.Saturday}, shiftOf("a", "23:30", "24h", 1))), "2026-03-09 00:29 -04:00", open("a", "", 1)},
		"St. John's went back into yesterday: today's shift goes on": {weekly("America/St_Johns", on([]yingdav1.Weekday{yingdav1.Sunday}, shiftOf("a", "00:00", "30m", 1))), "2006-10-28 23:15 -03:30", open("a", "", 1)},
		"Nuuk skips the last hour of a day: it starts the day after": {weekly("America/Nuuk", on([]yingdav1.Weekday{yingdav1.Saturday}, shiftOf("a", "23:30", "1h", 1))), "2026-03-29 00:30 -01:00", open("a", "", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustCompile(t, tc.spec)
			if diff := cmp.Diff(tc.want, s.At(parse(t, s.Location(), tc.at))); diff != "" {
				t.Errorf("At(%s) (-want +got):\n%s", tc.at, diff)
			}
		})
	}
}

func TestNextTransition(t *testing.T) {
	t.Parallel()
	const none = ""
	for name, tc := range map[string]struct {
		spec yingdav1.ShiftScheduleSpec
		at   string
		want string
	}{
		"closed: the next start":                                 {lumi(), "2026-11-23 08:00", "2026-11-23 09:00 +08:00"},
		"at a transition: the one after it":                      {lumi(), "2026-11-23 09:00", "2026-11-23 12:00 +08:00"},
		"in a peak: its end":                                     {lumi(), "2026-11-23 12:30", "2026-11-23 14:00 +08:00"},
		"a peak which ends with its shift: the end":              {lumi(), "2026-11-23 20:00", "2026-11-23 21:00 +08:00"},
		"over the weekend: the weekend's shift":                  {lumi(), "2026-11-20 21:00", "2026-11-21 10:00 +08:00"},
		"shifts of one name that touch are no transition":        {lumi(), "2026-11-10 00:00", "2026-11-13 00:00 +08:00"},
		"24 hours are not the whole of a day of 25":              {weekly("Europe/Berlin", on(everyDay(), shiftOf("a", "00:00", "24h", 1))), "2026-11-23 12:00", "2027-10-31 23:00 +01:00"},
		"around the clock in China: nothing ever changes":        {weekly("Asia/Shanghai", on(everyDay(), shiftOf("a", "00:00", "24h", 1))), "2026-11-23 12:00", none},
		"nothing is written: nothing ever changes":               {weekly("Asia/Shanghai"), "2026-11-23 12:00", none},
		"an override a year ahead is seen":                       {overridden(weekly("UTC"), overrideOf("sale", "2027-11-11", "2027-11-11", shiftOf("a", "10:00", "1h", 1))), "2026-11-23 12:00", "2027-11-11 10:00 +00:00"},
		"one beyond the look-ahead is not":                       {overridden(weekly("UTC"), overrideOf("sale", "2028-01-11", "2028-01-11", shiftOf("a", "10:00", "1h", 1))), "2026-11-23 12:00", none},
		"a shift that a stronger one hides has no transition":    {weekly("UTC", on(everyDay(), shiftOf("a", "10:00", "1h", 1)), on(everyDay(), shiftOf("b", "08:00", "8h", 1))), "2026-11-23 08:00", "2026-11-23 16:00 +00:00"},
		"a start that is skipped: the moved one":                 {weekly("America/New_York", on(everyDay(), shiftOf("a", "02:30", "1h", 1))), "2026-03-08 01:00", "2026-03-08 03:30 -04:00"},
		"a start that comes twice: the first":                    {weekly("America/New_York", on(everyDay(), shiftOf("a", "01:30", "1h", 1))), "2026-11-01 00:00", "2026-11-01 01:30 -04:00"},
		"at the second of the two: the next day":                 {weekly("America/New_York", on(everyDay(), shiftOf("a", "01:30", "30m", 1))), "2026-11-01 01:30 -05:00", "2026-11-02 01:30 -05:00"},
		"the last seconds before a transition belong before it":  {lumi(), "2026-11-23 08:59", "2026-11-23 09:00 +08:00"},
		"the end of a night over the change is in elapsed hours": {night("Europe/Berlin"), "2026-03-29 04:00", "2026-03-29 07:00 +02:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustCompile(t, tc.spec)
			got := none
			if next, ok := s.NextTransition(parse(t, s.Location(), tc.at)); ok {
				got = next.Format("2006-01-02 15:04 -07:00")
			}
			if got != tc.want {
				t.Errorf("NextTransition(%s) = %q, want %q", tc.at, got, tc.want)
			}
		})
	}
}

func TestNextOpening(t *testing.T) {
	t.Parallel()
	s := mustCompile(t, lumi())
	openNow := parse(t, s.Location(), "2026-11-23 12:34")
	if got, ok := s.NextOpening(openNow); !ok || !got.Equal(openNow) {
		t.Errorf("open now: NextOpening = %v, %t; want the moment itself", got, ok)
	}
	want := parse(t, s.Location(), "2026-11-23 09:00")
	if got, ok := s.NextOpening(parse(t, s.Location(), "2026-11-22 19:00")); !ok || !got.Equal(want) {
		t.Errorf("closed on Sunday evening: NextOpening = %v, %t; want %v", got, ok, want)
	}
	if got, ok := mustCompile(t, weekly("UTC")).NextOpening(openNow); ok {
		t.Errorf("never open: NextOpening = %v", got)
	}
}

func TestHours(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spec yingdav1.ShiftScheduleSpec
		at   string
		want string
	}{
		"one shift":                               {lumi(), "2026-11-23 03:00", "09:00-21:00"},
		"two shifts with a break":                 {weekly("UTC", on(everyDay(), shiftOf("b", "14:00", "4h", 1)), on(everyDay(), shiftOf("a", "10:00", "2h", 1))), "2026-11-23 13:00", "10:00-12:00, 14:00-18:00"},
		"shifts that touch are one":               {weekly("UTC", on(everyDay(), shiftOf("a", "10:00", "4h", 1)), on(everyDay(), shiftOf("b", "14:00", "4h", 1))), "2026-11-23 13:00", "10:00-18:00"},
		"shifts that overlap are one":             {weekly("UTC", on(everyDay(), shiftOf("a", "10:00", "8h", 1)), on(everyDay(), shiftOf("b", "12:00", "1h", 1))), "2026-11-23 13:00", "10:00-18:00"},
		"closed all day":                          {overridden(lumi(), overrideOf("holiday", "2026-11-23", "2026-11-23")), "2026-11-23 12:00", "休息"},
		"until midnight":                          {weekly("UTC", on(everyDay(), shiftOf("a", "20:00", "4h", 1))), "2026-11-23 13:00", "20:00-24:00"},
		"over midnight, after a night":            {night("UTC"), "2026-11-23 13:00", "00:00-06:00, 22:00-次日06:00"},
		"over midnight, the first night":          {weekly("UTC", on([]yingdav1.Weekday{yingdav1.Monday}, shiftOf("a", "22:00", "4h", 1))), "2026-11-23 13:00", "22:00-次日02:00"},
		"the morning after the last night":        {weekly("UTC", on([]yingdav1.Weekday{yingdav1.Monday}, shiftOf("a", "22:00", "4h", 1))), "2026-11-24 13:00", "00:00-02:00"},
		"around the clock":                        {lumi(), "2026-11-11 13:00", "00:00-24:00"},
		"the first day of many around the clock":  {weekly("UTC", on(workdays(), shiftOf("a", "09:00", "24h", 1))), "2026-11-23 13:00", "09:00-24:00"},
		"the last day of many around the clock":   {weekly("UTC", on(workdays(), shiftOf("a", "09:00", "24h", 1))), "2026-11-28 13:00", "00:00-09:00"},
		"the day is that of the time zone":        {lumi(), "2026-11-21 17:00 +00:00", "10:00-18:00"},
		"a start that is skipped is shown moved":  {weekly("America/New_York", on(everyDay(), shiftOf("a", "02:30", "2h", 1))), "2026-03-08 12:00", "03:30-05:30"},
		"a shift of seconds is not shown as none": {weekly("UTC", on(everyDay(), shiftOf("a", "10:00", "5s", 1))), "2026-11-23 13:00", "10:00-10:01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustCompile(t, tc.spec)
			if got := s.Hours(parse(t, s.Location(), tc.at)); got != tc.want {
				t.Errorf("Hours(%s) = %q, want %q", tc.at, got, tc.want)
			}
		})
	}
}

func TestANightOfEightHoursOverEachChangeOfClocks(t *testing.T) {
	t.Parallel()
	for zone, nights := range map[string]map[string]string{
		"America/New_York": {"2026-03-07": "07:00 -04:00", "2026-10-31": "05:00 -05:00", "2027-03-13": "07:00 -04:00", "2027-11-06": "05:00 -05:00"},
		"Europe/Berlin":    {"2026-03-28": "07:00 +02:00", "2026-10-24": "05:00 +01:00", "2027-03-27": "07:00 +02:00", "2027-10-30": "05:00 +01:00"},
		"Asia/Shanghai":    {"2026-03-28": "06:00 +08:00"},
	} {
		s := mustCompile(t, night(zone))
		for date, want := range nights {
			start := parse(t, s.Location(), date+" 22:00")
			shifts := s.Day(start).Shifts
			if len(shifts) != 1 || !shifts[0].From.Equal(start) || shifts[0].Until.Sub(start) != 8*time.Hour || shifts[0].Until.Format("15:04 -07:00") != want {
				t.Errorf("%s: the night of %s is %+v, want until %s", zone, date, shifts, want)
			}
		}
	}
}

func TestTheNightsOfAYearHaveEightHoursEach(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"America/New_York", "Europe/Berlin"} {
		s := mustCompile(t, night(zone))
		for _, year := range []int{2026, 2027} {
			noon := time.Date(year, 1, 1, 12, 0, 0, 0, s.Location())
			if got, want := s.BusinessTime(noon, noon.AddDate(1, 0, 0)), 365*8*time.Hour; got != want {
				t.Errorf("%s: the nights of %d have %v, want %v", zone, year, got, want)
			}
		}
	}
}
