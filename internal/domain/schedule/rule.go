package schedule

import (
	"math"
	"time"
)

// frequency is how long the periods of a rule are.
type frequency int

const (
	freqDaily frequency = iota
	freqWeekly
	freqMonthly
)

// rule says on which dates a rotation starts: the part of RFC 5545's recurrence rules that staffing needs. Everything in it is a
// condition on one date, so that a question costs the same however far the date is from the anchor.
//
//	anchor <= date <= until
//	and the date's period is a multiple of interval away from the anchor's: days, weeks from Monday, or months
//	and the weekday is listed, if any is: every one of them, or the nth of the month (which only the date's own can be)
//	and the day of the month is listed, if any is: counted from its start, or from its end
type rule struct {
	frequency frequency
	interval  int64
	// anchor is the first date that counts, until the last. Both are counted from 1970-01-01.
	anchor, until int64
	weekdays      [7]ordinals
	anyWeekday    bool
	// monthDays has bit n for the nth day of a month, monthDaysBack for the nth from its end.
	monthDays, monthDaysBack uint32
}

// ordinals says which of a month's Mondays (say) are meant: bit 0 for every one, bits 1 to 5 for the nth, bits 9 to 13 for the
// nth from the end.
type ordinals uint16

const everyOne ordinals = 1

// The bounds of what may be listed, and the bit from which ordinals count back.
const (
	fromTheEnd  = 8
	maxOrdinal  = 5
	maxMonthDay = 31
)

// endless is the until of a rule without an end.
const endless = math.MaxInt64

// century is how many days a rule is searched for dates when it is compiled.
const century = 36_525

// holds reports whether a shift of the rule starts on the day, which counts as a weekday: its own, or that which a calendar makes
// of it.
func (r *rule) holds(day int64, as time.Weekday) bool {
	if day < r.anchor || day > r.until {
		return false
	}
	switch r.frequency {
	case freqDaily:
		if (day-r.anchor)%r.interval != 0 {
			return false
		}
	case freqWeekly:
		if (week(day)-week(r.anchor))%r.interval != 0 {
			return false
		}
	case freqMonthly:
		if (month(day)-month(r.anchor))%r.interval != 0 {
			return false
		}
	}
	return r.weekdayHolds(day, as) && r.monthDayHolds(day)
}

func (r *rule) weekdayHolds(day int64, as time.Weekday) bool {
	if r.anyWeekday {
		return true
	}
	listed := r.weekdays[as]
	if listed&everyOne != 0 || listed == 0 || as != weekday(day) {
		return listed&everyOne != 0
	}
	nth, back := dayOfMonth(day)
	return listed&(1<<((nth+6)/7)|1<<(fromTheEnd+(back+6)/7)) != 0
}

func (r *rule) monthDayHolds(day int64) bool {
	if r.monthDays|r.monthDaysBack == 0 {
		return true
	}
	nth, back := dayOfMonth(day)
	return r.monthDays>>nth&1 != 0 || r.monthDaysBack>>back&1 != 0
}

// weeks is after how many weeks the rule has named every date that it can, and begins anew.
func (r *rule) weeks() int {
	switch r.frequency {
	case freqWeekly:
		return int(r.interval)
	case freqMonthly:
		return int(r.interval)*31/7 + 1
	default:
		return int(r.interval) / gcd(int(r.interval), 7)
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// nth is the nth date on which the rule holds; false when there are not so many in its first hundred years.
func (r *rule) nth(n int64) (int64, bool) {
	for day := r.anchor; day <= min(r.until, r.anchor+century); day++ {
		if r.holds(day, weekday(day)) {
			n--
		}
		if n == 0 {
			return day, true
		}
	}
	return 0, false
}

// weekday is the time.Weekday of a day counted from 1970-01-01, a Thursday.
func weekday(day int64) time.Weekday { return time.Weekday(((day+int64(time.Thursday))%7 + 7) % 7) }

// monday is the Monday of a day's week.
func monday(day int64) int64 { return day - int64(weekday(day)+6)%7 }

// week counts weeks from Monday; where it begins to count is of no concern.
func week(day int64) int64 { return (monday(day) + 3) / 7 }

// month counts months; where it begins to count is of no concern.
func month(day int64) int64 {
	year, m, _ := date(day)
	return int64(year)*12 + int64(m) - 1
}

// dayOfMonth says which day of its month a day is, from the month's start and from its end, both from 1.
func dayOfMonth(day int64) (nth, back int) {
	year, m, nth := date(day)
	days := time.Date(year, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return nth, days - nth + 1
}

func date(day int64) (int, time.Month, int) { return time.Unix(day*secondsADay, 0).UTC().Date() }
