// Package burst tells a burst of complaints from what is usual at that hour of that kind of day.
//
// It holds no clock and reads nothing: whoever counts complaints asks it which windows to count (Look), and judges what was
// counted (Seen). What is usual is the mean of the same hour on past days of the same kind (Past). Far above it is what
// exceeds it several times and would hardly ever come by chance, where chance is as uneven as those days were and the mean is
// known no better than from so many of them: a negative binomial distribution, which is Poisson's for days that are alike.
//
// Invariants: a few complaints are no burst, however unusual; more complaints never make a burst less of one; what opens an
// emergency (TimesUsual) is more than what lets it end (twice the usual), so that none flaps; no history, no judgement.
package burst

import (
	"math"
	"time"
)

const (
	// Quarter is the window that sees a burst early.
	Quarter = 15 * time.Minute
	// Hour is the window that sees a smaller one at all.
	Hour           = time.Hour
	quartersAnHour = float64(Hour / Quarter)
	// chance is how improbable a count is at least that opens an emergency. The test of false alarms in this package says
	// what that means in a year.
	chance = 1e-4
	// leastUsual is how many complaints an hour are usual at least: nobody is alarmed because one came where none ever did.
	leastUsual = 1.0
	// leastSpread is how uneven hours are at least: by about 30 %.
	leastSpread = 0.1
	// doubt is by how many standard errors the variance of past days is raised.
	doubt = 1.65
	// calmBelow is below how many times the usual complaints are normal again.
	calmBelow = 2.0
)

// Rules are what a brand declares of its alarm.
type Rules struct {
	// MinComplaints and TimesUsual are what a window must hold at least, in complaints and in multiples of the usual.
	MinComplaints, TimesUsual int32
	// CalmFor is for how long complaints must be normal before an emergency ends.
	CalmFor time.Duration
}

// Seen is what was counted of a SkillGroup, or of several.
type Seen struct {
	// Quarter, Hour and Lately are complaints in the last windows: of these lengths, and of Rules.CalmFor.
	Quarter, Hour, Lately int
	// PastQuarters and PastHours are complaints in the same windows on past days.
	PastQuarters, PastHours []int
}

// Add is what was counted of both.
func (s Seen) Add(other Seen) Seen {
	return Seen{
		Quarter: s.Quarter + other.Quarter, Hour: s.Hour + other.Hour, Lately: s.Lately + other.Lately,
		PastQuarters: sums(s.PastQuarters, other.PastQuarters), PastHours: sums(s.PastHours, other.PastHours),
	}
}

func sums(a, b []int) []int {
	out := make([]int, max(len(a), len(b)))
	copy(out, a)
	for i, count := range b {
		out[i] += count
	}
	return out
}

// Usual is how many complaints an hour are usual, at least one.
func (s Seen) Usual() float64 { return usual(s.PastHours, leastUsual).mean }

// level is the mean of a window, and how much more than by Poisson's law a count varies around it: the variance of a window of
// mean m is m + spread*m².
type level struct{ mean, spread float64 }

// usual is the level of windows on past days, of a mean that is least at least. The spread is that of the days, and that of not
// knowing the mean.
func usual(past []int, least float64) level {
	if len(past) == 0 {
		return level{least, leastSpread + 1/least}
	}
	n := float64(len(past))
	var total, squares float64
	for _, count := range past {
		total += float64(count)
	}
	average := total / n
	for _, count := range past {
		squares += (float64(count) - average) * (float64(count) - average)
	}
	mean, varies := max(average, least), 0.0
	if n > 1 {
		// What few days show of how they differ is doubted by as much as it may well be off.
		varies = max(0, squares/(n-1)*(1+doubt*math.Sqrt(2/(n-1)))-average)
	}
	return level{mean, max(leastSpread, varies/(mean*mean)) + 1/(n*mean)}
}

// quarter is the level of the short window. Its own history tells of what begins with the hour, as an opening; that of the hour
// around it is of more complaints. The higher one counts.
func (s Seen) quarter(hour level) level {
	own := usual(s.PastQuarters, leastUsual/quartersAnHour)
	return level{max(own.mean, hour.mean/quartersAnHour), max(own.spread, hour.spread)}
}

// Far says whether complaints are far above what is usual, and the window in which they are.
func (s Seen) Far(rules Rules) (window time.Duration, far bool) {
	hour := usual(s.PastHours, leastUsual)
	for _, w := range []struct {
		length time.Duration
		count  int
		level  level
	}{{Quarter, s.Quarter, s.quarter(hour)}, {Hour, s.Hour, hour}} {
		if w.count < int(rules.MinComplaints) || float64(w.count) < max(float64(rules.TimesUsual), 1)*w.level.mean {
			continue
		}
		if w.level.atLeast(w.count) < chance {
			return w.length, true
		}
	}
	return 0, false
}

// In is how many complaints a window has in which they are far above the usual.
func (s Seen) In(window time.Duration) int {
	if window == Quarter {
		return s.Quarter
	}
	return s.Hour
}

// Calm says whether complaints are normal again: fewer than twice the usual in all of the window, or but one.
func (s Seen) Calm(rules Rules) bool {
	return s.Lately <= 1 || float64(s.Lately) < calmBelow*s.Usual()*rules.CalmFor.Hours()
}

// atLeast is the probability of a count, which is not below the mean, or more, by the negative binomial distribution.
func (l level) atLeast(count int) float64 {
	k, mean, r := float64(count), l.mean, 1/l.spread
	lgamma := func(x float64) float64 {
		value, _ := math.Lgamma(x)
		return value
	}
	term := math.Exp(lgamma(k+r) - lgamma(r) - lgamma(k+1) + r*math.Log(r/(r+mean)) + k*math.Log(mean/(r+mean)))
	// Above the mean each term is smaller than the one before by a factor that goes to less than one.
	sum := term
	for ; term > sum*1e-12; k++ {
		term *= (k + r) / (k + 1) * mean / (r + mean)
		sum += term
	}
	return min(sum, 1)
}
