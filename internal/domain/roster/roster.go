// Package roster compares the seats of a ShiftSchedule with those that a group's own history makes one expect to need, hour by
// hour of one or several weeks, and writes the schedule that covers them.
//
// It reads no clock and no files, and it writes to nobody: who calls it shows what comes out, and people decide.
//
// Invariants:
//   - Seats are those on duty, as they are in the schedule and in a SkillGroup's status. How many people to roster for them is
//     beside them.
//   - When a group is open is decided by its schedule alone. What is expected while it is closed is counted, not staffed.
//   - The schedule that Cover writes is open exactly when the old one is, and has at least the wanted seats in every hour of the weeks
//     but for one in which clocks change.
//   - What would be a guess is refused: a history without a day of each weekday, one that says nothing of handling times, dates too
//     far behind it.
package roster

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

const (
	daysAWeek = 7
	// MaxWeeks is how many weeks may be planned at once.
	MaxWeeks = 12
	// maxAhead is how many days after the history the last planned one may be: a quarter, after which a season is another one.
	maxAhead = 91
)

// Interval is what came in a span of the history: an hour or less.
type Interval struct {
	Start    time.Time
	Contacts float64
	// Handling is the mean handling time of these contacts; 0 where nobody knows it.
	Handling time.Duration
}

// Question is what weeks are planned from.
type Question struct {
	Schedule yingdav1.ShiftScheduleSpec
	// Calendars that the schedule refers to, in its order.
	Calendars []yingdav1.HolidayCalendarSpec
	History   []Interval
	// From is the first date, YYYY-MM-DD. Empty means the first Monday after the history.
	From string
	// Weeks is how many are planned, 1 to MaxWeeks; 0 means as many as it takes until the schedule's rotations begin anew.
	Weeks int
	// Target is asked of every hour.
	Target staffing.Target
	// Concurrency is how many contacts one seat serves at once.
	Concurrency float64
}

// Weeks are planned ones, one after the other.
type Weeks struct {
	// Hours in order.
	Hours []Hour
	// Known are the dates of the history from which they are planned.
	Known Span
	// Handling is the mean handling time of the history.
	Handling time.Duration
	// Accuracy is that of forecasts made a week ahead from this history.
	Accuracy staffing.Accuracy

	spec yingdav1.ShiftScheduleSpec
	// wanted by the shifts that are on in these weeks.
	wanted map[occurrence]*[24]int32
	// peaks are the dates that a calendar gives as sales peaks.
	peaks map[string]bool
}

// Span is from one date to another, both included, as midnights in UTC.
type Span struct{ First, Last time.Time }

// Days is how many dates there are.
func (s Span) Days() int { return int(s.Last.Sub(s.First).Hours()/24) + 1 }

// Hour is an hour of a planned week.
type Hour struct {
	// Start by the schedule's clock.
	Start time.Time
	// Open is how much of the hour a shift is on.
	Open time.Duration
	// Shift and Peak are the first that are on; empty while closed.
	Shift, Peak string
	// Scheduled is the smallest number of seats that the schedule wants while it is open.
	Scheduled int32
	// Expected are the contacts that are expected in the hour.
	Expected float64
	// Recommended is what they want, coming while it is open.
	Recommended staffing.Recommendation
}

// Wanted is how many seats are wanted on duty: what is recommended, and whoever is open needs somebody.
func (h Hour) Wanted() int32 {
	if h.Open == 0 {
		return 0
	}
	return max(h.Recommended.OnDuty, 1)
}

// Short reports whether the schedule has fewer seats than are wanted.
func (h Hour) Short() bool { return h.Scheduled < h.Wanted() }

// Plan compares weeks.
func Plan(question Question) (*Weeks, error) {
	compiled, err := compile(question)
	if err != nil {
		return nil, err
	}
	history := hoursOf(question.History, compiled.asked)
	if len(history) == 0 {
		return nil, errors.New("the history has no contacts: nothing can be planned from it")
	}
	first, err := firstDay(question.From, history[len(history)-1].Day.Date)
	if err != nil {
		return nil, err
	}
	days := daysAWeek * cmp.Or(question.Weeks, compiled.asked.Weeks(MaxWeeks))
	last := first.AddDate(0, 0, days-1)
	known := before(history, first)
	span, err := enough(known, first, last)
	if err != nil {
		return nil, err
	}
	weeks := &Weeks{
		Known:    span,
		Handling: handling(question.History),
		Accuracy: staffing.Backtest(known, daysAWeek),
		spec:     question.Schedule,
		wanted:   map[occurrence]*[24]int32{},
		peaks:    map[string]bool{},
	}
	if weeks.Handling == 0 {
		return nil, errors.New("the history does not say how long contacts take: seats cannot be reckoned without their handling time")
	}
	for n := range days {
		day := dayOn(compiled.asked, first.AddDate(0, 0, n))
		weeks.peaks[day.Date.Format(time.DateOnly)] = day.Kind == staffing.Peak
		weeks.plan(question, compiled, day, staffing.Forecast(known, day))
	}
	return weeks, nil
}

// Idle are the names of the weekly shifts that are on in none of the planned weeks, and so keep the seats that they have.
func (w *Weeks) Idle() []string {
	on := map[string]bool{}
	for one := range w.wanted {
		on[one.shift] = true
	}
	var names []string
	for i := range w.spec.Shifts {
		if !on[weeklyID(i)] {
			names = append(names, w.spec.Shifts[i].Name)
		}
	}
	return names
}

// plan adds the hours of a day: 23 or 25 of them where clocks change.
func (w *Weeks) plan(question Question, compiled *schedules, day staffing.Day, expected [24]float64) {
	start := func(date time.Time) time.Time {
		return time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, compiled.asked.Location())
	}
	for at := start(day.Date); at.Before(start(day.Date.AddDate(0, 0, 1))); at = at.Add(time.Hour) {
		hour := Hour{Start: at, Expected: expected[at.Hour()]}
		var on []occurrence
		for minute := at; minute.Before(at.Add(time.Hour)); minute = minute.Add(time.Minute) {
			state := compiled.asked.At(minute)
			if !state.Open {
				continue
			}
			if hour.Open == 0 {
				hour.Shift, hour.Peak, hour.Scheduled = state.Shift, state.Peak, state.Seats
			}
			hour.Open += time.Minute
			hour.Scheduled = min(hour.Scheduled, state.Seats)
			on = append(on, compiled.on(minute))
		}
		hour.Recommended = staffing.Recommend(question.load(hour, w.Handling), question.Target)
		for _, one := range on {
			w.want(one, at.Hour(), hour.Wanted())
		}
		w.Hours = append(w.Hours, hour)
	}
}

func (w *Weeks) want(one occurrence, hour int, seats int32) {
	if w.wanted[one] == nil {
		w.wanted[one] = new([24]int32)
	}
	w.wanted[one][hour] = max(w.wanted[one][hour], seats)
}

// load is what comes while a shift is on: all of an hour's contacts, in the part of it that is open.
func (q Question) load(hour Hour, handling time.Duration) staffing.Load {
	if hour.Open == 0 {
		return staffing.Load{}
	}
	return staffing.Load{Arrivals: hour.Expected / hour.Open.Hours(), Handling: handling, Concurrency: q.Concurrency}
}

// occurrence is a shift that starts on a date.
type occurrence struct {
	shift string
	date  string
}

// schedules are a schedule as it was asked about, and one that tells its shifts apart: two may have one name.
type schedules struct {
	asked, named *schedule.Schedule
	starts       map[string]string
}

func compile(question Question) (*schedules, error) {
	calendars := make([]*schedule.Calendar, 0, len(question.Calendars))
	for _, spec := range question.Calendars {
		calendar, err := schedule.CompileCalendar(spec)
		if err != nil {
			return nil, fmt.Errorf("compiling a calendar: %w", err)
		}
		calendars = append(calendars, calendar)
	}
	asked, err := schedule.Compile(question.Schedule, calendars...)
	if err != nil {
		return nil, fmt.Errorf("compiling the schedule: %w", err)
	}
	spec := question.Schedule.DeepCopy()
	starts := map[string]string{}
	each(spec, func(id string, shift *yingdav1.Shift) {
		starts[id] = shift.Start
		shift.Name, shift.Peaks = id, nil
	})
	named, err := schedule.Compile(*spec, calendars...)
	if err != nil {
		return nil, fmt.Errorf("compiling the schedule: %w", err)
	}
	return &schedules{asked: asked, named: named, starts: starts}, nil
}

// on is the shift that is on at a time: one that starts later by the clock than it is now has started the day before.
func (s *schedules) on(t time.Time) occurrence {
	id := s.named.At(t).Shift
	date := t
	if t.Format("15:04") < s.starts[id] {
		date = date.AddDate(0, 0, -1)
	}
	return occurrence{shift: id, date: date.Format(time.DateOnly)}
}

// weeklyPrefix starts the names of weekly shifts.
const weeklyPrefix = "weekly-"

func weeklyID(i int) string { return weeklyPrefix + strconv.Itoa(i) }

// each calls a function for every shift of a schedule, with a name that no other has.
func each(spec *yingdav1.ShiftScheduleSpec, call func(id string, shift *yingdav1.Shift)) {
	for i := range spec.Shifts {
		call(weeklyID(i), &spec.Shifts[i].Shift)
	}
	for i := range spec.Overrides {
		for j := range spec.Overrides[i].Shifts {
			call(fmt.Sprintf("override-%d-%d", i, j), &spec.Overrides[i].Shifts[j])
		}
	}
}
