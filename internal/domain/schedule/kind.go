package schedule

import (
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// DayKind is what the schedule's calendars say of the date of t, which is "" for a date that none lists. follows is the weekday
// that a make-up workday stands in for; of other dates it says nothing.
func (s *Schedule) DayKind(t time.Time) (kind yingdav1.CalendarDayKind, follows time.Weekday) {
	clock := newClock(s.location, t)
	listed, _ := s.listed(clock.day(t.Unix()))
	if listed.kind == yingdav1.CalendarDayWorkday {
		follows = time.Weekday(listed.pattern)
	}
	return listed.kind, follows
}
