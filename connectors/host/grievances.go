package host

import (
	"maps"
	"slices"
	"time"

	"github.com/yingda-dev/yingda/connectors"
)

// The calls of which it is told when the platform refuses them to an account.
const (
	callSend    = "send"
	callMedia   = "media"
	callProfile = "user"
	callMenu    = "menu"
	callNotice  = "template"
)

// grievanceKept is for how long a refusal counts that does not come again, as when the call is not made again, or another
// replica makes it. What the gate is shut for counts until it opens, and a quota until the platform's next day.
const grievanceKept = time.Hour

// platformDay is the day by which platforms count, as the offset of its midnight from that of UTC: Beijing's.
const platformDay = 8 * time.Hour

// grievances are calls that the platform refuses, and when it last did.
type grievances map[string]time.Time

func (g *grievances) add(call string, now time.Time) {
	if *g == nil {
		*g = grievances{}
	}
	(*g)[call] = now
}

// since are those that still count, sorted: counts says so of one by when it was noted last.
func (g grievances) since(counts func(call string, noted time.Time) bool) []string {
	var calls []string
	for _, call := range slices.Sorted(maps.Keys(g)) {
		if counts(call, g[call]) {
			calls = append(calls, call)
		}
	}
	return calls
}

// deniedCalls are the calls that the platform refuses for want of a right.
func (e *entry) deniedCalls(now time.Time) []string {
	return e.denied.since(func(call string, noted time.Time) bool {
		return now.Sub(noted) < grievanceKept || call == callSend && e.gate.denied
	})
}

// limitedCalls are the calls that the platform refuses for their number.
func (e *entry) limitedCalls(now time.Time) []string {
	day := func(at time.Time) time.Time { return at.Add(platformDay).Truncate(24 * time.Hour) }
	return e.limited.since(func(_ string, noted time.Time) bool { return day(noted).Equal(day(now)) || now.Sub(noted) < deferMost })
}

// noteCall remembers how a call ended; failure is nil when it worked. What ended otherwise says nothing.
func (e *entry) noteCall(call string, failure *connectors.CallError, now time.Time) {
	switch {
	case failure == nil:
		delete(e.denied, call)
		delete(e.limited, call)
	case failure.Reason == connectors.ReasonNotAuthorized:
		e.denied.add(call, now)
	case failure.Reason == connectors.ReasonQuotaReached:
		e.limited.add(call, now)
	}
}

// worked notes a call of a connector in force that did.
func (t *table) worked(name string, connector connectors.Connector, call string) {
	t.note(name, connector, call, nil)
}

// complained notes a call that did not. One that is refused for its credentials stops the Channel; a right that the account
// lacks for this call does not keep it from answering customers.
func (t *table) complained(name string, connector connectors.Connector, call string, failure *connectors.CallError) {
	t.note(name, connector, call, failure)
	if failure.Class == connectors.ClassCredentials && failure.Reason != connectors.ReasonNotAuthorized {
		t.refused(name, connector, failure)
	}
}

func (t *table) note(name string, connector connectors.Connector, call string, failure *connectors.CallError) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.entries[name]; ok && e.connector == connector {
		e.noteCall(call, failure, t.services.Clock())
	}
}
