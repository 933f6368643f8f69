package host

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
)

// gate decides which messages of a Channel go out. The table's mutex guards it.
//
//	open ──the account is refused at a send──> shut ──after a growing pause, one message──> did it arrive? ──yes──> open
//	  │                                         ^                                                │ no
//	  └──a limit of the account──> paused       └────────────────────────────────────────────────┘
//
// A check only shows that an access token can be had, not that it may be used: it opens a gate only when a check has found
// the refusal too.
type gate struct {
	// refusal says why the platform refuses the account, "" when it does not.
	refusal string
	// reason is its short name.
	reason string
	// denied says that it is not the credentials that are refused: the account may not send.
	denied bool
	// unproven says that a send found the refusal and no check has: only a message that arrives opens the gate.
	unproven bool
	// probeAt is when the next message may try, probing that one is at it, probePause the pause after it.
	probeAt    time.Time
	probing    bool
	probePause time.Duration
	// notBefore is the end of a pause for a limit of the account, limitPause how long it was.
	notBefore  time.Time
	limitPause time.Duration
}

// admits says whether a message may go out; probe says that it is the one that tries.
func (g *gate) admits(now time.Time) (probe, ok bool) {
	switch {
	case now.Before(g.notBefore):
		return false, false
	case g.refusal == "":
		return false, true
	default:
		return true, g.unproven && !g.probing && !now.Before(g.probeAt)
	}
}

// rejected says whether the platform refuses the credentials.
func (g *gate) rejected() bool { return g.refusal != "" && !g.denied }

// refuse shuts the gate, or keeps it shut for longer.
func (g *gate) refuse(now time.Time) {
	g.probePause = min(max(2*g.probePause, recheckAfter), recheckMost)
	g.unproven, g.probeAt = true, now.Add(g.probePause)
}

// limit makes all messages wait. Refusals of what was under way together count as one.
func (g *gate) limit(now time.Time, least time.Duration) {
	if now.Before(g.notBefore) {
		return
	}
	g.limitPause = max(least, min(2*g.limitPause, deferMost))
	g.notBefore = now.Add(g.limitPause)
}

// turn is the right to send one message.
type turn struct {
	name      string
	channel   *v1alpha1.Channel
	connector connectors.Connector
	probe     bool
}

// admit gives a turn to send a message of a Channel; the caller must hand it back by sent or unused.
func (t *table) admit(name string) (turn, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.entries[name]
	if !ok || e.connector == nil {
		return turn{}, false
	}
	probe, ok := e.gate.admits(t.services.Clock())
	if !ok {
		return turn{}, false
	}
	e.gate.probing = e.gate.probing || probe
	return turn{name, e.channel, e.connector, probe}, true
}

// unused hands back a turn with which nothing was sent.
func (t *table) unused(turn turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.entries[turn.name]; ok && e.connector == turn.connector && turn.probe {
		e.gate.probing = false
	}
}

// sent hands back a turn with what came of it, nil when the message was taken.
func (t *table) sent(turn turn, failure *connectors.CallError) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.entries[turn.name]
	if !ok || e.connector != turn.connector {
		return
	}
	now := t.services.Clock()
	e.noteCall(callSend, failure, now)
	if turn.probe {
		e.gate.probing, e.gate.probeAt = false, now.Add(e.gate.probePause)
	}
	switch {
	case failure == nil:
		if !now.Before(e.gate.notBefore) {
			// What was under way when the limit was reached says nothing about it.
			e.gate.limitPause = 0
		}
		if turn.probe {
			e.gate.refusal, e.gate.reason, e.gate.unproven, e.gate.denied, e.gate.probePause = "", "", false, false, 0
			t.judgeLocked(e)
		}
	case failure.Class == connectors.ClassCredentials && (turn.probe || e.gate.refusal == ""):
		e.gate.refuse(now)
		t.refuseLocked(e, failure)
	case failure.Shared:
		e.gate.limit(now, failure.RetryAfter)
	}
}

// notified hands back a turn with what came of a notice. That says nothing of messages, which take another right and another
// quota; only an account that is refused altogether stops the Channel.
func (t *table) notified(turn turn, failure *connectors.CallError) {
	t.unused(turn)
	if failure == nil {
		t.worked(turn.name, turn.connector, callNotice)
		return
	}
	t.complained(turn.name, turn.connector, callNotice, failure)
}

// ready returns the Channels of which a message may go out now, and all. None is an empty list, as for senders.
func (t *table) ready() (senders, known []string) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	senders, known = []string{}, []string{}
	now := t.services.Clock()
	for name, e := range t.entries {
		known = append(known, name)
		if _, ok := e.gate.admits(now); ok && e.connector != nil {
			senders = append(senders, name)
		}
	}
	return senders, known
}
