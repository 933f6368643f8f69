package schedule

import (
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// AddWorkingDays is the end of the n-th working day after the date of t. Working days are those from Monday to Friday, less the days off
// and with the make-up days of the schedule's calendars, whichever shifts there are on them.
func (s *Schedule) AddWorkingDays(t time.Time, n int) time.Time {
	year, month, day := t.In(s.location).Date()
	midnight := func(after int) time.Time { return time.Date(year, month, day+after, 0, 0, 0, 0, s.location) }
	after := 0
	for n > 0 {
		after++
		if s.worksOn(midnight(after)) {
			n--
		}
	}
	return midnight(after + 1)
}

func (s *Schedule) worksOn(date time.Time) bool {
	switch kind, _ := s.DayKind(date); kind {
	case yingdav1.CalendarDayWorkday:
		return true
	case yingdav1.CalendarDayOff:
		return false
	default:
		return date.Weekday() != time.Saturday && date.Weekday() != time.Sunday
	}
}

// Bare is a schedule without shifts and calendars, in the default time zone: for who asks about days where none is declared.
func Bare() *Schedule {
	location, err := time.LoadLocation(DefaultTimeZone)
	if err != nil {
		location = time.FixedZone("CST", 8*60*60)
	}
	return &Schedule{location: location}
}
