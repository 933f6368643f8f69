package outbox

import (
	"time"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// maxLanes bounds the lanes that are parked at once, and with them what a look at the head has to be told. A topic with
// more lanes that fail is parked as a whole.
const maxLanes = 2048

// restMost bounds the doubling: a target rests some 1.5 s at most, a lane some 3 s, which is what comes on top of an outage.
const restMost = 32

// rest is how long something is left alone. A zero until is over: the next failure doubles pause, a success forgets it.
type rest struct {
	until time.Time
	pause time.Duration
}

// parked is what could not be sent a moment ago: it is left out of the head for a while, or a hundred rows that nobody
// takes would keep all others of the brand behind them.
//
//	fails -> waits (until) -> may be tried again (zero until) -> fails: waits twice as long, to a limit
//	                                                          -> is sent: forgotten
//
// A lane is left out with all its rows, so that its order stays. It belongs to one goroutine.
type parked struct {
	destination    string
	targets, lanes map[string]rest
}

func newParked(destination string) *parked {
	return &parked{destination: destination, targets: map[string]rest{}, lanes: map[string]rest{}}
}

// lane names what has to keep its order, as the query does: a key of a topic, or a workflow with all that is asked of it.
func (p *parked) lane(row *db.Outbox) string {
	if p.destination == store.DestinationTemporal {
		return row.Key
	}
	return row.Target + " " + row.Key
}

// addTarget leaves a target alone.
func (p *parked) addTarget(target string, now time.Time) { prolong(p.targets, target, now, backoffMin) }

// addLane leaves the row's lane alone; false when there are too many and its target cannot stand for it.
func (p *parked) addLane(row *db.Outbox, now time.Time) bool {
	lane := p.lane(row)
	if _, known := p.lanes[lane]; known || len(p.lanes) < maxLanes {
		// Twice as long as a target: when that is tried again, it is with other rows.
		prolong(p.lanes, lane, now, 2*backoffMin)
		return true
	}
	// What is asked of one workflow has several targets: parking one of them would change the order.
	if p.destination == store.DestinationTemporal {
		return false
	}
	p.addTarget(row.Target, now)
	return true
}

func prolong(rests map[string]rest, name string, now time.Time, first time.Duration) {
	before := rests[name]
	if before.until.After(now) {
		return
	}
	pause := min(max(2*before.pause, first), restMost*first)
	rests[name] = rest{until: now.Add(pause), pause: pause}
}

// sent forgets that the row's lane and target ever failed.
func (p *parked) sent(row *db.Outbox) {
	delete(p.lanes, p.lane(row))
	delete(p.targets, row.Target)
}

// waiting ends the rests that are over, and returns what is still left alone.
func (p *parked) waiting(now time.Time) (targets, lanes []string) {
	return stillWaiting(p.targets, now), stillWaiting(p.lanes, now)
}

func stillWaiting(rests map[string]rest, now time.Time) []string {
	// An empty list, not none: nothing is "not in" NULL.
	names := []string{}
	for name, r := range rests {
		if r.until.After(now) {
			names = append(names, name)
			continue
		}
		rests[name] = rest{pause: r.pause}
	}
	return names
}

// tidy forgets what was not left alone: everything else was read, so its rows are gone.
func (p *parked) tidy() {
	for _, rests := range []map[string]rest{p.targets, p.lanes} {
		for name, r := range rests {
			if r.until.IsZero() {
				delete(rests, name)
			}
		}
	}
}

// due is when the next rest is over; false when nothing rests.
func (p *parked) due() (at time.Time, any bool) {
	for _, rests := range []map[string]rest{p.targets, p.lanes} {
		for _, r := range rests {
			if !r.until.IsZero() && (!any || r.until.Before(at)) {
				at, any = r.until, true
			}
		}
	}
	return at, any
}

func (p *parked) size() int { return len(p.targets) + len(p.lanes) }
