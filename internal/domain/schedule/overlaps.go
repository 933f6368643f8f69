package schedule

import (
	"cmp"
	"slices"
	"time"
)

// Overlap is a span in which two shifts are scheduled, of which one is on and hides the other.
type Overlap struct {
	From, Until time.Time
	Hidden, By  string
}

// Overlaps are those from one moment to another, in order, cut at the ends. A shift that overlaps itself hides nothing.
func (s *Schedule) Overlaps(from, until time.Time) []Overlap {
	var all []occurrence
	s.eachDate(from, until, func(c *clock, day int64) {
		all = append(all, s.occurrences(c, day)...)
	})
	var borders []int64
	for _, o := range all {
		borders = append(borders, o.start, o.end)
	}
	slices.Sort(borders)
	borders = slices.Compact(borders)
	slices.SortFunc(all, func(a, b occurrence) int { return cmp.Compare(a.start, b.start) })
	var overlaps []Overlap
	var active []occurrence
	for i, at := range borders {
		active = slices.DeleteFunc(active, func(o occurrence) bool { return o.end <= at })
		for len(all) > 0 && all[0].start <= at {
			active, all = append(active, all[0]), all[1:]
		}
		if len(active) > 1 {
			span := Span{From: latest(s.moment(at), from), Until: earliest(s.moment(borders[i+1]), until)}
			overlaps = hide(overlaps, active, span)
		}
	}
	return overlaps
}

// hide adds what the strongest of the occurrences hides in the span.
func hide(overlaps []Overlap, active []occurrence, span Span) []Overlap {
	if !span.From.Before(span.Until) {
		return overlaps
	}
	best := active[0]
	for _, o := range active[1:] {
		if !best.beats(o.shift, o.day) {
			best = o
		}
	}
	for _, o := range active {
		if o.shift.rank == best.shift.rank {
			continue
		}
		goesOn := func(before Overlap) bool {
			return before.Hidden == o.shift.name && before.By == best.shift.name && before.Until.Equal(span.From)
		}
		if i := slices.IndexFunc(overlaps, goesOn); i >= 0 {
			overlaps[i].Until = span.Until
			continue
		}
		overlaps = append(overlaps, Overlap{From: span.From, Until: span.Until, Hidden: o.shift.name, By: best.shift.name})
	}
	return overlaps
}
