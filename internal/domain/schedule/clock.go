package schedule

import (
	"math"
	"time"
)

// slack is more than any two offsets of a zone differ by (Samoa skipped a day in 2011). Further than this from a change of
// clocks, wall-clock times and instants differ by a constant.
const slack = 26 * 60 * 60

// clock turns wall-clock times into instants. Both are seconds: since 1970-01-01T00:00 on the wall, and since the epoch.
//
// It remembers the offset around one moment, so that most questions need no look into the zone's table.
type clock struct {
	location *time.Location
	offset   int64
	// from and until bound the instants for which a wall-clock time certainly has the offset, and no other reading.
	from, until int64
}

func newClock(location *time.Location, t time.Time) clock {
	t = t.In(location)
	_, offset := t.Zone()
	c := clock{location: location, offset: int64(offset), from: math.MinInt64, until: math.MaxInt64}
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		c.from = start.Unix() + slack
	}
	if !end.IsZero() {
		c.until = end.Unix() - slack
	}
	return c
}

// day is the date of the moment for which the clock was made, counted from 1970-01-01.
func (c *clock) day(now int64) int64 { return dayOf(now + c.offset) }

// dayOf is the date that a wall clock shows, counted from 1970-01-01.
func dayOf(wall int64) int64 {
	day := wall / secondsADay
	if wall%secondsADay < 0 {
		day--
	}
	return day
}

// instant is when the wall clock shows the time: the first such moment, and for a time that is skipped the moment as far
// after the gap's start as the time is.
func (c *clock) instant(wall int64) int64 {
	if at := wall - c.offset; c.from <= at && at < c.until {
		return at
	}
	return c.instantNearChange(wall)
}

// instantNearChange reads the time with the offset of before and with that of after a change of clocks nearby.
//
//	clocks go back: both readings hold, the one of before is the first
//	clocks go forward: the reading of before, where after is in force already, is "forward by the gap"
func (c *clock) instantNearChange(wall int64) int64 {
	before, after := c.offsetAt(wall-slack), c.offsetAt(wall+slack)
	if at := wall - before; before == after || c.offsetAt(at) == before {
		return at
	}
	if at := wall - after; c.offsetAt(at) == after {
		return at
	}
	return wall - before
}

func (c *clock) offsetAt(at int64) int64 {
	_, offset := time.Unix(at, 0).In(c.location).Zone()
	return int64(offset)
}
