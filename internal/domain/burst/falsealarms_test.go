package burst

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// year is a year of a brand's complaints, a minute each, without any reason for an alarm: busier at noon and in the evening and
// at the weekend, and, where it is uneven, with good and bad days and hours.
func year(rng *rand.Rand, perHour, uneven float64) []int {
	minutes := make([]int, 365*24*60)
	day, hour := 1.0, 1.0
	for m := range minutes {
		if m%(24*60) == 0 {
			day = factor(rng, uneven)
		}
		if m%60 == 0 {
			hour = factor(rng, uneven)
		}
		rate := perHour / 60 * day * hour
		switch h := m / 60 % 24; {
		case h >= 1 && h < 7:
			rate *= 0.1
		case h == 12 || h == 13 || h >= 19 && h < 22:
			rate *= 2
		}
		if m/(24*60)%7 >= 5 {
			rate *= 1.3
		}
		minutes[m] = poisson(rng, rate)
	}
	return minutes
}

// factor is log-normal around one: by so much, about, days and hours differ for no reason.
func factor(rng *rand.Rand, uneven float64) float64 {
	return math.Exp(rng.NormFloat64()*uneven - uneven*uneven/2)
}

func poisson(rng *rand.Rand, mean float64) int {
	n, p, limit := 0, rng.Float64(), math.Exp(-mean)
	for p > limit {
		n++
		p *= rng.Float64()
	}
	return n
}

// alarms counts the emergencies that a router which looks once a minute would have opened, after four weeks of history.
func alarms(minutes []int, rules Rules) int {
	sums := make([]int, len(minutes)+1)
	for m, count := range minutes {
		sums[m+1] = sums[m] + count
	}
	within := func(end int, window time.Duration) int { return sums[end] - sums[end-int(window/time.Minute)] }
	const day = 24 * 60
	found, lasts := 0, false
	for m := HistoryDays * day; m < len(minutes); m++ {
		s := Seen{Quarter: within(m, Quarter), Hour: within(m, Hour), Lately: within(m, rules.CalmFor)}
		if !lasts && s.Quarter < int(rules.MinComplaints) && s.Hour < int(rules.MinComplaints) {
			continue
		}
		for back := 1; back <= HistoryDays; back++ {
			if weekend := func(d int) bool { return d%7 >= 5 }; m-back*day >= 60 && weekend(m/day) == weekend(m/day-back) {
				s.PastQuarters, s.PastHours = append(s.PastQuarters, within(m-back*day, Quarter)), append(s.PastHours, within(m-back*day, Hour))
			}
		}
		if lasts {
			lasts = !s.Calm(rules)
			continue
		}
		if _, lasts = s.Far(rules); lasts {
			found++
		}
	}
	return found
}

// What docs/emergency.md says of false alarms is what this measures: run it with -v.
func TestFalseAlarmsInAYear(t *testing.T) {
	t.Parallel()
	const years = 2
	for _, tt := range []struct {
		perHour, uneven float64
		timesUsual      int32
		// most is how many false alarms a year there may be.
		most float64
	}{
		{0.05, 0, 3, 0.5},
		{0.5, 0, 3, 0.5},
		{2, 0, 3, 1},
		{10, 0, 3, 0.5},
		{50, 0, 3, 0.5},
		{0.5, 0.2, 3, 0.5},
		{2, 0.2, 3, 5},
		{10, 0.2, 3, 5},
		{50, 0.2, 3, 5},
		{0.5, 0.3, 3, 0.5},
		{2, 0.3, 3, 8},
		{10, 0.3, 3, 30},
		{50, 0.3, 3, 30},
		{10, 0.3, 5, 8},
		{50, 0.3, 5, 5},
	} {
		t.Run(fmt.Sprintf("%g complaints an hour, days and hours uneven by %g, %d times the usual", tt.perHour, tt.uneven, tt.timesUsual), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(1, 2))
			found, rules := 0, rules()
			rules.TimesUsual = tt.timesUsual
			for range years {
				found += alarms(year(rng, tt.perHour, tt.uneven), rules)
			}
			got := float64(found) / years
			t.Logf("%s: %.2f false alarms a year", t.Name(), got)
			if got > tt.most {
				t.Errorf("%.2f false alarms a year, want at most %g", got, tt.most)
			}
		})
	}
}

// How soon a burst is seen: complaints at a multiple of the usual rate from one moment on, at noon.
func TestABurstIsSeenWithinMinutes(t *testing.T) {
	t.Parallel()
	const tries = 200
	for _, tt := range []struct {
		perHour, times float64
		// within is how many minutes four of five bursts are seen in, at least.
		within int
	}{
		{0.5, 40, 45},
		{2, 10, 60},
		{10, 5, 45},
		{50, 5, 15},
	} {
		t.Run(fmt.Sprintf("%g an hour, then %g times as many", tt.perHour, tt.times), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(3, 4))
			seen, total := 0, 0
			for range tries {
				if minutes, ok := seenAfter(rng, tt.perHour, tt.times, tt.within); ok {
					seen++
					total += minutes
				}
			}
			t.Logf("%d of %d seen within %d minutes, after %.1f on average", seen, tries, tt.within, float64(total)/float64(max(seen, 1)))
			if seen < tries*8/10 {
				t.Errorf("%d of %d were seen within %d minutes", seen, tries, tt.within)
			}
		})
	}
}

func seenAfter(rng *rand.Rand, perHour, times float64, within int) (minutes int, ok bool) {
	hours, quarters := make([]int, 20), make([]int, 20)
	for i := range hours {
		quarters[i] = poisson(rng, perHour/quartersAnHour)
		hours[i] = quarters[i] + poisson(rng, perHour*(1-1/quartersAnHour))
	}
	counts := make([]int, 60, 60+within)
	for i := range counts {
		counts[i] = poisson(rng, perHour/60)
	}
	for minute := 1; minute <= within; minute++ {
		counts = append(counts, poisson(rng, perHour*times/60))
		s := Seen{Quarter: sum(counts[len(counts)-15:]), Hour: sum(counts[len(counts)-60:]), PastQuarters: quarters, PastHours: hours}
		if _, far := s.Far(rules()); far {
			return minute, true
		}
	}
	return 0, false
}

func sum(counts []int) int {
	total := 0
	for _, count := range counts {
		total += count
	}
	return total
}
