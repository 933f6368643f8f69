package schedule

import "time"

// LookAhead is how far NextTransition and NextOpening look: a year and the longest holiday.
const LookAhead = 400 * 24 * time.Hour

// daysBack is how many dates before today may still have a shift on: one that runs for 24 hours over a night in which
// clocks go forward, or from a start that they skip, ends two dates later.
const daysBack = 2

// At is what is on at t.
func (s *Schedule) At(t time.Time) State {
	c := newClock(s.location, t)
	on, ok := s.on(&c, t.Unix())
	if !ok {
		return State{}
	}
	return on.state(&c, t.Unix())
}

// NextTransition is the first moment after t at which the State differs from that at t; false when nothing changes within
// LookAhead. Who waits for it should ask again after a year at the latest.
func (s *Schedule) NextTransition(t time.Time) (time.Time, bool) {
	state := s.At(t)
	limit := t.Add(LookAhead).Unix()
	for cursor := t; ; {
		next, ok := s.nextChange(cursor, limit)
		if !ok {
			return time.Time{}, false
		}
		cursor = time.Unix(next, 0).In(s.location)
		if s.At(cursor) != state {
			return cursor, true
		}
	}
}

// NextOpening is t itself when the schedule is open then, else the next moment at which it opens; false when it does not
// open within LookAhead.
func (s *Schedule) NextOpening(t time.Time) (time.Time, bool) {
	if s.At(t).Open {
		return t, true
	}
	// All closed moments are equal: what comes after them is open.
	return s.NextTransition(t)
}

// occurrence is a shift that starts on a day, from one instant to another.
type occurrence struct {
	shift      *shift
	day        int64
	start, end int64
}

// beats reports whether the occurrence stays on where a shift that starts on the day overlaps it.
func (o *occurrence) beats(sh *shift, day int64) bool {
	return sh.rank < o.shift.rank || sh.rank == o.shift.rank && day <= o.day
}

func (o *occurrence) state(c *clock, now int64) State {
	state := State{Open: true, Shift: o.shift.name, Seats: o.shift.seats}
	for i := range o.shift.peaks {
		p := &o.shift.peaks[i]
		if start := c.instant(o.day*secondsADay + p.start); start <= now && now < start+p.duration {
			state.Peak, state.Seats = p.name, p.seats
			break
		}
	}
	return state
}

// on is the shift that is on now, the moment for which the clock was made.
func (s *Schedule) on(c *clock, now int64) (occurrence, bool) {
	today := c.day(now)
	best, found := occurrence{}, false
	// Tomorrow is in: where clocks go back over midnight, its first minutes come before today's last.
	for day := today + 1; day >= today-daysBack; day-- {
		shifts, as := s.starting(day)
		for i := range shifts {
			sh := &shifts[i]
			if found && best.beats(sh, day) {
				break // the list falls in rank
			}
			if start := c.instant(day*secondsADay + sh.start); start <= now && now < start+sh.duration && sh.startsOn(day, as) {
				best, found = occurrence{shift: sh, day: day, start: start, end: start + sh.duration}, true
				break
			}
		}
	}
	return best, found
}

// nextChange is the next instant after t, and not after limit, at which the State may change: at the ends and peaks of the
// shift that is on, or where one starts that beats it.
func (s *Schedule) nextChange(t time.Time, limit int64) (int64, bool) {
	now := t.Unix()
	c := newClock(s.location, t)
	next := limit + 1
	take := func(at int64) {
		if at > now && at < next {
			next = at
		}
	}
	on, open := s.on(&c, now)
	if open {
		take(on.end)
		for i := range on.shift.peaks {
			p := &on.shift.peaks[i]
			start := c.instant(on.day*secondsADay + p.start)
			take(start)
			take(start + p.duration)
		}
	}
	for day := c.day(now) - daysBack; day*secondsADay-c.offset-slack < next; day++ {
		shifts, as := s.starting(day)
		for i := range shifts {
			sh := &shifts[i]
			if open && on.beats(sh, day) {
				break
			}
			if at := c.instant(day*secondsADay + sh.start); at > now && at < next && sh.startsOn(day, as) {
				next = at
			}
		}
	}
	return next, next <= limit
}
