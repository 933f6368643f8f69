package staffing

import (
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// DayOf is the date at t by a group's schedule, and what the schedule's calendars say of it; without a schedule the date in UTC.
func DayOf(s *schedule.Schedule, t time.Time) Day {
	if s == nil {
		return Day{Date: DateOf(t.UTC())}
	}
	day := Day{Date: DateOf(t.In(s.Location()))}
	switch kind, follows := s.DayKind(t); kind {
	case yingdav1.CalendarDayOff:
		day.Kind = DayOff
	case yingdav1.CalendarDayWorkday:
		day.Kind, day.Follows = Workday, follows
	case yingdav1.CalendarDayPeak:
		day.Kind = Peak
	}
	return day
}

// DateOf is the date that a clock shows, as its midnight in UTC.
func DateOf(local time.Time) time.Time {
	year, month, day := local.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
