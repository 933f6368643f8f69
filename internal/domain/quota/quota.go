// Package quota is the ledger of how many messages a platform still lets us send to a customer, and until when.
//
// WeChat grants messages when the customer makes contact, and refuses what goes beyond (45015 after the window, 45047 above
// the count). The ledger refuses first: a refused send costs an agent's time and tells the customer nothing.
//
// Invariants:
//   - Grants do not add up. Each kind of contact has a grant of its own, refreshed to its maximum by a newer contact of the
//     kind; what may be sent now is the larger of the grants that are open. So two messages for a minute never displace
//     what is left of five for two days, nor the other way round, and the ledger never promises the sum.
//   - A message sent counts against every grant, as on the platform's one counter.
//   - Order of arrival does not matter: a contact which is older than the last of its kind changes nothing, so a late
//     webhook neither shrinks a window nor gives back what was spent. The platform's clock counts seconds: another contact
//     of the same second is a new one. Webhooks that the platform repeats are the caller's to tell, by their ids.
//
// The package keeps no state and reads no clock; storing a State, and doing so in one transaction with the send, is the
// caller's part.
package quota

import "time"

// Contact is what a customer did to make the platform grant messages.
type Contact int

// The contacts of a mini-program.
const (
	// UserMessage is a message that the customer sent.
	UserMessage Contact = iota
	// EnterSession is the customer opening the chat (event user_enter_tempsession).
	EnterSession
)

// Rule is what one contact grants.
type Rule struct {
	Messages int32
	Window   time.Duration
}

// Rules is the platform's table, by contact.
func Rules() map[Contact]Rule {
	return map[Contact]Rule{
		UserMessage:  UserMessage.Rule(),
		EnterSession: EnterSession.Rule(),
	}
}

// Rule is the contact's row of the platform's table. A contact that the table does not know grants nothing.
func (c Contact) Rule() Rule {
	switch c {
	case UserMessage:
		return Rule{Messages: 5, Window: 48 * time.Hour}
	case EnterSession:
		return Rule{Messages: 2, Window: time.Minute}
	default:
		return Rule{}
	}
}

// State is the ledger of one customer on one Channel. The zero State has no grant. All four fields have to be stored.
//
// Remaining and SessionRemaining are counters, not what a person should be shown: they go below zero where a message went
// out on the other grant alone, so that Refund is exact. Show what Left returns.
type State struct {
	// WindowEnds and Remaining are the grant of the last UserMessage.
	WindowEnds time.Time
	Remaining  int32
	// SessionEnds and SessionRemaining are the grant of the last EnterSession.
	SessionEnds      time.Time
	SessionRemaining int32
}

// Grant is the State after a contact at the given time, which is the platform's time of the contact, not of its arrival.
func Grant(s State, kind Contact, at time.Time) State {
	rule := kind.Rule()
	ends := at.Add(rule.Window)
	switch kind {
	case UserMessage:
		if !ends.Before(s.WindowEnds) {
			s.WindowEnds, s.Remaining = ends, rule.Messages
		}
	case EnterSession:
		if !ends.Before(s.SessionEnds) {
			s.SessionEnds, s.SessionRemaining = ends, rule.Messages
		}
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
	case remaining == 0:
		return QuotaSpent
	default:
		return Allowed
	}
}

// Left is how many messages may be sent now, and when the last of the open windows ends; zero for both when none is open.
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

// Spend is the State after a message went out, or may have gone out: a send with an unknown end counts as spent.
func Spend(s State) State {
	s.Remaining--
	s.SessionRemaining--
	return s
}

// Refund is the State after a message for which Spend was called has certainly not gone out. A grant that was refreshed in
// between stays at its maximum.
func Refund(s State) State {
	s.Remaining = min(s.Remaining+1, UserMessage.Rule().Messages)
	s.SessionRemaining = min(s.SessionRemaining+1, EnterSession.Rule().Messages)
	return s
}
