// Package timetable shows a ShiftSchedule to people: as text, date by date, and as a calendar for their phones.
//
// It reads no clock and no cluster: what it shows is what files say. All that it knows of time it asks of the compiled schedule.
package timetable

import (
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// maxDates is how many dates may be shown at once.
const maxDates = 400

// Timetable is a ShiftSchedule that can be shown.
type Timetable struct {
	namespace, name string
	schedule        *schedule.Schedule
	// missing are the calendars that it refers to and that were not read.
	missing []string
}

// Dates are those to show: a noon of each, in the schedule's time zone.
type Dates []time.Time

// Dates are those from one to another, YYYY-MM-DD and both included. Without from it is that of now, without until there are seven.
func (t *Timetable) Dates(from, until string, now time.Time) (Dates, error) {
	first, err := t.noon(from, now)
	if err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	last, err := t.noon(until, first.AddDate(0, 0, 6))
	if err != nil {
		return nil, fmt.Errorf("to: %w", err)
	}
	if last.Before(first) {
		return nil, fmt.Errorf("to: %s is before %s", last.Format(time.DateOnly), first.Format(time.DateOnly))
	}
	var dates Dates
	for date := first; !date.After(last); date = date.AddDate(0, 0, 1) {
		if len(dates) == maxDates {
			return nil, fmt.Errorf("to: at most %d dates can be shown, so until %s", maxDates, dates[maxDates-1].Format(time.DateOnly))
		}
		dates = append(dates, date)
	}
	return dates, nil
}

func (t *Timetable) noon(date string, otherwise time.Time) (time.Time, error) {
	day := otherwise.In(t.schedule.Location())
	if date != "" {
		var err error
		if day, err = time.Parse(time.DateOnly, date); err != nil {
			return time.Time{}, fmt.Errorf("%q is no date: write YYYY-MM-DD", date)
		}
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, t.schedule.Location()), nil
}

// span is from the first midnight of the dates to the last.
func (t *Timetable) span(dates Dates) (from, until time.Time) {
	return t.schedule.Day(dates[0]).From, t.schedule.Day(dates[len(dates)-1]).Until
}

// seats in words.
func seats(n int32) string {
	if n == 1 {
		return "1 seat"
	}
	return fmt.Sprintf("%d seats", n)
}
