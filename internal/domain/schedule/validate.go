package schedule

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/duration"
)

// DefaultTimeZone is that of a spec which names none, as in the resource's schema.
const DefaultTimeZone = "Asia/Shanghai"

// The bounds of the resource's schema.
const (
	maxWeeklyShifts   = 32
	maxOverrides      = 64
	maxOverrideShifts = 16
	maxPeaks          = 8
	maxSeats          = 10_000
	maxDuration       = 24 * time.Hour
	maxCalendars      = 8
	maxCalendarDays   = 2000
)

// Validate lists what is wrong with a spec. The schema of the resource finds most of it at admission; what it cannot know
// (time zones, days that a month does not have) is found here alone.
func Validate(spec yingdav1.ShiftScheduleSpec) field.ErrorList {
	c := compiler{}
	c.schedule(spec)
	return c.errs
}

// compiler reads a spec and collects its mistakes, so that an author sees all of them at once.
type compiler struct {
	errs field.ErrorList
	rank int
}

func (c *compiler) fail(err *field.Error) { c.errs = append(c.errs, err) }

func (c *compiler) schedule(spec yingdav1.ShiftScheduleSpec) *Schedule {
	path := field.NewPath("spec")
	s := &Schedule{location: c.location(path.Child("timeZone"), spec.TimeZone)}
	c.calendarRefs(path.Child("calendarRefs"), spec.CalendarRefs)
	s.onHoliday = c.holidays(path.Child("onHoliday"), spec.OnHoliday)
	c.weekly(s, path.Child("shifts"), spec.Shifts)
	c.overrides(s, path.Child("overrides"), spec.Overrides)
	return s
}

func (c *compiler) location(path *field.Path, name string) *time.Location {
	if name == "" {
		name = DefaultTimeZone
	}
	location, err := time.LoadLocation(name)
	if err != nil || name == "Local" { // Local is whatever the machine says: two replicas could disagree
		c.fail(field.Invalid(path, name, "write an IANA time zone, for example Asia/Shanghai or Europe/Berlin"))
		return time.UTC
	}
	return location
}

func (c *compiler) weekly(s *Schedule, path *field.Path, shifts []yingdav1.WeeklyShift) {
	if c.tooMany(path, len(shifts), maxWeeklyShifts) {
		return
	}
	names := map[string]bool{}
	for i := range shifts {
		at, spec := path.Index(i), &shifts[i]
		c.name(at.Child("name"), "shift", spec.Name, names)
		compiled := c.shift(at, "shift "+spec.Name, &spec.Shift)
		compiled.rule = c.rule(at, spec)
		for _, day := range c.days(at.Child("days"), spec) {
			s.weekly[day] = append(s.weekly[day], compiled)
		}
	}
	for day := range s.weekly {
		slices.Reverse(s.weekly[day])
	}
}

// rule is that of a rotation; nil for a shift that has none.
func (c *compiler) rule(path *field.Path, shift *yingdav1.WeeklyShift) *rule {
	subject := "shift " + shift.Name
	switch {
	case shift.RRule == "" && shift.AnchorDate == "":
		return nil
	case shift.RRule == "":
		c.fail(field.Invalid(path.Child("anchorDate"), shift.AnchorDate, subject+": set anchorDate only with rrule"))
		return nil
	case shift.AnchorDate == "":
		c.fail(field.Required(path.Child("anchorDate"), subject+": set the date from which its rrule counts"))
		return nil
	}
	anchor, ok := c.date(path.Child("anchorDate"), subject, shift.AnchorDate)
	if !ok {
		return nil
	}
	compiled, err := parseRule(shift.RRule, anchor)
	if err != nil {
		c.fail(field.Invalid(path.Child("rrule"), shift.RRule, subject+": "+err.Error()))
	}
	return compiled
}

// days are those on which a shift may start: all of them for a rotation, whose rule says on which it does.
func (c *compiler) days(path *field.Path, shift *yingdav1.WeeklyShift) []time.Weekday {
	switch {
	case shift.RRule != "" && len(shift.Days) > 0:
		c.fail(field.Invalid(path, shift.Days, "shift "+shift.Name+": set either days or rrule, not both"))
	case shift.RRule != "":
		return []time.Weekday{0, 1, 2, 3, 4, 5, 6}
	case len(shift.Days) == 0:
		c.fail(field.Required(path, "shift "+shift.Name+": list the days on which it starts, or set rrule and anchorDate"))
	}
	var days []time.Weekday
	for i, name := range shift.Days {
		day := c.weekday(path.Index(i), name)
		switch {
		case day < 0:
		case slices.Contains(days, day):
			c.fail(field.Duplicate(path.Index(i), name))
		default:
			days = append(days, day)
		}
	}
	return days
}

func (c *compiler) overrides(s *Schedule, path *field.Path, overrides []yingdav1.ScheduleOverride) {
	if c.tooMany(path, len(overrides), maxOverrides) {
		return
	}
	names := map[string]bool{}
	for i := range overrides {
		at, spec := path.Index(i), &overrides[i]
		subject := "override " + spec.Name
		c.name(at.Child("name"), "override", spec.Name, names)
		from, fromOK := c.date(at.Child("from"), subject, spec.From)
		to, toOK := c.date(at.Child("to"), subject, spec.To)
		compiled := override{name: spec.Name, from: from, to: to}
		if fromOK && toOK && to < from {
			c.fail(field.Invalid(at.Child("to"), spec.To, subject+": to must not be before from"))
		}
		if c.tooMany(at.Child("shifts"), len(spec.Shifts), maxOverrideShifts) {
			continue
		}
		shiftNames := map[string]bool{}
		for j := range spec.Shifts {
			shiftAt, sh := at.Child("shifts").Index(j), &spec.Shifts[j]
			c.name(shiftAt.Child("name"), subject+": shift", sh.Name, shiftNames)
			compiled.shifts = append(compiled.shifts, c.shift(shiftAt, subject+", shift "+sh.Name, sh))
		}
		slices.Reverse(compiled.shifts)
		s.overrides = append(s.overrides, compiled)
	}
	slices.Reverse(s.overrides)
}

func (c *compiler) shift(path *field.Path, subject string, spec *yingdav1.Shift) shift {
	c.rank++
	mistakes := len(c.errs)
	compiled := shift{
		rank:     c.rank,
		name:     spec.Name,
		start:    c.start(path.Child("start"), subject, spec.Start),
		duration: c.duration(path.Child("duration"), subject, spec.Duration),
		seats:    1,
	}
	if spec.Seats != nil {
		compiled.seats = c.seats(path.Child("seats"), subject, *spec.Seats)
	}
	if c.tooMany(path.Child("peaks"), len(spec.Peaks), maxPeaks) {
		return compiled
	}
	names := map[string]bool{}
	for i := range spec.Peaks {
		at, p := path.Child("peaks").Index(i), &spec.Peaks[i]
		peakSubject := subject + ", peak " + p.Name
		c.name(at.Child("name"), subject+": peak", p.Name, names)
		compiledPeak := peak{
			name:     p.Name,
			start:    c.start(at.Child("start"), peakSubject, p.Start),
			duration: c.duration(at.Child("duration"), peakSubject, p.Duration),
			seats:    c.seats(at.Child("seats"), peakSubject, p.Seats),
		}
		if compiledPeak.start < compiled.start {
			compiledPeak.start += secondsADay
		}
		if len(c.errs) == mistakes && compiledPeak.start-compiled.start >= compiled.duration {
			c.fail(field.Invalid(at.Child("start"), p.Start, peakSubject+": the shift has ended by then; start the peak within the shift, or make the shift longer"))
		}
		compiled.peaks = append(compiled.peaks, compiledPeak)
	}
	slices.Reverse(compiled.peaks)
	return compiled
}

func (c *compiler) name(path *field.Path, kind, name string, taken map[string]bool) {
	switch {
	case name == "":
		c.fail(field.Required(path, "give the "+kind+" a name"))
	case taken[name]:
		c.fail(field.Duplicate(path, name))
	}
	taken[name] = true
}

func (c *compiler) start(path *field.Path, subject, text string) int64 {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") { // time.Parse takes 9:00 too, which the schema refuses
		c.fail(field.Invalid(path, text, subject+": write the start as HH:MM from 00:00 to 23:59"))
		return 0
	}
	return int64(t.Hour()*60+t.Minute()) * 60
}

func (c *compiler) duration(path *field.Path, subject, text string) int64 {
	d, err := duration.Parse(text)
	switch {
	case err != nil:
		c.fail(field.Invalid(path, text, subject+": "+err.Error()))
	case d <= 0 || d > maxDuration:
		c.fail(field.Invalid(path, text, subject+": the duration must be over 0 and at most 24h"))
	}
	return int64(d / time.Second)
}

func (c *compiler) seats(path *field.Path, subject string, seats int32) int32 {
	if seats < 0 || seats > maxSeats {
		c.fail(field.Invalid(path, seats, fmt.Sprintf("%s: seats must be from 0 to %d", subject, maxSeats)))
	}
	return seats
}

// date is a date as the number of days since 1970-01-01.
func (c *compiler) date(path *field.Path, subject, text string) (int64, bool) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		c.fail(field.Invalid(path, text, subject+": write a date that exists as YYYY-MM-DD"))
		return 0, false
	}
	return dayOf(t.Unix()), true
}

func (c *compiler) tooMany(path *field.Path, n, most int) bool {
	if n > most {
		c.fail(field.TooMany(path, n, most))
	}
	return n > most
}
