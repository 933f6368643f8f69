package staffing

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestChatsThatSlowEachOtherDown measures what the formula is off by where an agent's contacts compete for the agent, of which
// it knows nothing: fed as the product feeds it, by the handling time measured while the recommended seats are on duty, and fed
// by the handling time of agents with all hands full. The docs promise that the first is at most one seat off up to half of
// attention, and that the second is at most one seat too small whatever the attention. Their table comes from -run SlowEachOther -v -contacts 500.
func TestChatsThatSlowEachOtherDown(t *testing.T) {
	loads := 10
	if *contactsAnErlang > usualContacts {
		loads = 200
	}
	random := rand.New(rand.NewPCG(4, 1))
	t.Log("| at once | attention | exact | one off | more | seats missing | points missing | full hands: seats too many |")
	for _, attention := range []float64{0, 0.25, 0.5, 0.75, 1} {
		for _, concurrency := range []int{2, 3, 5} {
			var sum offBy
			for range loads {
				load, target := randomLoad(random, 40), randomTarget(random)
				load.Concurrency = float64(concurrency)
				contacts := steady(random, load, 2000+int(float64(*contactsAnErlang)*load.offered()))
				floor := Floor{Concurrency: concurrency, Attention: attention}
				measured, full := settled(contacts, load, target, floor), Recommend(load, target).OnDuty
				least := simulatedMinimum(contacts, target, floor, measured)
				if attention <= 0.5 && (measured < least-1 || measured > least+1) {
					t.Errorf("%+v, %.2f of attention: %d are recommended, %d are needed", load, attention, measured, least)
				}
				if full < least-1 {
					t.Errorf("%+v, %.2f of attention: %d are recommended by full hands, %d are needed", load, attention, full, least)
				}
				floor.Staff = []Staff{{0, measured}}
				sum.add(measured, full, least, max(0, target.Percent-100*play(contacts, floor, target.Within).level))
			}
			t.Logf("| %d | %.0f %% | %s |", concurrency, attention*100, sum)
		}
	}
}

// offBy sums up what recommendations are off by.
type offBy struct {
	loads, exact, one       int
	missing, tooMany, seats int32
	pointsMissing           float64
}

func (o *offBy) add(measured, full, least int32, pointsMissing float64) {
	o.loads++
	switch measured - least {
	case 0:
		o.exact++
	case -1, 1:
		o.one++
	}
	o.missing += max(0, least-measured)
	o.tooMany += max(0, full-least)
	o.seats += least
	o.pointsMissing += pointsMissing
}

func (o offBy) String() string {
	share := func(n, of float64) float64 { return 100 * n / of }
	loads, seats := float64(o.loads), float64(o.seats)
	return fmt.Sprintf("%.0f %% | %.0f %% | %.0f %% | %.1f %% | %.1f | %.1f %%", share(float64(o.exact), loads), share(float64(o.one), loads),
		share(float64(o.loads-o.exact-o.one), loads), share(float64(o.missing), seats), o.pointsMissing/loads, share(float64(o.tooMany), seats))
}

// settled is the recommendation that is repeated with the handling time that is measured under it.
func settled(contacts []Contact, load Load, target Target, floor Floor) int32 {
	seats := Recommend(load, target).OnDuty
	for range 5 {
		floor.Staff = []Staff{{0, seats}}
		load.Handling = play(contacts, floor, target.Within).handling
		again := Recommend(load, target).OnDuty
		if again == seats {
			break
		}
		seats = again
	}
	return seats
}

// simulatedMinimum walks from a guess to the smallest number of seats that meets the target.
func simulatedMinimum(contacts []Contact, target Target, floor Floor, guess int32) int32 {
	enough := func(seats int32) bool {
		floor.Staff = []Staff{{0, seats}}
		got := play(contacts, floor, target.Within)
		return got.level*100 >= target.Percent && (target.MaxOccupancy == 0 || got.occupancy*100 <= target.MaxOccupancy)
	}
	for !enough(guess) {
		guess++
	}
	for guess > 1 && enough(guess-1) {
		guess--
	}
	return guess
}
