// Package quota is the ledger of how many messages a platform still lets us send to a customer, and until when.
//
// WeChat grants messages when the customer makes contact, and refuses what goes beyond (45015 after the window, 45047 above
// the count). The ledger refuses first: a refused send costs an agent's time and tells the customer nothing.
//
// Invariants:
//   - Grants do not add up. A message has a grant of its own, and so has what else a customer does, refreshed to its maximum
//     by a newer contact of the sort; what may be sent now is the larger of the grants that are open. So two messages for a
//     minute never displace what is left of five for two days, nor the other way round, and the ledger never promises the sum.
//     All that is no message grants the same on one Channel, for a minute, so that its newest contact says it all.
//   - A message sent counts against every grant, as on the platform's one counter.
//   - Order of arrival does not matter: a contact which is older than the last of its kind changes nothing, so a late
//     webhook neither shrinks a window nor gives back what was spent. The platform's clock counts seconds: another contact
//     of the same second is a new one. Webhooks that the platform repeats are the caller's to tell, by their ids.
//   - What is said in the answer to a webhook is no message of the ledger: the platform does not count it.
//   - Texts about cases never take what is kept for people of any grant (Spare), however many cases a customer has.
//
// The package keeps no state and reads no clock; storing a State, and doing so in one transaction with the send, is the
// caller's part.
package quota

import (
	"cmp"
	"time"
)

// Contact is what a customer did to make the platform grant messages.
type Contact int

// The contacts of mini-programs and official accounts.
const (
	// UserMessage is a message that the customer sent.
	UserMessage Contact = iota
	// EnterSession is the customer opening a mini-program's chat (event user_enter_tempsession).
	EnterSession
	// MenuTap is a tap on an official account's menu that its server is told of (events CLICK, scancode_push and
	// scancode_waitmsg), or on an item of a message with choices.
	MenuTap
	// Follow is the customer following an official account.
	Follow
	// Scan is a follower scanning one of the account's QR codes.
	Scan
)

// Rule is what one contact grants.
type Rule struct {
	Messages int32
	Window   time.Duration
}

// Rules is the platform's table for one Channel. The zero Rules are those of accounts today.
type Rules struct {
	// UserMessages is how many messages a customer's message grants; 0 means five. Older official accounts have 20.
	UserMessages int32
}

const (
	userMessages  = 5
	messageWindow = 48 * time.Hour
	tapWindow     = time.Minute
	// keptOfFive is how many of five messages are for people.
	keptOfFive = 2
)

// Of is the contact's row of the table. A contact that the table does not know grants nothing.
func (r Rules) Of(kind Contact) Rule {
	switch kind {
	case UserMessage:
		return Rule{Messages: cmp.Or(r.UserMessages, userMessages), Window: messageWindow}
	case EnterSession:
		return Rule{Messages: 2, Window: tapWindow}
	case MenuTap, Follow, Scan:
		return Rule{Messages: 3, Window: tapWindow}
	default:
		return Rule{}
	}
}

// State is the ledger of one customer on one Channel. The zero State has no grant. All fields have to be stored.
//
// Remaining and SessionRemaining are counters, not what a person should be shown: they go below zero where a message went
// out on the other grant alone, so that Refund is exact. Show what Left returns.
type State struct {
	// WindowEnds and Remaining are the grant of the last UserMessage, which was of Granted messages.
	WindowEnds time.Time
	Remaining  int32
	Granted    int32
	// SessionEnds and SessionRemaining are the grant of the last contact of another kind, which was of SessionGranted messages.
	SessionEnds      time.Time
	SessionRemaining int32
	SessionGranted   int32
}

// Grant is the State after a contact at the given time, which is the platform's time of the contact, not of its arrival.
func Grant(s State, rules Rules, kind Contact, at time.Time) State {
	rule := rules.Of(kind)
	ends := at.Add(rule.Window)
	switch {
	case rule.Messages == 0:
	case kind == UserMessage && !ends.Before(s.WindowEnds):
		s.WindowEnds, s.Remaining, s.Granted = ends, rule.Messages, rule.Messages
	case kind != UserMessage && !ends.Before(s.SessionEnds):
		s.SessionEnds, s.SessionRemaining, s.SessionGranted = ends, rule.Messages, rule.Messages
	}
	return s
}

// Unfollow is the State after the customer stopped following an official account at the given time: all that was granted
// before is void, for the platform lets no message through any more.
func Unfollow(s State, at time.Time) State {
	if !s.WindowEnds.IsZero() && !at.Before(s.WindowEnds.Add(-messageWindow)) && at.Before(s.WindowEnds) {
		s.WindowEnds = at
	}
	if !s.SessionEnds.IsZero() && !at.Before(s.SessionEnds.Add(-tapWindow)) && at.Before(s.SessionEnds) {
		s.SessionEnds = at
	}
	return s
}

// Verdict says whether a message may be sent.
type Verdict int

// The verdicts.
const (
	// Allowed: at least one message may be sent.
	Allowed Verdict = iota
	// WindowClosed: the customer has to make contact first (the platform would answer 45015).
	WindowClosed
	// QuotaSpent: the window is open, but its messages are spent (the platform would answer 45047).
	QuotaSpent
)

// String is the verdict as logs and metrics name it.
func (v Verdict) String() string {
	switch v {
	case Allowed:
		return "Allowed"
	case WindowClosed:
		return "WindowClosed"
	case QuotaSpent:
		return "QuotaSpent"
	default:
		return "Unknown"
	}
}

// Check says whether a message may be sent now.
func Check(s State, now time.Time) Verdict {
	switch remaining, until := Left(s, now); {
	case until.IsZero():
		return WindowClosed
	case remaining <= 0:
		return QuotaSpent
	default:
		return Allowed
	}
}

// Left is how many messages may be sent now, never less than zero, and when the last of the open windows ends; zero for both when none is open.
// Of several open windows some may end earlier than until, so that remaining can fall before it without a message.
func Left(s State, now time.Time) (remaining int32, until time.Time) {
	if now.Before(s.WindowEnds) {
		remaining, until = max(remaining, s.Remaining), s.WindowEnds
	}
	if now.Before(s.SessionEnds) {
		remaining = max(remaining, s.SessionRemaining)
		if s.SessionEnds.After(until) {
			until = s.SessionEnds
		}
	}
	return remaining, until
}

// Spare is how many messages texts about cases may take now. Nobody waits for these in a conversation, and a customer may have many
// cases: people keep two of five messages, eight of twenty, and one of the two or three of a minute. Of several open grants that have
// something left each keeps its own, for a message counts against all of them.
func Spare(s State, now time.Time) int32 {
	spare, open := int32(0), false
	consider := func(ends time.Time, remaining, granted int32) {
		if !now.Before(ends) || remaining <= 0 {
			return
		}
		left := max(remaining-max(granted*keptOfFive/userMessages, 1), 0)
		if !open || left < spare {
			spare, open = left, true
		}
	}
	consider(s.WindowEnds, s.Remaining, s.Granted)
	consider(s.SessionEnds, s.SessionRemaining, s.SessionGranted)
	return spare
}

// Spend is the State after a message went out, or may have gone out: a send with an unknown end counts as spent.
func Spend(s State) State { return SpendMany(s, 1) }

// SpendMany is the State after so many messages.
func SpendMany(s State, messages int32) State {
	s.Remaining -= messages
	s.SessionRemaining -= messages
	return s
}

// Refund is the State after a message for which Spend was called has certainly not gone out. A grant that was refreshed in
// between stays at its maximum.
func Refund(s State) State {
	s.Remaining = min(s.Remaining+1, s.Granted)
	s.SessionRemaining = min(s.SessionRemaining+1, s.SessionGranted)
	return s
}
