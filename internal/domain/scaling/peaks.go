package scaling

import (
	"slices"
	"strings"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// daysBack is how far before today is looked for the start of a peak that is on: none is longer than a day, but for one
// day of sales after the other.
const daysBack = 2

// Source is a schedule whose peaks count.
type Source struct {
	name     string
	schedule *schedule.Schedule
}

// NewSource is a compiled schedule of that name.
func NewSource(name string, compiled *schedule.Schedule) Source {
	return Source{name: name, schedule: compiled}
}

// peakAt is the name of the peak that is on at t.
func (s Source) peakAt(t time.Time) (string, bool) {
	state := s.schedule.At(t)
	if state.Peak != "" {
		return state.Peak + " of " + s.name, true
	}
	if kind, _ := s.schedule.DayKind(t); kind != yingdav1.CalendarDayPeak || !state.Open {
		return "", false
	}
	return strings.TrimPrefix(s.schedule.Day(t).Name+" of "+s.name, " of "), true
}

// next is the next moment after t at which the answer of peakAt may change, at the latest the end.
func (s Source) next(t, end time.Time) time.Time {
	if at, ok := s.schedule.NextTransition(t); ok && at.Before(end) {
		end = at
	}
	if midnight := nextDate(t.In(s.schedule.Location())); midnight.Before(end) {
		end = midnight
	}
	return end
}

// nextDate is the first moment of the date after t's. Where clocks change around midnight it may be one within an hour or so
// of it, and never t or before: whoever walks from date to date by it arrives.
func nextDate(t time.Time) time.Time {
	year, month, date := t.Date()
	midnight := time.Date(year, month, date+1, 0, 0, 0, 0, t.Location())
	if midnight.Day() == date {
		_, midnight = midnight.ZoneBounds() // The date begins with the gap's end.
	}
	if !midnight.After(t) {
		return t.Add(time.Hour)
	}
	return midnight
}

// lift is the span of one peak, from a lead before it.
type lift struct {
	Span
	name     string
	location *time.Location
}

func (l lift) local(t time.Time) string { return t.In(l.location).Format(schedule.ToTheMinute) }

// liftsOf are the lifts between two moments, by their start. One that is on at either end is cut there.
func liftsOf(sources []Source, lead time.Duration, from, to time.Time) []lift {
	var lifts []lift
	for _, source := range sources {
		for _, l := range source.peaks(from.Add(-daysBack*day), to.Add(lead)) {
			l.Start = l.Start.Add(-lead)
			l.Span = l.cut(from, to)
			if l.Start.Before(l.End) {
				lifts = append(lifts, l)
			}
		}
	}
	slices.SortFunc(lifts, func(a, b lift) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	return lifts
}

// peaks are those between two moments, each once.
func (s Source) peaks(from, to time.Time) []lift {
	var found []lift
	for at := from; at.Before(to); {
		until := s.next(at, to)
		if name, on := s.peakAt(at); on {
			if last := len(found) - 1; last >= 0 && found[last].name == name && found[last].End.Equal(at) {
				found[last].End = until
			} else {
				found = append(found, lift{Span: Span{at, until}, name: name, location: s.schedule.Location()})
			}
		}
		at = until
	}
	return found
}

func (s Span) cut(from, to time.Time) Span {
	if s.Start.Before(from) {
		s.Start = from
	}
	if s.End.After(to) {
		s.End = to
	}
	return s
}

// merged joins lifts that overlap or touch.
func merged(lifts []lift) []Span {
	var spans []Span
	for _, l := range lifts {
		if last := len(spans) - 1; last >= 0 && !l.Start.After(spans[last].End) {
			if l.End.After(spans[last].End) {
				spans[last].End = l.End
			}
			continue
		}
		spans = append(spans, l.Span)
	}
	return spans
}
