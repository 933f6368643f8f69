package schedule

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// closedAllDay is what customers read on a day without opening hours.
const closedAllDay = "休息"

// Hours are the opening hours of t's date as people read them: 09:00-21:00, or 10:00-12:00, 14:00-18:00; 休息 when closed all
// day. Shifts that touch are one period. A period over midnight ends with 次日, the rest of yesterday's starts at 00:00, and
// one that goes on for a day or longer is cut at 24:00.
func (s *Schedule) Hours(t time.Time) string {
	c := newClock(s.location, t)
	today := c.day(t.Unix())
	midnight, next := c.instant(today*secondsADay), c.instant((today+1)*secondsADay)
	var parts []string
	for _, p := range s.periods(&c, today) {
		if p.start >= next || p.end <= midnight {
			continue
		}
		from := "00:00"
		if p.start > midnight {
			from = s.wall(p.start)
		}
		parts = append(parts, from+"-"+s.until(p, next))
	}
	if len(parts) == 0 {
		return closedAllDay
	}
	return strings.Join(parts, ", ")
}

func (s *Schedule) until(p period, midnight int64) string {
	switch {
	case p.end < midnight:
		return s.wall(p.end)
	case p.end == midnight || p.end-p.start >= secondsADay:
		return "24:00"
	default:
		return "次日" + s.wall(p.end)
	}
}

func (s *Schedule) wall(at int64) string {
	return time.Unix(at, 0).In(s.location).Format("15:04")
}

// period is a span of instants in which some shift is on.
type period struct{ start, end int64 }

// periods are the open periods of the shifts that start around a day, in order and joined where they touch. Ends are rounded
// up to the minute, so that a shift of seconds is not shown as none.
func (s *Schedule) periods(c *clock, today int64) []period {
	var all []period
	for day := today - daysBack; day <= today+daysBack; day++ {
		for _, o := range s.occurrences(c, day) {
			all = append(all, period{start: o.start, end: o.start + (o.shift.duration+59)/60*60})
		}
	}
	slices.SortFunc(all, func(a, b period) int { return cmp.Compare(a.start, b.start) })
	joined := all[:0]
	for _, p := range all {
		if last := len(joined) - 1; last >= 0 && p.start <= joined[last].end {
			joined[last].end = max(joined[last].end, p.end)
			continue
		}
		joined = append(joined, p)
	}
	return joined
}
