package schedule

import (
	"cmp"
	"slices"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// Day is what a date is to a schedule.
type Day struct {
	// From and Until are its midnights; more or less than 24 hours lie between them when clocks change.
	From, Until time.Time
	// Override is the name of the override that rules the date; empty for none.
	Override string
	// Kind is what a calendar makes of the date, which an override may overrule; empty for a date like others. Name is its name
	// there.
	Kind yingdav1.CalendarDayKind
	Name string
	// Weekday is the date's own, or the one that a Workday stands in for.
	Weekday time.Weekday
	// Shifts that start on the date, in order of time. Where they overlap with others only one is on: see Overlaps.
	Shifts []ShiftOn
}

// ShiftOn is a shift as it starts on a date.
type ShiftOn struct {
	Name        string
	From, Until time.Time
	// Seats wanted outside of its peaks.
	Seats int32
	// Start is the wall-clock time that is written, HH:MM; where clocks skip it, From is later.
	Start string
	// Parts are the States of the shift in order, in its peaks and between them.
	Parts []Span
}

// Day is what t's date is.
func (s *Schedule) Day(t time.Time) Day {
	c := newClock(s.location, t)
	day := c.day(t.Unix())
	out := Day{From: s.moment(c.instant(day * secondsADay)), Until: s.moment(c.instant((day + 1) * secondsADay)), Weekday: weekday(day)}
	if listed, ok := s.listed(day); ok {
		out.Kind, out.Name = listed.kind, listed.name
		if listed.kind == yingdav1.CalendarDayWorkday {
			out.Weekday = time.Weekday(listed.pattern)
		}
	}
	if o := s.override(day); o != nil {
		out.Override = o.name
	}
	for _, o := range s.occurrences(&c, day) {
		out.Shifts = append(out.Shifts, ShiftOn{
			Name: o.shift.name, Seats: o.shift.seats, From: s.moment(o.start), Until: s.moment(o.end), Parts: s.parts(&c, &o),
			Start: time.Unix(o.shift.start, 0).UTC().Format("15:04"),
		})
	}
	return out
}

func (s *Schedule) moment(at int64) time.Time { return time.Unix(at, 0).In(s.location) }

// occurrences are the shifts that start on a day, in order of time.
func (s *Schedule) occurrences(c *clock, day int64) []occurrence {
	shifts, as := s.starting(day)
	return occurrences(c, day, as, shifts)
}

func occurrences(c *clock, day int64, as time.Weekday, shifts []shift) []occurrence {
	var all []occurrence
	for i := range shifts {
		sh := &shifts[i]
		if sh.startsOn(day, as) {
			start := c.instant(day*secondsADay + sh.start)
			all = append(all, occurrence{shift: sh, day: day, start: start, end: start + sh.duration})
		}
	}
	slices.SortStableFunc(all, func(a, b occurrence) int { return cmp.Compare(a.start, b.start) })
	return all
}

// parts are the States of a shift that nothing hides.
func (s *Schedule) parts(c *clock, o *occurrence) []Span {
	borders := []int64{o.start, o.end}
	for _, p := range o.shift.peaks {
		start := c.instant(o.day*secondsADay + p.start)
		borders = append(borders, start, start+p.duration)
	}
	slices.Sort(borders)
	var parts []Span
	for i := range len(borders) - 1 {
		from, until := borders[i], borders[i+1]
		if from == until || from < o.start || until > o.end {
			continue
		}
		part := Span{From: s.moment(from), Until: s.moment(until), State: o.state(c, from)}
		if last := len(parts) - 1; last >= 0 && parts[last].State == part.State {
			parts[last].Until = part.Until
			continue
		}
		parts = append(parts, part)
	}
	return parts
}
