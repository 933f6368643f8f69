package burst

import (
	"slices"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

const (
	// HistoryDays is how many days back history goes.
	HistoryDays = 28
	// leastDays is of how many days history must be: of the same kind, or where there are fewer of any kind.
	leastDays = 5
)

// Span is a time from one moment to another.
type Span struct{ From, Until time.Time }

func (s Span) overlaps(other Span) bool {
	return s.From.Before(other.Until) && other.From.Before(s.Until)
}

// Look is a question how many complaints came, of one moment.
type Look struct {
	now  time.Time
	past []time.Time
	calm time.Duration
}

// NewLook asks about now. What is usual comes from the same hour on days since then, by the clock and the calendars of the
// schedule (UTC without one), but for the spans, which were not usual. It is false without history enough to judge by.
func NewLook(now, since time.Time, hours *schedule.Schedule, unusual []Span, rules Rules) (Look, bool) {
	past := Past(now, since, hours, unusual)
	return Look{now: now, past: past, calm: rules.CalmFor}, len(past) >= leastDays
}

// windowsADay are counted of each past day: a quarter and an hour.
const windowsADay = 2

// The windows before those of past days, in the order of Windows.
const (
	windowQuarter = iota
	windowHour
	windowCalm
	windowsNow
)

// Windows are what is to be counted: complaints after From, and not after Until.
func (l Look) Windows() []Span {
	windows := make([]Span, windowsNow, windowsNow+windowsADay*len(l.past))
	windows[windowQuarter] = Span{l.now.Add(-Quarter), l.now}
	windows[windowHour] = Span{l.now.Add(-Hour), l.now}
	windows[windowCalm] = Span{l.now.Add(-l.calm), l.now}
	for _, at := range l.past {
		windows = append(windows, Span{at.Add(-Quarter), at}, Span{at.Add(-Hour), at})
	}
	return windows
}

// Count is how many complaints of a SkillGroup came in a window, by its place among Windows.
type Count struct {
	Window     int
	Group      string
	Complaints int
}

// Seen is what was counted, by SkillGroup. A window without a Count had none.
func (l Look) Seen(counts []Count) map[string]Seen {
	seen := map[string]Seen{}
	for _, c := range counts {
		s, known := seen[c.Group]
		if !known {
			s.PastQuarters, s.PastHours = make([]int, len(l.past)), make([]int, len(l.past))
		}
		switch c.Window {
		case windowQuarter:
			s.Quarter = c.Complaints
		case windowHour:
			s.Hour = c.Complaints
		case windowCalm:
			s.Lately = c.Complaints
		default:
			day, hour := (c.Window-windowsNow)/windowsADay, (c.Window-windowsNow)%windowsADay > 0
			if hour {
				s.PastHours[day] = c.Complaints
			} else {
				s.PastQuarters[day] = c.Complaints
			}
		}
		seen[c.Group] = s
	}
	return seen
}

// Past are the moments of the last 28 days that show what is usual now: the same time of day on days of the same kind, or, where
// these are too few, of any. The hour before each lies after since and outside of all spans.
func Past(now, since time.Time, hours *schedule.Schedule, unusual []Span) []time.Time {
	zone := time.UTC
	if hours != nil {
		zone = hours.Location()
	}
	local, kind := now.In(zone), kindOf(hours, now.In(zone))
	var same, all []time.Time
	for back := 1; back <= HistoryDays; back++ {
		y, m, d := local.Date()
		at := time.Date(y, m, d-back, local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), zone)
		hour := Span{at.Add(-Hour), at}
		if hour.From.Before(since) || overlapsAny(hour, unusual) {
			continue
		}
		all = append(all, at)
		if kindOf(hours, at) == kind {
			same = append(same, at)
		}
	}
	if len(same) >= leastDays {
		return same
	}
	return all
}

func overlapsAny(hour Span, spans []Span) bool {
	return slices.ContainsFunc(spans, hour.overlaps)
}

// dayKind is what sort of day it is, as far as customers live by it.
type dayKind int

const (
	workday dayKind = iota
	dayOff
	peakDay
)

// kindOf is the kind of a local date: what the calendars say, else what the weekday does.
func kindOf(hours *schedule.Schedule, local time.Time) dayKind {
	if hours != nil {
		switch kind, _ := hours.DayKind(local); kind {
		case yingdav1.CalendarDayOff:
			return dayOff
		case yingdav1.CalendarDayWorkday:
			return workday
		case yingdav1.CalendarDayPeak:
			return peakDay
		}
	}
	if weekday := local.Weekday(); weekday == time.Saturday || weekday == time.Sunday {
		return dayOff
	}
	return workday
}
