package staffing

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Contact is one that arrives in a simulation.
type Contact struct {
	// At is when it arrives, from the start of the simulation.
	At time.Duration
	// Handling is the time for which an agent with all hands full handles it.
	Handling time.Duration
}

// Served is what became of a Contact.
type Served struct {
	// Wait is until it was assigned; Forever where nobody came to take it.
	Wait time.Duration
	// Handling is from then until its end.
	Handling time.Duration
}

// Staff is how many seats are on duty from a moment on. Who goes off duty takes nothing new and ends what is under way.
type Staff struct {
	From  time.Duration
	Seats int32
}

// Floor is how contacts are served: in order of arrival, each by the seat that has the fewest.
type Floor struct {
	// Staff in order of time; nobody is there before the first.
	Staff []Staff
	// Concurrency is how many contacts one seat serves at once; 0 means 1.
	Concurrency int
	// Attention is the share of a contact's handling, with all hands full, for which it waits for its agent rather than for its
	// customer, from 0 to 1. With 0 other contacts do not matter: Erlang's model. With 1 an agent who has one contact instead of
	// k handles it k times as fast.
	Attention float64
}

// Arrivals are contacts that come at random, at the rate of the load, from one moment to another.
func Arrivals(random *rand.Rand, load Load, from, until time.Duration) []Contact {
	var contacts []Contact
	if load.Arrivals <= 0 {
		return nil
	}
	between := float64(time.Hour) / load.Arrivals
	for at := float64(from) + random.ExpFloat64()*between; at < float64(until); at += random.ExpFloat64() * between {
		contacts = append(contacts, Contact{At: time.Duration(at), Handling: time.Duration(random.ExpFloat64() * float64(load.Handling))})
	}
	return contacts
}

// Simulate plays the contacts, in order of their arrival, on the floor, until the last that can be is handled.
func Simulate(contacts []Contact, floor Floor) []Served {
	s := newSimulation(contacts, floor)
	for {
		arrival, change, end := s.nextArrival(), s.nextChange(), s.nextEnd()
		now := min(arrival, change, end)
		switch now {
		case Forever:
			return s.served
		case end:
			s.finish(now)
		case change:
			s.staff(now)
		default:
			s.arrived++
		}
		s.assign(now)
	}
}

// simulation is the state of a floor.
//
//	contacts: 0 .. assigned .. arrived .. len
//	              |            |          `- not there yet
//	              |            `- in the queue
//	              `- being handled, or over
type simulation struct {
	contacts          []Contact
	served            []Served
	assigned, arrived int

	shifts []Staff
	seats  []seat
	// first is the seat of which a contact ends next; meaningless while none has one.
	first int
	// speed of handling by the number of contacts that a seat has; its length is one more than they can be.
	speed []float64
}

// seat is an agent's.
type seat struct {
	work []work
	// since is when what remains was true; end is when the first of the contacts ends, Forever without one.
	since, end time.Duration
	// leaving seats take no contacts.
	leaving bool
}

// work is a contact that is being handled.
type work struct {
	contact int
	// remains in nanoseconds with all hands full.
	remains float64
}

func newSimulation(contacts []Contact, floor Floor) *simulation {
	concurrency := max(floor.Concurrency, 1)
	s := &simulation{contacts: contacts, served: make([]Served, len(contacts)), shifts: floor.Staff, speed: make([]float64, concurrency+1)}
	for i := range s.served {
		s.served[i].Wait = Forever
	}
	for n := range s.speed {
		s.speed[n] = 1 / (1 - floor.Attention*(1-float64(max(n, 1))/float64(concurrency)))
	}
	return s
}

func (s *simulation) nextArrival() time.Duration {
	if s.arrived == len(s.contacts) {
		return Forever
	}
	return s.contacts[s.arrived].At
}

func (s *simulation) nextChange() time.Duration {
	if len(s.shifts) == 0 {
		return Forever
	}
	return s.shifts[0].From
}

func (s *simulation) nextEnd() time.Duration {
	if len(s.seats) == 0 {
		return Forever
	}
	return s.seats[s.first].end
}

// assign hands the queue out, each contact to the seat that has the fewest.
func (s *simulation) assign(now time.Duration) {
	for s.assigned < s.arrived {
		best, fewest := -1, len(s.speed)-1
		for i := range s.seats {
			if seat := &s.seats[i]; !seat.leaving && len(seat.work) < fewest {
				best, fewest = i, len(seat.work)
				if fewest == 0 {
					break
				}
			}
		}
		if best < 0 {
			return
		}
		contact := s.assigned
		s.served[contact].Wait = now - s.contacts[contact].At
		s.assigned++
		seat := &s.seats[best]
		seat.advance(now, s.speed)
		seat.work = append(seat.work, work{contact: contact, remains: float64(s.contacts[contact].Handling)})
		seat.plan(s.speed)
		s.findFirst()
	}
}

// finish ends the contact that ends next.
func (s *simulation) finish(now time.Duration) {
	seat := &s.seats[s.first]
	seat.advance(now, s.speed)
	over := 0
	for i := range seat.work {
		if seat.work[i].remains < seat.work[over].remains {
			over = i
		}
	}
	contact := seat.work[over].contact
	s.served[contact].Handling = now - s.contacts[contact].At - s.served[contact].Wait
	seat.work[over] = seat.work[len(seat.work)-1]
	seat.work = seat.work[:len(seat.work)-1]
	seat.plan(s.speed)
	s.sendHome()
	s.findFirst()
}

// staff takes the next change of the seats on duty. Who has the least to do leaves first; who is leaving stays before anybody
// else comes.
func (s *simulation) staff(now time.Duration) {
	more := int(s.shifts[0].Seats)
	s.shifts = s.shifts[1:]
	for i := range s.seats {
		if !s.seats[i].leaving {
			more--
		}
	}
	for i := range s.seats {
		if s.seats[i].leaving && more > 0 {
			s.seats[i].leaving = false
			more--
		}
	}
	for range max(more, 0) {
		s.seats = append(s.seats, seat{since: now, end: Forever})
	}
	for busy := 0; more < 0; busy++ {
		for i := range s.seats {
			if seat := &s.seats[i]; more < 0 && !seat.leaving && len(seat.work) == busy {
				seat.leaving = true
				more++
			}
		}
	}
	s.sendHome()
	s.findFirst()
}

// sendHome removes the seats that leave and have nothing left to do.
func (s *simulation) sendHome() {
	s.seats = slices.DeleteFunc(s.seats, func(seat seat) bool { return seat.leaving && len(seat.work) == 0 })
}

func (s *simulation) findFirst() {
	s.first = 0
	for i := range s.seats {
		if s.seats[i].end < s.seats[s.first].end {
			s.first = i
		}
	}
}

// advance works off what was done since the seat was looked at last.
func (s *seat) advance(now time.Duration, speed []float64) {
	done := float64(now-s.since) * speed[len(s.work)]
	for i := range s.work {
		s.work[i].remains -= done
	}
	s.since = now
}

// plan says when the next contact ends.
func (s *seat) plan(speed []float64) {
	s.end = Forever
	for i := range s.work {
		end := s.since + max(0, time.Duration(math.Ceil(s.work[i].remains/speed[len(s.work)])))
		s.end = min(s.end, end)
	}
}
