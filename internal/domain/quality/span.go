package quality

import (
	"fmt"
	"time"
)

// Span is a time with a name: Since is in it, Until is not.
type Span struct {
	Name         string
	Since, Until time.Time
}

// DayBefore is the day before the one in which a time falls, where the clocks show that location's time.
func DayBefore(at time.Time, location *time.Location) Span {
	year, month, day := at.In(location).Date()
	since := time.Date(year, month, day-1, 0, 0, 0, 0, location)
	return Span{Name: since.Format(time.DateOnly), Since: since.UTC(), Until: time.Date(year, month, day, 0, 0, 0, 0, location).UTC()}
}

// WeekBefore is the week, from Monday to Sunday, before the one in which a time falls, by its ISO 8601 name: 2026-W47.
func WeekBefore(at time.Time, location *time.Location) Span {
	year, month, day := at.In(location).Date()
	sinceMonday := (int(at.In(location).Weekday()) + 6) % 7
	return week(time.Date(year, month, day-sinceMonday-7, 0, 0, 0, 0, location))
}

// Week is the week of that name.
func Week(name string, location *time.Location) (Span, error) {
	var year, number int
	if _, err := fmt.Sscanf(name, "%d-W%d", &year, &number); err != nil {
		return Span{}, fmt.Errorf("reading the week %q: write it as 2026-W47", name)
	}
	// The 4th of January is always in the first week.
	first := time.Date(year, time.January, 4, 0, 0, 0, 0, location)
	sinceMonday := (int(first.Weekday()) + 6) % 7
	found := week(time.Date(year, time.January, 4-sinceMonday+7*(number-1), 0, 0, 0, 0, location))
	if found.Name != name {
		return Span{}, fmt.Errorf("reading the week %q: there is no such week", name)
	}
	return found, nil
}

// week is the one that begins on a Monday.
func week(monday time.Time) Span {
	year, number := monday.ISOWeek()
	return Span{
		Name: fmt.Sprintf("%d-W%02d", year, number), Since: monday.UTC(),
		Until: time.Date(monday.Year(), monday.Month(), monday.Day()+7, 0, 0, 0, 0, monday.Location()).UTC(),
	}
}

// Last makes a span of so many weeks that ends with this one. Its name tells them: 2026-W47-13w.
func (s Span) Last(weeks int, location *time.Location) Span {
	if weeks <= 1 {
		return s
	}
	monday := s.Since.In(location)
	s.Since = time.Date(monday.Year(), monday.Month(), monday.Day()-7*(weeks-1), 0, 0, 0, 0, location).UTC()
	s.Name = fmt.Sprintf("%s-%dw", s.Name, weeks)
	return s
}
