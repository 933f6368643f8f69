package schedule

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

// pattern says which weekday's shifts start on a day: those of a time.Weekday, or one of the below.
type pattern int

const (
	// nothing starts no shift.
	nothing pattern = -1 - iota
	// ownWeekday is the day's own.
	ownWeekday
	// dayOff is whatever the schedule does on holidays.
	dayOff
)

// Calendar is a compiled HolidayCalendar. It never changes, and any number of Schedules may share it.
type Calendar struct {
	// days by their number since 1970-01-01.
	days map[int64]calendarDay
	// years of which a day is listed.
	years       map[int]bool
	first, last string
}

// calendarDay is a date that is unlike others.
type calendarDay struct {
	pattern pattern
	kind    yingdav1.CalendarDayKind
	name    string
}

// ValidateCalendar lists what is wrong with a spec. The schema of the resource finds most of it at admission; that a month
// does not have a day is found here alone.
func ValidateCalendar(spec yingdav1.HolidayCalendarSpec) field.ErrorList {
	c := compiler{}
	c.calendar(spec)
	return c.errs
}

// CompileCalendar checks a spec and makes it ready for Schedules. Its error lists every mistake by field, and is fit to be
// shown.
func CompileCalendar(spec yingdav1.HolidayCalendarSpec) (*Calendar, error) {
	c := compiler{}
	compiled := c.calendar(spec)
	if err := c.errs.ToAggregate(); err != nil {
		return nil, err
	}
	return compiled, nil
}

// CalendarNames are the names of the calendars that a schedule refers to, in its order.
func CalendarNames(spec yingdav1.ShiftScheduleSpec) []string {
	names := make([]string, 0, len(spec.CalendarRefs))
	for _, ref := range spec.CalendarRefs {
		names = append(names, ref.Name)
	}
	return names
}

// Len is the number of days in the calendar.
func (c *Calendar) Len() int { return len(c.days) }

// Span is the first and the last date, YYYY-MM-DD; empty for a calendar without days.
func (c *Calendar) Span() (first, last string) { return c.first, c.last }

// StaleYear is the year that the calendar should know at t and of which it lists no day: the current one, from 1 December the
// next. False when there is none.
func (c *Calendar) StaleYear(t time.Time) (int, bool) {
	year := t.UTC().Year()
	if c.years[year] && t.UTC().Month() == time.December {
		year++
	}
	return year, !c.years[year]
}

// NextStaleCheck is the next moment at which the answer of StaleYear may change by itself: the next 1 December.
func NextStaleCheck(t time.Time) time.Time {
	next := time.Date(t.UTC().Year(), time.December, 1, 0, 0, 0, 0, time.UTC)
	if !next.After(t) {
		next = next.AddDate(1, 0, 0)
	}
	return next
}

func (c *compiler) calendar(spec yingdav1.HolidayCalendarSpec) *Calendar {
	path, days := field.NewPath("spec").Child("days"), spec.Days
	compiled := &Calendar{days: make(map[int64]calendarDay, len(days)), years: map[int]bool{}}
	if c.tooMany(path, len(days), maxCalendarDays) {
		return compiled
	}
	for i := range days {
		at, listed := path.Index(i), &days[i]
		day, ok := c.date(at.Child("date"), "day "+listed.Date, listed.Date)
		if _, taken := compiled.days[day]; ok && taken {
			c.fail(field.Duplicate(at.Child("date"), listed.Date))
		}
		compiled.days[day] = calendarDay{pattern: c.dayPattern(at, listed), kind: listed.Kind, name: listed.Name}
		compiled.years[time.Unix(day*secondsADay, 0).UTC().Year()] = true
		if compiled.first == "" || listed.Date < compiled.first {
			compiled.first = listed.Date
		}
		compiled.last = max(compiled.last, listed.Date)
	}
	return compiled
}

func (c *compiler) dayPattern(path *field.Path, spec *yingdav1.CalendarDay) pattern {
	subject := "day " + spec.Date
	if spec.Follows != "" && spec.Kind != yingdav1.CalendarDayWorkday {
		c.fail(field.Invalid(path.Child("follows"), spec.Follows, subject+": set follows only where kind is Workday"))
	}
	switch spec.Kind {
	case yingdav1.CalendarDayOff:
		return dayOff
	case yingdav1.CalendarDayPeak:
		return ownWeekday
	case yingdav1.CalendarDayWorkday:
		if spec.Follows == "" {
			return pattern(time.Monday)
		}
		return pattern(c.weekday(path.Child("follows"), spec.Follows))
	default:
		kinds := []yingdav1.CalendarDayKind{yingdav1.CalendarDayOff, yingdav1.CalendarDayWorkday, yingdav1.CalendarDayPeak}
		c.fail(field.NotSupported(path.Child("kind"), spec.Kind, kinds))
		return ownWeekday
	}
}

// weekday is the time.Weekday of a name; negative for one that is none.
func (c *compiler) weekday(path *field.Path, name yingdav1.Weekday) time.Weekday {
	week := []yingdav1.Weekday{
		time.Sunday: yingdav1.Sunday, time.Monday: yingdav1.Monday, time.Tuesday: yingdav1.Tuesday,
		time.Wednesday: yingdav1.Wednesday, time.Thursday: yingdav1.Thursday, time.Friday: yingdav1.Friday, time.Saturday: yingdav1.Saturday,
	}
	day := slices.Index(week, name)
	if day < 0 {
		c.fail(field.NotSupported(path, name, week))
	}
	return time.Weekday(day)
}

// holidays is what the schedule does on a day off.
func (c *compiler) holidays(path *field.Path, policy yingdav1.HolidayPolicy) pattern {
	switch policy {
	case "", yingdav1.HolidayClosed:
		return nothing
	case yingdav1.HolidayLikeSunday:
		return pattern(time.Sunday)
	case yingdav1.HolidayAsUsual:
		return ownWeekday
	default:
		policies := []yingdav1.HolidayPolicy{yingdav1.HolidayClosed, yingdav1.HolidayLikeSunday, yingdav1.HolidayAsUsual}
		c.fail(field.NotSupported(path, policy, policies))
		return nothing
	}
}

func (c *compiler) calendarRefs(path *field.Path, refs []yingdav1.HolidayCalendarReference) {
	if c.tooMany(path, len(refs), maxCalendars) {
		return
	}
	names := map[string]bool{}
	for i := range refs {
		c.name(path.Index(i).Child("name"), "calendar", refs[i].Name, names)
	}
}
