package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// supported says what a rule may hold. It ends every message about a part that is not understood.
const supported = "supported are FREQ=DAILY|WEEKLY|MONTHLY, INTERVAL, BYDAY (with FREQ=MONTHLY also 2MO or -1FR), " +
	"BYMONTHDAY (not with FREQ=WEEKLY), and UNTIL or COUNT; weeks start on Monday"

// instead says what to write instead of what RFC 5545 has and rotations have not, by the name or the frequency.
func instead(name string) string {
	switch name {
	case "BYSETPOS":
		return "for the nth of one weekday write BYDAY=2MO or BYDAY=-1FR with FREQ=MONTHLY, and list dates that only BYSETPOS can name as overrides"
	case "WKST":
		return "leave WKST out: weeks start on Monday"
	case "BYMONTH":
		return "bound the months by anchorDate and UNTIL, or write FREQ=MONTHLY;INTERVAL=12 with an anchorDate in the month"
	case "BYWEEKNO", "BYYEARDAY":
		return "list such dates as overrides"
	case "BYHOUR", "BYMINUTE", "BYSECOND":
		return "write the time as the start of the shift, and give each time a shift of its own"
	case "DTSTART":
		return "write the date as anchorDate, beside rrule"
	case "RDATE", "EXDATE":
		return "list such dates as overrides; one without shifts closes them"
	case "YEARLY":
		return "write FREQ=MONTHLY;INTERVAL=12 with an anchorDate in the month"
	case "HOURLY", "MINUTELY", "SECONDLY":
		return "write FREQ=DAILY, and give each start of the day a shift of its own"
	}
	return ""
}

// refused is the error about a part that is not supported.
func refused(part, name string) error {
	if better := instead(name); better != "" {
		return fmt.Errorf("%q is not supported: %s", part, better)
	}
	return fmt.Errorf("%q is not supported; %s", part, supported)
}

// The bounds of a rule's numbers, which keep its compilation short.
const (
	maxInterval = 1000
	maxCount    = 1000
	maxRule     = 256
)

// parseRule reads a rule that counts from the anchor, a day. Its error says what to write.
func parseRule(text string, anchor int64) (*rule, error) {
	parts, err := ruleParts(text)
	if err != nil {
		return nil, err
	}
	r := &rule{interval: 1, anchor: anchor, until: endless, anyWeekday: true}
	switch parts["FREQ"] {
	case "DAILY":
		r.frequency = freqDaily
	case "WEEKLY":
		r.frequency = freqWeekly
	case "MONTHLY":
		r.frequency = freqMonthly
	case "YEARLY", "HOURLY", "MINUTELY", "SECONDLY":
		return nil, refused("FREQ="+parts["FREQ"], parts["FREQ"])
	default:
		return nil, fmt.Errorf("start with FREQ=DAILY, FREQ=WEEKLY or FREQ=MONTHLY; %s", supported)
	}
	if interval, given := parts["INTERVAL"]; given {
		if r.interval, err = number("INTERVAL", interval, maxInterval); err != nil {
			return nil, err
		}
	}
	if err := r.readDays(parts["BYDAY"]); err != nil {
		return nil, err
	}
	if err := r.readMonthDays(parts["BYMONTHDAY"]); err != nil {
		return nil, err
	}
	r.fillIn()
	if err := r.end(parts["UNTIL"], parts["COUNT"]); err != nil {
		return nil, err
	}
	return r, nil
}

// ruleParts splits a rule into its parts by name.
func ruleParts(text string) (map[string]string, error) {
	if len(text) > maxRule {
		return nil, fmt.Errorf("must be at most %d characters", maxRule)
	}
	if rest, found := strings.CutPrefix(text, "RRULE:"); found {
		return nil, fmt.Errorf("leave out RRULE: and write %s", rest)
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "UNTIL", "COUNT":
		default:
			return nil, refused(part, name)
		}
		if _, twice := parts[name]; twice {
			return nil, fmt.Errorf("write %s once", name)
		}
		if value == "" {
			return nil, fmt.Errorf("give %s a value", name)
		}
		parts[name] = value
	}
	return parts, nil
}

func (r *rule) readDays(list string) error {
	if list == "" {
		return nil
	}
	r.anyWeekday = false
	for item := range strings.SplitSeq(list, ",") {
		name := item[max(0, len(item)-2):]
		day := slices.Index([]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}, name)
		if day < 0 {
			return fmt.Errorf("BYDAY: %q is no weekday: write MO, TU, WE, TH, FR, SA or SU", item)
		}
		which := strings.TrimSuffix(item, name)
		if which == "" {
			r.weekdays[day] |= everyOne
			continue
		}
		if r.frequency != freqMonthly {
			return fmt.Errorf("BYDAY: %q counts in a month: write it with FREQ=MONTHLY, or without the number", item)
		}
		n, err := signed("BYDAY", which, maxOrdinal)
		if err != nil {
			return err
		}
		if n < 0 {
			n = fromTheEnd - n
		}
		r.weekdays[day] |= 1 << n
	}
	return nil
}

func (r *rule) readMonthDays(list string) error {
	if list == "" {
		return nil
	}
	if r.frequency == freqWeekly {
		return errors.New("BYMONTHDAY is not for FREQ=WEEKLY: write it with FREQ=MONTHLY or FREQ=DAILY")
	}
	for item := range strings.SplitSeq(list, ",") {
		n, err := signed("BYMONTHDAY", item, maxMonthDay)
		switch {
		case err != nil:
			return err
		case n > 0:
			r.monthDays |= 1 << n
		default:
			r.monthDaysBack |= 1 << -n
		}
	}
	return nil
}

// fillIn takes from the anchor what the rule leaves open.
func (r *rule) fillIn() {
	listed := !r.anyWeekday || r.monthDays|r.monthDaysBack != 0
	switch {
	case r.frequency == freqWeekly && !listed:
		r.anyWeekday = false
		r.weekdays[weekday(r.anchor)] = everyOne
	case r.frequency == freqMonthly && !listed:
		nth, _ := dayOfMonth(r.anchor)
		r.monthDays = 1 << nth
	}
}

// end reads where the rule ends. A rule that holds on no date is a mistake as well.
func (r *rule) end(until, count string) error {
	switch {
	case until != "" && count != "":
		return errors.New("write UNTIL or COUNT, not both")
	case until != "":
		last, err := time.Parse("20060102", until)
		if err != nil {
			return fmt.Errorf("UNTIL: %q is no date: write the last one as YYYYMMDD, for example UNTIL=20261231", until)
		}
		r.until = dayOf(last.Unix())
	case count != "":
		n, err := number("COUNT", count, maxCount)
		if err != nil {
			return err
		}
		last, ok := r.nth(n)
		if !ok {
			return fmt.Errorf("there are not %d such dates in the hundred years from anchorDate on", n)
		}
		r.until = last
	}
	if _, ok := r.nth(1); !ok {
		return errors.New("there is no such date in the hundred years from anchorDate on")
	}
	return nil
}

// number reads 1 to most.
func number(part, text string, most int64) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 16) // which takes no sign
	if err != nil || n < 1 || int64(n) > most {
		return 0, fmt.Errorf("%s: %q must be a number from 1 to %d", part, text, most)
	}
	return int64(n), nil
}

// signed reads 1 to most, or -1 to -most.
func signed(part, text string, most int64) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 16)
	if err != nil || n == 0 || n < -most || n > most {
		return 0, fmt.Errorf("%s: %q must be a number from 1 to %d, or from -%d to -1 to count from the end", part, text, most, most)
	}
	return n, nil
}
