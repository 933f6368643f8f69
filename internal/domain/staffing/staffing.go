// Package staffing says how many seats a skill group needs so that its customers do not wait: Erlang C on the load that they
// bring, a simulator that checks the formula, and a forecast of the load by hour from the group's own history.
//
// The package reads no clock and draws no random numbers but from the seed that it is given. It knows no agents:
// who sits where, and whether they do, is up to others. Of a schedule it reads which dates are unlike others.
//
// The model: contacts arrive at random (Poisson) at a steady rate, wait in one queue in order of arrival, and nobody gives up.
// Customers do give up, so that real waiting is somewhat shorter than the model's. A contact is handled for a random time
// (exponential) of which the mean counts. A seat that serves k contacts at once is k servers, and Handling is then the whole
// time from a contact's assignment to its end, as the agent's other contacts stretch it: it is not divided by k.
//
// Invariants:
//   - More load or a stricter target never makes a recommendation smaller.
//   - A recommendation is the smallest number that meets every bound of its target, unless MaxSeats cuts it.
package staffing

import (
	"math"
	"time"
)

// MaxSeats is the largest recommendation: as many as a shift may want.
const MaxSeats = 10000

// What a promise that says nothing else stands for, in percent.
const (
	DefaultPercent      = 90
	DefaultMaxOccupancy = 85
	DefaultShrinkage    = 30
)

// rounding is what sums of percents and shares may be off by without another seat being wanted for it.
const rounding = 1e-9

// Load is what customers bring to a group in an interval.
type Load struct {
	// Arrivals are contacts an hour.
	Arrivals float64
	// Handling is the mean handling time of a contact, from its assignment to its end.
	Handling time.Duration
	// Concurrency is how many contacts one seat serves at once; 0 means 1.
	Concurrency float64
}

// Target is what the customers of a group are promised, and its agents too.
type Target struct {
	// Within this time Percent of the contacts are answered.
	Within  time.Duration
	Percent float64
	// MaxOccupancy is the largest percentage of their time for which agents are busy; 0 means no bound.
	MaxOccupancy float64
	// Shrinkage is the percentage of rostered agents who do not sit there: on leave, ill, in training, on a break.
	Shrinkage float64
}

// Outcome is what customers and agents live through with a number of seats. All shares are from 0 to 1.
type Outcome struct {
	// ServiceLevel is the share of contacts that are answered in time.
	ServiceLevel float64
	// Occupancy is the share of the time for which a place to serve a contact is taken.
	Occupancy float64
	// WaitProbability is the share of contacts that wait at all.
	WaitProbability float64
	// MeanWait is that of all contacts, those that do not wait included. Forever where the queue grows without end.
	MeanWait time.Duration
}

// Forever is the mean wait in a queue that grows without end.
const Forever time.Duration = math.MaxInt64

// Bound is what decides a recommendation.
type Bound string

// The bounds.
const (
	// BoundNone is that of a group without contacts.
	BoundNone Bound = ""
	// BoundServiceLevel says that fewer seats would answer too late.
	BoundServiceLevel Bound = "ServiceLevel"
	// BoundOccupancy says that fewer seats would answer in time, and burn people out.
	BoundOccupancy Bound = "Occupancy"
	// BoundMaxSeats says that MaxSeats do not meet the target.
	BoundMaxSeats Bound = "MaxSeats"
)

// Recommendation is how many seats a load wants, and what they make of it.
type Recommendation struct {
	// Load and Target are what was asked.
	Load   Load
	Target Target
	// Seats are the agents to roster, shrinkage included.
	Seats int32
	// OnDuty are the agents who must sit there.
	OnDuty int32
	// Outcome is that of OnDuty seats.
	Outcome
	// Bound is what decided.
	Bound Bound
}

// Recommend is the smallest number of seats that meets the target. Nobody is wanted where nobody comes.
func Recommend(load Load, target Target) Recommendation {
	onDuty, bound := smallest(load, target)
	return Recommendation{
		Load:    load,
		Target:  target,
		Seats:   rostered(onDuty, target.Shrinkage),
		OnDuty:  onDuty,
		Outcome: Reach(load, target.Within, onDuty),
		Bound:   bound,
	}
}

// smallest walks up from one seat, carrying Erlang's recursion along.
func smallest(load Load, target Target) (int32, Bound) {
	if !load.some() {
		return 0, BoundNone
	}
	offered := load.offered()
	percent := min(target.Percent, 100)
	mostBusy := target.MaxOccupancy / 100
	line, bound := newErlang(offered), BoundServiceLevel
	for seats := int32(1); seats <= MaxSeats; seats++ {
		servers := load.servers(seats)
		line.grow(servers)
		level := serviceLevel(line.wait(), servers, offered, load, target.Within)
		switch {
		case float64(servers) <= offered || level*100 < percent-rounding:
		case mostBusy > 0 && offered/float64(servers) > mostBusy+rounding:
			bound = BoundOccupancy
		default:
			return seats, bound
		}
	}
	return MaxSeats, BoundMaxSeats
}

// Reach is the outcome of a number of seats on duty, with within as the time in which contacts should be answered.
func Reach(load Load, within time.Duration, onDuty int32) Outcome {
	offered, servers := load.offered(), load.servers(onDuty)
	switch {
	case !load.some():
		return Outcome{ServiceLevel: 1}
	case servers == 0 || float64(servers) <= offered:
		return Outcome{Occupancy: 1, WaitProbability: 1, MeanWait: Forever}
	}
	wait := ErlangC(servers, offered)
	mean := wait * float64(load.Handling) / (float64(servers) - offered)
	return Outcome{
		ServiceLevel:    serviceLevel(wait, servers, offered, load, within),
		Occupancy:       offered / float64(servers),
		WaitProbability: wait,
		MeanWait:        time.Duration(min(mean, float64(Forever/2))),
	}
}

// serviceLevel is the share of contacts that are answered within a time: those who wait do so for an exponential time.
func serviceLevel(wait float64, servers int, offered float64, load Load, within time.Duration) float64 {
	if wait == 0 {
		return 1
	}
	return 1 - wait*math.Exp(-(float64(servers)-offered)*float64(max(within, 0))/float64(load.Handling))
}

// rostered are the agents of whom that many sit there, at most MaxSeats.
func rostered(onDuty int32, shrinkage float64) int32 {
	if onDuty == 0 {
		return 0
	}
	present := 100 - min(max(shrinkage, 0), 100)
	return int32(min(MaxSeats, math.Ceil(float64(onDuty)*100/present-rounding)))
}

// some reports whether there are contacts at all. Not a number means no.
func (l Load) some() bool { return l.Arrivals > 0 }

// offered is the mean number of contacts being handled if nobody waited, in erlangs.
func (l Load) offered() float64 { return max(l.Arrivals, 0) * max(l.Handling, 0).Hours() }

// servers are the contacts that a number of seats serves at once.
func (l Load) servers(seats int32) int {
	concurrency := l.Concurrency
	if concurrency <= 0 {
		concurrency = 1
	}
	return int(float64(max(seats, 0))*min(concurrency, MaxSeats) + rounding)
}
