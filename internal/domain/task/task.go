// Package task says what may become of what somebody owes a customer, and until when things are owed that are promised in words.
//
// It holds no clock and writes nothing: desks ask it under the lock of the case, and tell whom it refuses what is possible
// instead.
package task

import (
	"slices"
	"strings"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// Longest is until when something can be promised.
const Longest = 30 * 24 * time.Hour

// Action is what may be done with a task.
type Action string

// The actions.
const (
	// Done says that it was kept.
	Done Action = "done"
	// Cancel says that nobody owes it any more, and why.
	Cancel Action = "cancel"
	// Postpone gives it another time, and says why.
	Postpone Action = "postpone"
	// Reassign gives it to somebody else.
	Reassign Action = "reassign"
)

// Actions are all of them.
func Actions() []Action { return []Action{Done, Postpone, Reassign, Cancel} }

// ReasonCode is why a customer was not content.
type ReasonCode string

// ReasonCodes are all reasons, in the order in which they are offered.
func ReasonCodes() []ReasonCode {
	return []ReasonCode{"Attitude", "Unsolved", "SlowReply", "Product", "Logistics", "Price", "Other"}
}

// Task is what the rules look at.
type Task struct {
	// Ended says that nothing is owed any more.
	Ended bool
	// FromOpening says that the customer was told by when they are answered: it is not postponed.
	FromOpening bool
	// NeedsReason says that it cannot be done without a reason code.
	NeedsReason bool
}

// Decision is what somebody wants to do.
type Decision struct {
	Action     Action
	Note       string
	ReasonCode ReasonCode
	// Due is when a postponed task is due.
	Due time.Time
	// Owner is who gets it.
	Owner string
}

// RefusedError says why a decision is refused, and what to do instead.
type RefusedError struct {
	// Reason is a word for programs.
	Reason string
	Text   string
	// Incomplete says that the decision lacks something; else it is the wrong one for the task as it is.
	Incomplete bool
}

func (e *RefusedError) Error() string { return e.Text }

// Allowed are the actions that a task takes.
func Allowed(t Task) []Action {
	switch {
	case t.Ended:
		return nil
	case t.FromOpening:
		return []Action{Done, Reassign, Cancel}
	default:
		return []Action{Done, Postpone, Reassign, Cancel}
	}
}

// Check refuses what the task does not take.
func Check(t Task, d Decision, now time.Time) error {
	lacks := func(reason, text string) error { return &RefusedError{Reason: reason, Text: text, Incomplete: true} }
	if t.Ended {
		return &RefusedError{Reason: "Ended", Text: "it has ended already; nothing more can be done with it"}
	}
	switch d.Action {
	case Done:
		if t.NeedsReason && !slices.Contains(ReasonCodes(), d.ReasonCode) {
			return lacks("NeedsReasonCode", "say why the customer was not content: "+list())
		}
		if t.NeedsReason && strings.TrimSpace(d.Note) == "" {
			return lacks("NeedsNote", "write down what the customer said")
		}
	case Cancel:
		if strings.TrimSpace(d.Note) == "" {
			return lacks("NeedsNote", "write down why nobody owes it any more")
		}
	case Postpone:
		switch {
		case t.FromOpening:
			return &RefusedError{Reason: "NotPostponable", Text: "the customer was told by when they are answered: answer, reassign or cancel"}
		case strings.TrimSpace(d.Note) == "":
			return lacks("NeedsNote", "write down why it is postponed")
		default:
			return InTime(d.Due, now)
		}
	case Reassign:
		if d.Owner == "" {
			return lacks("NeedsOwner", "name the Agent who gets it")
		}
	default:
		return lacks("NoSuchAction", "do one of done, postpone, reassign and cancel")
	}
	return nil
}

// InTime refuses times at which nothing can be due.
func InTime(due, now time.Time) error {
	if !due.After(now) || due.After(now.Add(Longest)) {
		return &RefusedError{Reason: "BadDue", Text: "choose a time to come, within 30 days", Incomplete: true}
	}
	return nil
}

// clockSlack is how far the clock of who reports something may be ahead.
const clockSlack = 5 * time.Minute

// Paid is when an order was paid, as somebody reports it; it refuses what cannot be, and what nobody can act on any more.
func Paid(at, now time.Time) (time.Time, error) {
	if at.After(now.Add(clockSlack)) || at.Before(now.Add(-Longest)) {
		return time.Time{}, &RefusedError{Reason: "BadPayment", Text: "paidAt is when the order was paid, within the last 30 days", Incomplete: true}
	}
	if at.After(now) {
		at = now
	}
	return at.UTC(), nil
}

func list() string {
	var names []string
	for _, c := range ReasonCodes() {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

// Preset is a time that is promised in words.
type Preset string

// The presets.
const (
	// WithinHour is 1 小时内.
	WithinHour Preset = "WithinHour"
	// Today is 今天内: before the group closes today, or, where it does not open any more, before midnight.
	Today Preset = "Today"
	// Within24Hours is 24 小时内.
	Within24Hours Preset = "Within24Hours"
	// TomorrowNoon is 明天中午前.
	TomorrowNoon Preset = "TomorrowNoon"
)

// Due is when what is promised in these words is due; false for words that are no preset. Hours are the group's, nil where it
// is always open; zone is where days begin and end.
func (p Preset) Due(now time.Time, hours *schedule.Schedule, zone *time.Location) (time.Time, bool) {
	year, month, day := now.In(zone).Date()
	switch p {
	case WithinHour:
		return now.Add(time.Hour), true
	case Within24Hours:
		return now.Add(24 * time.Hour), true
	case TomorrowNoon:
		return time.Date(year, month, day+1, 12, 0, 0, 0, zone), true
	case Today:
		midnight := time.Date(year, month, day+1, 0, 0, 0, 0, zone)
		due := midnight
		if hours != nil {
			for span := range hours.Spans(now, midnight) {
				if span.State.Open {
					due = span.Until
				}
			}
		}
		return due, true
	default:
		return time.Time{}, false
	}
}
