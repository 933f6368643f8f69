package schedule

import (
	"iter"
	"time"
)

// Span is a State that lasts from one moment to another, Until excluded.
type Span struct {
	From, Until time.Time
	State       State
}

// Spans are the States from one moment to another, in order and without holes: closed is a State as well. The first and the
// last are cut at the ends; a State that lasts longer than LookAhead comes in parts.
func (s *Schedule) Spans(from, until time.Time) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		for at := from.In(s.location); at.Before(until); {
			next, ok := s.NextTransition(at)
			if !ok {
				next = at.Add(LookAhead)
			}
			if next.After(until) {
				next = until.In(s.location)
			}
			if !yield(Span{From: at, Until: next, State: s.At(at)}) {
				return
			}
			at = next
		}
	}
}

// BusinessTime is for how long the schedule is open from one moment to another.
func (s *Schedule) BusinessTime(from, until time.Time) time.Duration {
	var open time.Duration
	for span := range s.Spans(from, until) {
		if span.State.Open {
			open += span.Until.Sub(span.From)
		}
	}
	return open
}

// AddBusinessTime is the first moment at which the schedule has been open for d since t; t itself for no duration. False when it
// stays closed for longer than LookAhead before that.
func (s *Schedule) AddBusinessTime(t time.Time, d time.Duration) (time.Time, bool) {
	for d > 0 {
		opening, ok := s.NextOpening(t)
		if !ok {
			return time.Time{}, false
		}
		t = opening
		next, ok := s.NextTransition(t)
		if !ok {
			next = t.Add(LookAhead)
		}
		if open := next.Sub(t); open < d {
			t, d = next, d-open
			continue
		}
		return t.Add(d), true
	}
	return t, true
}
