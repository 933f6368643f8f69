package roster

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

// dayOn is a date, given as its midnight in UTC, by the schedule.
func dayOn(s *schedule.Schedule, date time.Time) staffing.Day {
	return staffing.DayOf(s, time.Date(date.Year(), date.Month(), date.Day(), 12, 0, 0, 0, s.Location()))
}

// hoursOf are the intervals by the hours of the schedule's clock, in order of their dates. A date between the first and the last
// on which nobody came is a day without contacts.
func hoursOf(intervals []Interval, s *schedule.Schedule) []staffing.Hour {
	var hours []staffing.Hour
	for _, interval := range intervals {
		at := interval.Start.In(s.Location())
		hours = append(hours, staffing.Hour{Day: staffing.DayOf(s, at), Of: at.Hour(), Contacts: interval.Contacts})
	}
	slices.SortStableFunc(hours, func(a, b staffing.Hour) int { return cmp.Compare(a.Day.Date.Unix(), b.Day.Date.Unix()) })
	for i := 1; i < len(hours); i++ {
		if next := hours[i-1].Day.Date.AddDate(0, 0, 1); next.Before(hours[i].Day.Date) {
			hours = slices.Insert(hours, i, staffing.Hour{Day: dayOn(s, next)})
		}
	}
	return hours
}

// firstDay reads the first date of the week; empty means the first Monday after a date.
func firstDay(from string, last time.Time) (time.Time, error) {
	if from == "" {
		ahead := (int(time.Monday)-int(last.Weekday())+daysAWeek-1)%daysAWeek + 1
		return last.AddDate(0, 0, ahead), nil
	}
	first, err := time.Parse(time.DateOnly, from)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the first day of the week: write it as YYYY-MM-DD, for example 2026-11-09, not %q", from)
	}
	return first, nil
}

// enough are the dates of a history from which days can be planned.
func enough(known []staffing.Hour, first, last time.Time) (Span, error) {
	if len(known) == 0 {
		return Span{}, fmt.Errorf("the history has no day before %s", first.Format(time.DateOnly))
	}
	span := Span{First: known[0].Day.Date, Last: known[len(known)-1].Day.Date}
	if n := span.Days(); n < daysAWeek {
		return span, fmt.Errorf("the history before %s has %d of the days that a forecast takes: give it %d, one of each weekday",
			first.Format(time.DateOnly), n, daysAWeek)
	}
	if latest := span.Last.AddDate(0, 0, maxAhead); last.After(latest) {
		return span, fmt.Errorf("the history ends on %s, too long before %s to say anything of it: take a newer one, or plan dates until %s",
			span.Last.Format(time.DateOnly), last.Format(time.DateOnly), latest.Format(time.DateOnly))
	}
	return span, nil
}

// before is what was known before a day.
func before(hours []staffing.Hour, day time.Time) []staffing.Hour {
	n, _ := slices.BinarySearchFunc(hours, day, func(hour staffing.Hour, day time.Time) int {
		return cmp.Compare(hour.Day.Date.Unix(), day.Unix())
	})
	return hours[:n]
}

// handling is the mean handling time of all contacts of which it is known.
func handling(intervals []Interval) time.Duration {
	var contacts, sum float64
	for _, interval := range intervals {
		if interval.Handling > 0 {
			contacts += interval.Contacts
			sum += interval.Contacts * float64(interval.Handling)
		}
	}
	if contacts == 0 {
		return 0
	}
	return time.Duration(sum / contacts)
}
