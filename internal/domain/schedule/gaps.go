package schedule

import (
	"slices"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// Gap is a span in which nobody is scheduled although somebody might expect it: the date's usual shifts do not start, or it lies
// between two shifts of one date. That it is closed at night is no gap.
type Gap struct {
	From, Until time.Time
	Reason      yingdav1.GapReason
	// Name is that of the override or of the calendar's day, or of the shift before it.
	Name string
}

// Gaps are those from one moment to another, in order, cut at the ends; none overlaps another.
func (s *Schedule) Gaps(from, until time.Time) []Gap {
	var found []Gap
	s.eachDate(from, until, func(c *clock, day int64) {
		found = append(found, s.missing(c, day)...)
		found = append(found, s.breaks(c, day)...)
	})
	slices.SortStableFunc(found, func(a, b Gap) int { return a.From.Compare(b.From) })
	var gaps []Gap
	for _, gap := range found {
		gap.From, gap.Until = latest(gap.From, from), earliest(gap.Until, until)
		if last := len(gaps) - 1; last >= 0 && !gap.From.After(gaps[last].Until) {
			if gap.Reason == gaps[last].Reason && gap.Name == gaps[last].Name {
				gaps[last].Until = latest(gaps[last].Until, gap.Until)
				continue
			}
			gap.From = gaps[last].Until
		}
		if gap.From.Before(gap.Until) {
			gaps = append(gaps, gap)
		}
	}
	return gaps
}

// missing are the closed parts of the shifts that would start on a day if it were like others.
func (s *Schedule) missing(c *clock, day int64) []Gap {
	var cause Gap
	switch listed, ok := s.listed(day); {
	case s.override(day) != nil:
		cause = Gap{Reason: yingdav1.GapOverride, Name: s.override(day).name}
	case ok && listed.kind == yingdav1.CalendarDayOff:
		cause = Gap{Reason: yingdav1.GapDayOff, Name: listed.name}
	case ok && listed.kind == yingdav1.CalendarDayWorkday:
		cause = Gap{Reason: yingdav1.GapWorkday, Name: listed.name}
	default:
		return nil
	}
	var gaps []Gap
	for _, o := range occurrences(c, day, weekday(day), s.weekly[weekday(day)]) {
		gaps = append(gaps, s.closed(o.start, o.end, cause)...)
	}
	return gaps
}

// breaks are the closed parts between the shifts of a day.
func (s *Schedule) breaks(c *clock, day int64) []Gap {
	var gaps []Gap
	var last occurrence // the one that ends last of those before
	for _, o := range s.occurrences(c, day) {
		if last.shift != nil && last.end < o.start {
			gaps = append(gaps, s.closed(last.end, o.start, Gap{Reason: yingdav1.GapBetweenShifts, Name: last.shift.name})...)
		}
		if o.end > last.end {
			last = o
		}
	}
	return gaps
}

func (s *Schedule) closed(start, end int64, cause Gap) []Gap {
	var gaps []Gap
	for span := range s.Spans(s.moment(start), s.moment(end)) {
		if !span.State.Open {
			gaps = append(gaps, Gap{From: span.From, Until: span.Until, Reason: cause.Reason, Name: cause.Name})
		}
	}
	return gaps
}

// eachDate visits the dates whose shifts may be on between two moments.
func (s *Schedule) eachDate(from, until time.Time, visit func(c *clock, day int64)) {
	first, last := newClock(s.location, from), newClock(s.location, until)
	for day := first.day(from.Unix()) - daysBack; day <= last.day(until.Unix())+1; day++ {
		c := newClock(s.location, time.Unix(day*secondsADay, 0))
		visit(&c, day)
	}
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
