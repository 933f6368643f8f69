package schedule

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	monday := []yingdav1.Weekday{yingdav1.Monday}
	day := func(change func(*yingdav1.WeeklyShift)) yingdav1.ShiftScheduleSpec {
		sh := on(monday, shiftOf("day", "09:00", "8h", 1, peakOf("noon", "12:00", "1h", 2)))
		change(&sh)
		return weekly("UTC", sh)
	}
	for name, tc := range map[string]struct {
		spec yingdav1.ShiftScheduleSpec
		want []string
	}{
		"the sample is valid":        {spec: lumi()},
		"an empty schedule is valid": {},
		"a peak that starts when its shift has ended": {
			spec: day(func(s *yingdav1.WeeklyShift) { s.Peaks[0].Start = "17:00" }),
			want: []string{`spec.shifts[0].peaks[0].start: Invalid value: "17:00": shift day, peak noon: the shift has ended by then; start the peak within the shift, or make the shift longer`},
		},
		"a peak that ends after its shift: the rest does not count": {
			spec: day(func(s *yingdav1.WeeklyShift) { s.Peaks[0].Start = "16:59" }),
		},
		"an unknown time zone": {
			spec: weekly("Asia/Peking"),
			want: []string{`spec.timeZone: Invalid value: "Asia/Peking": write an IANA time zone, for example Asia/Shanghai or Europe/Berlin`},
		},
		"the machine's time zone": {
			spec: weekly("Local"),
			want: []string{`spec.timeZone: Invalid value: "Local": write an IANA time zone, for example Asia/Shanghai or Europe/Berlin`},
		},
		"a shift without days": {
			spec: day(func(s *yingdav1.WeeklyShift) { s.Days = nil }),
			want: []string{"spec.shifts[0].days: Required value: shift day: list the days on which it starts, or set rrule and anchorDate"},
		},
		"a rotation is valid": {
			spec: weekly("UTC", rotation("FREQ=WEEKLY;INTERVAL=2", "2026-01-05", shiftOf("day", "09:00", "8h", 1))),
		},
		"a rotation with days": {
			spec: day(func(s *yingdav1.WeeklyShift) { s.RRule, s.AnchorDate = "FREQ=DAILY", "2026-01-05" }),
			want: []string{`spec.shifts[0].days: Invalid value: ["Mon"]: shift day: set either days or rrule, not both`},
		},
		"a rotation without its anchor": {
			spec: weekly("UTC", rotation("FREQ=DAILY", "", shiftOf("day", "09:00", "8h", 1))),
			want: []string{"spec.shifts[0].anchorDate: Required value: shift day: set the date from which its rrule counts"},
		},
		"an anchor without a rotation": {
			spec: day(func(s *yingdav1.WeeklyShift) { s.AnchorDate = "2026-01-05" }),
			want: []string{`spec.shifts[0].anchorDate: Invalid value: "2026-01-05": shift day: set anchorDate only with rrule`},
		},
		"an anchor that does not exist": {
			spec: weekly("UTC", rotation("FREQ=DAILY", "2026-02-29", shiftOf("day", "09:00", "8h", 1))),
			want: []string{`spec.shifts[0].anchorDate: Invalid value: "2026-02-29": shift day: write a date that exists as YYYY-MM-DD`},
		},
		"a rule that is not supported": {
			spec: weekly("UTC", rotation("FREQ=OFTEN", "2026-01-05", shiftOf("day", "09:00", "8h", 1))),
			want: []string{`spec.shifts[0].rrule: Invalid value: "FREQ=OFTEN": shift day: start with FREQ=DAILY, FREQ=WEEKLY or FREQ=MONTHLY; ` + supported},
		},
		"a day that does not exist, and one twice": {
			spec: day(func(s *yingdav1.WeeklyShift) { s.Days = []yingdav1.Weekday{"Monday", "Mon", "Mon"} }),
			want: []string{
				`spec.shifts[0].days[0]: Unsupported value: "Monday": supported values: "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"`,
				`spec.shifts[0].days[2]: Duplicate value: "Mon"`,
			},
		},
		"a start that is no time": {
			spec: day(func(s *yingdav1.WeeklyShift) { s.Start = "24:00" }),
			want: []string{`spec.shifts[0].start: Invalid value: "24:00": shift day: write the start as HH:MM from 00:00 to 23:59`},
		},
		"a start without its zero": {
			spec: day(func(s *yingdav1.WeeklyShift) { s.Start = "9:00" }),
			want: []string{`spec.shifts[0].start: Invalid value: "9:00": shift day: write the start as HH:MM from 00:00 to 23:59`},
		},
		"a duration over a day": {
			spec: day(func(s *yingdav1.WeeklyShift) { s.Duration = "24h1s" }),
			want: []string{`spec.shifts[0].duration: Invalid value: "24h1s": shift day: the duration must be over 0 and at most 24h`},
		},
		"a peak of no duration": {
			spec: day(func(s *yingdav1.WeeklyShift) { s.Peaks[0].Duration = "0s" }),
			want: []string{`spec.shifts[0].peaks[0].duration: Invalid value: "0s": shift day, peak noon: the duration must be over 0 and at most 24h`},
		},
		"a peak with a duration of another form": {
			spec: day(func(s *yingdav1.WeeklyShift) { s.Peaks[0].Duration = "two hours" }),
			want: []string{`spec.shifts[0].peaks[0].duration: Invalid value: "two hours": shift day, peak noon: write whole hours, minutes and seconds, for example 1h30m`},
		},
		"too many seats and too few": {
			spec: day(func(s *yingdav1.WeeklyShift) { s.Seats, s.Peaks[0].Seats = new(int32(10_001)), -1 }),
			want: []string{
				"spec.shifts[0].seats: Invalid value: 10001: shift day: seats must be from 0 to 10000",
				"spec.shifts[0].peaks[0].seats: Invalid value: -1: shift day, peak noon: seats must be from 0 to 10000",
			},
		},
		"two shifts of one name": {
			spec: weekly("UTC", on(monday, shiftOf("a", "09:00", "1h", 1)), on(monday, shiftOf("a", "10:00", "1h", 1))),
			want: []string{`spec.shifts[1].name: Duplicate value: "a"`},
		},
		"a shift without name": {
			spec: weekly("UTC", on(monday, shiftOf("", "09:00", "1h", 1))),
			want: []string{"spec.shifts[0].name: Required value: give the shift a name"},
		},
		"an override on a date that does not exist": {
			spec: overridden(weekly("UTC"), overrideOf("leap", "2026-02-29", "2026-03-01")),
			want: []string{`spec.overrides[0].from: Invalid value: "2026-02-29": override leap: write a date that exists as YYYY-MM-DD`},
		},
		"an override that ends before it begins": {
			spec: overridden(weekly("UTC"), overrideOf("sale", "2026-11-12", "2026-11-11")),
			want: []string{`spec.overrides[0].to: Invalid value: "2026-11-11": override sale: to must not be before from`},
		},
		"a broken shift of an override": {
			spec: overridden(weekly("UTC"), overrideOf("sale", "2026-11-11", "2026-11-11", shiftOf("all-day", "noon", "1h", 1))),
			want: []string{`spec.overrides[0].shifts[0].start: Invalid value: "noon": override sale, shift all-day: write the start as HH:MM from 00:00 to 23:59`},
		},
		"what to do on holidays that is none": {
			spec: onHoliday(weekly("UTC"), "Open"),
			want: []string{`spec.onHoliday: Unsupported value: "Open": supported values: "Closed", "LikeSunday", "AsUsual"`},
		},
		"a calendar twice, and one without a name": {
			spec: referring("china", "china", ""),
			want: []string{
				`spec.calendarRefs[1].name: Duplicate value: "china"`,
				"spec.calendarRefs[2].name: Required value: give the calendar a name",
			},
		},
		"more calendars than the schema allows": {
			spec: referring("a", "b", "c", "d", "e", "f", "g", "h", "i"),
			want: []string{"spec.calendarRefs: Too many: 9: must have at most 8 items"},
		},
		"more shifts than the schema allows": {
			spec: yingdav1.ShiftScheduleSpec{Shifts: make([]yingdav1.WeeklyShift, 33)},
			want: []string{"spec.shifts: Too many: 33: must have at most 32 items"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, err := range Validate(tc.spec) {
				got = append(got, err.Error())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Validate (-want +got):\n%s", diff)
			}
			if _, err := Compile(tc.spec); (err != nil) != (len(tc.want) > 0) {
				t.Errorf("Compile: %v, but Validate found %d mistakes", err, len(tc.want))
			}
		})
	}
}

func referring(names ...string) yingdav1.ShiftScheduleSpec {
	var spec yingdav1.ShiftScheduleSpec
	for _, name := range names {
		spec.CalendarRefs = append(spec.CalendarRefs, yingdav1.HolidayCalendarReference{Name: name})
	}
	return spec
}

// FuzzCompile holds that what compiles can be asked: nothing panics, a transition lies ahead and is one, and the hours of a
// day in which something is open are not "closed".
func FuzzCompile(f *testing.F) {
	f.Add("Asia/Shanghai", "Mon,Tue", "09:00", "12h", int32(1), "12:00", "2h", int32(3), "2026-11-10", "2026-11-12", "2026-11-22", "Workday", "Wed", "", int64(1795395600))
	f.Add("America/New_York", "Sat,Sun", "02:30", "24h", int32(0), "01:30", "24h", int32(0), "2026-03-09", "2026-03-09", "2026-03-08", "DayOff", "", "LikeSunday", int64(1772953200))
	f.Add("Pacific/Apia", "Fri", "12:00", "24h", int32(2), "23:59", "1s", int32(1), "2011-12-29", "2011-12-29", "2011-12-30", "Peak", "", "AsUsual", int64(1325239200))
	f.Add("Local", "Mo", "9:00", "1.5h", int32(-1), "", "", int32(0), "0000-00-00", "9999-12-31", "10-1", "Off", "Mo", "Open", int64(-1))
	f.Fuzz(func(t *testing.T, zone, days, start, duration string, n int32, peakStart, peakDuration string, peakSeats int32, from, to, date, kind, follows, policy string, unix int64) {
		var weekdays []yingdav1.Weekday
		for d := range strings.SplitSeq(days, ",") {
			weekdays = append(weekdays, yingdav1.Weekday(d))
		}
		sh := shiftOf("a", start, duration, n, peakOf("p", peakStart, peakDuration, peakSeats))
		spec := overridden(weekly(zone, on(weekdays, sh), on(weekdays, shiftOf("b", peakStart, duration, n))), overrideOf("o", from, to, sh))
		spec.OnHoliday = yingdav1.HolidayPolicy(policy)
		var calendars []*Calendar
		day := yingdav1.CalendarDay{Date: date, Kind: yingdav1.CalendarDayKind(kind), Follows: yingdav1.Weekday(follows)}
		if calendar, err := CompileCalendar(calendarOf(day)); err == nil {
			calendars = append(calendars, calendar)
		}
		s, err := Compile(spec, calendars...)
		if err != nil {
			if len(Validate(spec)) == 0 {
				t.Fatalf("Compile refuses what Validate allows: %v", err)
			}
			return
		}
		at := time.Unix(unix%(1<<36), 0) // some two thousand years around 1970
		state := s.At(at)
		if next, ok := s.NextTransition(at); ok {
			if !next.After(at) || s.At(next) == state || s.At(next.Add(-time.Second)) != state {
				t.Errorf("from %v (%+v) the transition to %+v at %v is none", at, state, s.At(next), next)
			}
		}
		if hours := s.Hours(at); state.Open && hours == closedAllDay {
			t.Errorf("open at %v, but the hours are %q", at.In(s.Location()), hours)
		}
	})
}
