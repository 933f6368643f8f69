package roster

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

// calendarBook says what kind of day a date is; of two calendars that list it the later wins.
type calendarBook map[string]yingdav1.CalendarDay

func newCalendarBook(calendars []yingdav1.HolidayCalendarSpec) calendarBook {
	book := calendarBook{}
	for _, calendar := range calendars {
		for _, day := range calendar.Days {
			book[day.Date] = day
		}
	}
	return book
}

func (b calendarBook) day(date time.Time) staffing.Day {
	listed, day := b[date.Format(time.DateOnly)], staffing.Day{Date: date}
	switch listed.Kind {
	case yingdav1.CalendarDayOff:
		day.Kind = staffing.DayOff
	case yingdav1.CalendarDayPeak:
		day.Kind = staffing.Peak
	case yingdav1.CalendarDayWorkday:
		day.Kind, day.Follows = staffing.Workday, weekday(listed.Follows)
	}
	return day
}

// weekday is the time.Weekday of a name; Monday by default, as in the resource.
func weekday(name yingdav1.Weekday) time.Weekday {
	for day := range time.Weekday(daysAWeek) {
		if day.String()[:3] == string(name) {
			return day
		}
	}
	return time.Monday
}

// hours are the intervals by the hours of the schedule's clock, in order of their dates. A date between the first and the last
// on which nobody came is a day without contacts.
func (b calendarBook) hours(intervals []Interval, zone *time.Location) []staffing.Hour {
	var hours []staffing.Hour
	for _, interval := range intervals {
		at := interval.Start.In(zone)
		hours = append(hours, staffing.Hour{Day: b.day(dateOf(at)), Of: at.Hour(), Contacts: interval.Contacts})
	}
	slices.SortStableFunc(hours, func(a, b staffing.Hour) int { return cmp.Compare(a.Day.Date.Unix(), b.Day.Date.Unix()) })
	for i := 1; i < len(hours); i++ {
		if next := hours[i-1].Day.Date.AddDate(0, 0, 1); next.Before(hours[i].Day.Date) {
			hours = slices.Insert(hours, i, staffing.Hour{Day: b.day(next)})
		}
	}
	return hours
}

// dateOf is the date that a clock shows, as midnight in UTC.
func dateOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
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
