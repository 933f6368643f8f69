package roster

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

// office is open on weekdays with two peaks, and on weekends.
func office() yingdav1.ShiftScheduleSpec {
	return yingdav1.ShiftScheduleSpec{
		TimeZone:     "Asia/Shanghai",
		CalendarRefs: []yingdav1.HolidayCalendarReference{{Name: "china"}},
		OnHoliday:    yingdav1.HolidayLikeSunday,
		Shifts: []yingdav1.WeeklyShift{
			{
				Days: []yingdav1.Weekday{"Mon", "Tue", "Wed", "Thu", "Fri"},
				Shift: yingdav1.Shift{Name: "weekday", Start: "09:30", Duration: "10h30m", Peaks: []yingdav1.Peak{
					{Name: "noon", Start: "12:00", Duration: "2h", Seats: 3},
				}},
			},
			{Days: []yingdav1.Weekday{"Sat", "Sun"}, Shift: yingdav1.Shift{Name: "weekend", Start: "10:00", Duration: "8h"}},
		},
	}
}

// promise leaves occupancy and shrinkage out.
func promise() staffing.Target { return staffing.Target{Within: 2 * time.Minute, Percent: 90} }

// usual is a history of four weeks from Monday 2026-10-05 with 6 contacts in each hour from 9 to 21, and 60 at noon.
func usual(zone *time.Location) []Interval {
	var history []Interval
	for day := range 28 {
		for hour := 9; hour < 21; hour++ {
			interval := Interval{Start: time.Date(2026, 10, 5+day, hour, 0, 0, 0, zone), Contacts: 6, Handling: 5 * time.Minute}
			if hour == 12 {
				interval.Contacts = 60
			}
			history = append(history, interval)
		}
	}
	return history
}

func shanghai(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestPlanComparesHours(t *testing.T) {
	week, err := Plan(Question{Schedule: office(), History: usual(shanghai(t)), Target: promise()})
	if err != nil {
		t.Fatal(err)
	}
	for hour, want := range map[int]string{
		8:         "Mon 2026-11-02 08:00 closed, 0 expected: 0 of 0",
		9:         "Mon 2026-11-02 09:00 weekday, 6 expected: 1 of 3",
		10:        "Mon 2026-11-02 10:00 weekday, 6 expected: 1 of 2",
		12:        "Mon 2026-11-02 12:00 weekday noon, 60 expected: 3 of 8",
		20:        "Mon 2026-11-02 20:00 closed, 6 expected: 0 of 0",
		5*24 + 17: "Sat 2026-11-07 17:00 weekend, 6 expected: 1 of 2",
		6*24 + 23: "Sun 2026-11-08 23:00 closed, 0 expected: 0 of 0",
	} {
		h := week.Hours[hour]
		on := strings.TrimSpace(h.Shift + " " + h.Peak)
		if on == "" {
			on = "closed"
		}
		got := fmt.Sprintf("%s %s, %.0f expected: %d of %d", h.Start.Format("Mon 2006-01-02 15:04"), on, h.Expected, h.Scheduled, h.Wanted())
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if len(week.Hours) != 7*24 || week.Handling != 5*time.Minute {
		t.Errorf("%d hours of contacts handled in %s", len(week.Hours), week.Handling)
	}
}

func TestCover(t *testing.T) {
	zone := shanghai(t)
	calendar := func(days ...yingdav1.CalendarDay) []yingdav1.HolidayCalendarSpec {
		return []yingdav1.HolidayCalendarSpec{{Days: days}}
	}
	peak := func(name, start, length string, seats int32) yingdav1.Peak {
		return yingdav1.Peak{Name: name, Start: start, Duration: length, Seats: seats}
	}
	covered := func(peaks ...yingdav1.Peak) yingdav1.ShiftScheduleSpec {
		spec := office()
		spec.Shifts[0].Seats, spec.Shifts[0].Peaks = new(int32(2)), peaks
		spec.Shifts[1].Seats = new(int32(2))
		spec.Shifts[1].Peaks = []yingdav1.Peak{peak("peak-1200", "12:00", "1h", 8)}
		return spec
	}
	usually := []yingdav1.Peak{peak("peak-0930", "09:30", "30m", 3), peak("noon", "12:00", "1h", 8)}
	for name, tt := range map[string]struct {
		change    func(history []Interval) []Interval
		calendars []yingdav1.HolidayCalendarSpec
		want      func(spec *yingdav1.ShiftScheduleSpec)
	}{
		"peaks follow what is wanted, and keep their names": {},
		"the busiest day of a shift decides": {change: func(history []Interval) []Interval {
			for i := range history {
				if history[i].Start.Weekday() == time.Tuesday && history[i].Start.Hour() == 19 {
					history[i].Contacts = 30
				}
			}
			return history
		}, want: func(spec *yingdav1.ShiftScheduleSpec) {
			spec.Shifts[0].Peaks = append(spec.Shifts[0].Peaks, peak("peak-1900", "19:00", "1h", 5))
		}},
		"a sales peak is an override of its date": {
			change: func(history []Interval) []Interval {
				for i := range history {
					if history[i].Start.Day() == 14 && history[i].Start.Hour() == 15 {
						history[i].Contacts = 60
					}
				}
				return history
			},
			calendars: calendar(yingdav1.CalendarDay{Date: "2026-10-14", Kind: "Peak"}, yingdav1.CalendarDay{Date: "2026-11-04", Kind: "Peak"}),
			want: func(spec *yingdav1.ShiftScheduleSpec) {
				special := *spec.Shifts[0].Shift.DeepCopy()
				special.Peaks = append(special.Peaks, peak("peak-1500", "15:00", "1h", 8))
				spec.Overrides = []yingdav1.ScheduleOverride{
					{Name: "peak-2026-11-04", From: "2026-11-04", To: "2026-11-04", Shifts: []yingdav1.Shift{special}},
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			history, want := usual(zone), covered(usually...)
			if tt.change != nil {
				history = tt.change(history)
			}
			if tt.want != nil {
				tt.want(&want)
			}
			week, err := Plan(Question{Schedule: office(), Calendars: tt.calendars, History: history, Target: promise()})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, week.Cover()); diff != "" {
				t.Errorf("covering schedule (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingToPlanFrom(t *testing.T) {
	history := usual(shanghai(t))
	silent := usual(shanghai(t))
	for i := range silent {
		silent[i].Handling = 0
	}
	for want, question := range map[string]Question{
		"the history has no contacts":                                                      {Schedule: office()},
		"the history has no day before 2026-10-05":                                         {Schedule: office(), History: history, From: "2026-10-05"},
		"the history before 2026-10-09 has 4 of the days that a forecast takes: give it 7": {Schedule: office(), History: history, From: "2026-10-09"},
		"the history ends on 2026-11-01, too long before 2027-03-07 to say anything of it: take a newer one, or plan dates until 2027-01-31": {Schedule: office(), History: history, From: "2027-03-01"},
		"the history does not say how long contacts take": {Schedule: office(), History: silent},
		"write it as YYYY-MM-DD":                          {Schedule: office(), History: history, From: "5.10."},
		"compiling the schedule: spec.timeZone":           {Schedule: yingdav1.ShiftScheduleSpec{TimeZone: "Mars"}, History: history},
	} {
		if _, err := Plan(question); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestRotationsArePlannedUntilTheyBeginAnew(t *testing.T) {
	turn := func(name, rule, anchor string) yingdav1.WeeklyShift {
		return yingdav1.WeeklyShift{RRule: rule, AnchorDate: anchor, Shift: yingdav1.Shift{Name: name, Start: "12:00", Duration: "1h"}}
	}
	spec := office()
	spec.Shifts = []yingdav1.WeeklyShift{
		turn("a", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-11-02"), turn("b", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-11-09"),
		turn("gone", "FREQ=WEEKLY;UNTIL=20261001", "2026-09-01"),
	}
	for weeks, want := range map[int]struct {
		hours int
		seats []int32
		idle  []string
	}{
		0: {2 * 7 * 24, []int32{8, 8, 1}, []string{"gone"}},
		1: {7 * 24, []int32{8, 1, 1}, []string{"b", "gone"}},
		3: {3 * 7 * 24, []int32{8, 8, 1}, []string{"gone"}},
	} {
		planned, err := Plan(Question{Schedule: spec, History: usual(shanghai(t)), Target: promise(), Weeks: weeks})
		if err != nil {
			t.Fatal(err)
		}
		var seats []int32
		for _, shift := range planned.Cover().Shifts {
			seats = append(seats, max(1, ptr.Deref(shift.Seats, 1)))
		}
		if diff := cmp.Diff(want.seats, seats); diff != "" || len(planned.Hours) != want.hours {
			t.Errorf("%d weeks have %d hours and seats (-want +got):\n%s", weeks, len(planned.Hours), diff)
		}
		if diff := cmp.Diff(want.idle, planned.Idle()); diff != "" {
			t.Errorf("idle in %d weeks (-want +got):\n%s", weeks, diff)
		}
	}
}

// TestCoverCovers plans random schedules again after they were covered.
func TestCoverCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 1))
	for range 40 {
		question := Question{Schedule: randomSchedule(random), History: randomHistory(random), Target: promise()}
		week, err := Plan(question)
		if err != nil {
			t.Fatal(err)
		}
		before, err := schedule.Compile(question.Schedule)
		if err != nil {
			t.Fatal(err)
		}
		question.Schedule = week.Cover()
		again, err := Plan(question)
		if err != nil {
			t.Fatalf("%+v: %v", question.Schedule, err)
		}
		after, err := schedule.Compile(question.Schedule)
		if err != nil {
			t.Fatal(err)
		}
		for i, hour := range again.Hours {
			if hour.Short() {
				t.Fatalf("%s is still short by %+v, %d, with %+v", hour.Start, hour, hour.Wanted(), question.Schedule)
			}
			if hour.Wanted() != week.Hours[i].Wanted() {
				t.Fatalf("%s wants %d after %d", hour.Start, hour.Wanted(), week.Hours[i].Wanted())
			}
		}
		for at := week.Hours[0].Start; at.Before(again.Hours[len(again.Hours)-1].Start); at = at.Add(7 * time.Minute) {
			if was, is := before.At(at), after.At(at); was.Open != is.Open || was.Shift != is.Shift {
				t.Fatalf("%s was %+v and is %+v", at, was, is)
			}
		}
	}
}

func randomSchedule(random *rand.Rand) yingdav1.ShiftScheduleSpec {
	spec := yingdav1.ShiftScheduleSpec{TimeZone: "Asia/Shanghai"}
	days := []yingdav1.Weekday{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
	shift := func(i int) yingdav1.Shift {
		return yingdav1.Shift{
			Name:     fmt.Sprintf("shift-%d", i),
			Start:    fmt.Sprintf("%02d:%02d", random.IntN(24), 15*random.IntN(4)),
			Duration: fmt.Sprintf("%dm", 15*(1+random.IntN(96))),
		}
	}
	for i := range 1 + random.IntN(4) {
		from := random.IntN(7)
		spec.Shifts = append(spec.Shifts, yingdav1.WeeklyShift{Days: days[from : from+1+random.IntN(7-from)], Shift: shift(i)})
	}
	if random.IntN(2) == 0 {
		spec.Overrides = []yingdav1.ScheduleOverride{{Name: "special", From: "2026-11-03", To: "2026-11-04", Shifts: []yingdav1.Shift{shift(0), shift(1)}}}
	}
	return spec
}

func randomHistory(random *rand.Rand) []Interval {
	var history []Interval
	for hour := range 28 * 24 {
		history = append(history, Interval{
			Start:    time.Date(2026, 10, 5, hour, 0, 0, 0, time.UTC),
			Contacts: float64(random.IntN(60)), Handling: time.Duration(1+random.IntN(9)) * time.Minute,
		})
	}
	return history
}
