// Package schedule answers when a ShiftSchedule is open, which shift and peak are on, how many seats it wants and when that
// changes next. One compiled Schedule serves the bot's texts, routing, promises and status, so that they cannot disagree.
//
// The package reads no clock: every question carries its time. A compiled Schedule never changes and may be asked by many
// goroutines at once. Nothing is expanded ahead: a question about a moment looks at the few dates around it, without
// allocating.
//
// Invariants:
//   - Days and wall-clock times are those of the schedule's time zone; durations are elapsed time. A start that the zone
//     skips moves forward by the gap; one that it has twice is the first. So a shift never loses or repeats work when clocks
//     change, and no shift is on before it was written.
//   - A shift belongs to the date on which it starts. An override replaces what starts on its dates, and nothing else: a
//     shift that started the evening before runs to its end.
//   - Calendars choose which weekday's shifts start on a date, and nothing else; of two that list it the later wins. An
//     override wins over all of them.
//   - A rotation starts by its rule, on dates that start shifts. Days, weeks and months are counted by the date; BYDAY is
//     compared with the weekday that the calendars make of it, as days are, but for one like 2MO: that is the date's own.
//   - Of shifts that overlap one is on: of the weekly ones the later in the list, an override's before a weekly one, a later
//     override's before an earlier one's, the one that started last if it overlaps itself. Seats are those of the shift
//     that is on; they do not add up. Overlapping peaks follow the list as well, and what of a peak lies outside of its
//     shift does not count.
//   - Between t and NextTransition(t) the State is constant, and there it differs. Two shifts of one name and number of seats
//     that follow each other are no transition.
package schedule

import (
	"slices"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// secondsADay is the length of a calendar day on the wall clock, which knows no changes of clocks.
const secondsADay = 24 * 60 * 60

// ToTheMinute is RFC 3339 without seconds, which shifts do not have.
const ToTheMinute = "2006-01-02T15:04Z07:00"

// State is what is on at a moment. The zero State is closed.
type State struct {
	// Open says whether a shift is on.
	Open bool
	// Shift is the name of the shift that is on.
	Shift string
	// Peak is the name of the peak that is on.
	Peak string
	// Seats is the number of seats wanted.
	Seats int32
}

// Schedule is a compiled ShiftSchedule.
type Schedule struct {
	location *time.Location
	// weekly are the shifts that may start on a weekday, by time.Weekday, the strongest first; rotations are in each list.
	weekly [7][]shift
	// overrides, the strongest first.
	overrides []override
	// calendars, the strongest first.
	calendars []*Calendar
	// onHoliday is what starts on their days off.
	onHoliday pattern
}

// shift is a shift as it starts on any date. Times are seconds of the wall clock since midnight.
type shift struct {
	// rank decides between overlapping shifts: the higher is on.
	rank     int
	name     string
	start    int64
	duration int64
	seats    int32
	// peaks, the strongest first.
	peaks []peak
	// rule of a rotation; nil for a shift that starts whenever its list does.
	rule *rule
}

// startsOn reports whether a shift of the list of a weekday starts on a day that counts as that.
func (sh *shift) startsOn(day int64, as time.Weekday) bool {
	return sh.rule == nil || sh.rule.holds(day, as)
}

// peak is a peak inside a shift; start is beyond midnight for a peak on the day after the shift's start.
type peak struct {
	name     string
	start    int64
	duration int64
	seats    int32
}

// override replaces the weekly shifts from one day to another, both included, counted from 1970-01-01.
type override struct {
	name     string
	from, to int64
	shifts   []shift
}

// Compile checks a spec and makes it ready for questions. Its error lists every mistake by field, and is fit to be shown. The
// calendars are those that the spec refers to, in its order; whoever has not all of them leaves out what is missing.
func Compile(spec yingdav1.ShiftScheduleSpec, calendars ...*Calendar) (*Schedule, error) {
	c := compiler{}
	s := c.schedule(spec)
	if err := c.errs.ToAggregate(); err != nil {
		return nil, err
	}
	return s.With(calendars...), nil
}

// With is the schedule with these calendars instead of those that it has, the later stronger.
func (s *Schedule) With(calendars ...*Calendar) *Schedule {
	if len(calendars) == 0 && len(s.calendars) == 0 {
		return s
	}
	other := *s
	other.calendars = slices.Clone(calendars)
	slices.Reverse(other.calendars)
	return &other
}

// Location is the schedule's time zone.
func (s *Schedule) Location() *time.Location { return s.location }

// Weeks is how many weeks show all that the weekly shifts can do: 1 without rotations, with them until all of them begin anew at once,
// months as if all had 31 days. A rotation that never ends a round within most weeks counts as most.
func (s *Schedule) Weeks(most int) int {
	weeks := 1
	for _, starting := range s.weekly {
		for i := range starting {
			if rule := starting[i].rule; rule != nil {
				weeks = min(most, weeks/gcd(weeks, rule.weeks())*rule.weeks())
			}
		}
	}
	return weeks
}

// starting are the shifts that may start on a day, the strongest first, and the weekday as which it counts. Rotations are asked for
// themselves, by startsOn: best last, since that takes longer than to see that a shift's time does not fit.
func (s *Schedule) starting(day int64) ([]shift, time.Weekday) {
	if o := s.override(day); o != nil {
		return o.shifts, weekday(day)
	}
	switch p := s.pattern(day); p {
	case nothing:
		return nil, weekday(day)
	case ownWeekday:
		return s.weekly[weekday(day)], weekday(day)
	default:
		return s.weekly[p], time.Weekday(p)
	}
}

// override is the strongest that covers a day; nil for none.
func (s *Schedule) override(day int64) *override {
	for i := range s.overrides {
		if o := &s.overrides[i]; o.from <= day && day <= o.to {
			return o
		}
	}
	return nil
}

// pattern says which weekday's shifts start on a day that no override covers.
func (s *Schedule) pattern(day int64) pattern {
	listed, ok := s.listed(day)
	switch {
	case !ok:
		return ownWeekday
	case listed.pattern == dayOff:
		return s.onHoliday
	}
	return listed.pattern
}

// listed is the day in the strongest calendar that lists it.
func (s *Schedule) listed(day int64) (calendarDay, bool) {
	for _, calendar := range s.calendars {
		if listed, ok := calendar.days[day]; ok {
			return listed, true
		}
	}
	return calendarDay{}, false
}
