package staffing

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// usualContacts an erlang are few enough for every day, and enough to tell one seat from another.
const usualContacts = 250

//nolint:gochecknoglobals // A flag of the test binary has to be known before it parses its command line.
var contactsAnErlang = flag.Int("contacts", usualContacts, "contacts an erlang that the simulator plays for each random load; more than usual count exact hits, too")

func TestFloor(t *testing.T) {
	minute := func(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }
	day := func(changes ...Staff) []Staff { return changes }
	contacts := []Contact{{At: minute(1), Handling: minute(4)}, {At: minute(2), Handling: minute(4)}, {At: minute(3), Handling: minute(4)}}
	for name, tt := range map[string]struct {
		floor Floor
		// want are waits and handling times in turn, in minutes.
		want []float64
	}{
		"one seat takes them in turn":                 {Floor{Staff: day(Staff{0, 1})}, []float64{0, 4, 3, 4, 6, 4}},
		"three seats take them at once":               {Floor{Staff: day(Staff{0, 3})}, []float64{0, 4, 0, 4, 0, 4}},
		"a seat that serves two at once is two seats": {Floor{Staff: day(Staff{0, 1}), Concurrency: 2}, []float64{0, 4, 0, 4, 2, 4}},
		"an agent with one of two contacts is twice as fast": {
			Floor{Staff: day(Staff{0, 1}), Concurrency: 2, Attention: 1}, []float64{0, 3, 0, 4, 1, 3},
		},
		"nobody is there before the first shift": {Floor{Staff: day(Staff{minute(5), 3})}, []float64{4, 4, 3, 4, 2, 4}},
		"who goes home ends what is under way": {
			Floor{Staff: day(Staff{0, 1}, Staff{minute(2.5), 0}, Staff{minute(10), 1})}, []float64{0, 4, 8, 4, 11, 4},
		},
		"who is about to go home stays first": {
			Floor{Staff: day(Staff{0, 1}, Staff{minute(2), 0}, Staff{minute(4), 1})}, []float64{0, 4, 3, 4, 6, 4},
		},
		"who is idle goes home first":                      {Floor{Staff: day(Staff{0, 2}, Staff{minute(1.5), 1})}, []float64{0, 4, 3, 4, 6, 4}},
		"who comes to a closed floor waits for ever":       {Floor{Staff: day(Staff{0, 1}, Staff{minute(2.5), 0})}, []float64{0, 4, -1, 0, -1, 0}},
		"where nobody ever works everybody waits for ever": {Floor{}, []float64{-1, 0, -1, 0, -1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []float64
			for _, served := range Simulate(contacts, tt.floor) {
				wait := served.Wait.Minutes()
				if served.Wait == Forever {
					wait = -1
				}
				got = append(got, wait, served.Handling.Minutes())
			}
			if diff := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-6 })); diff != "" {
				t.Errorf("waits and handling times in minutes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSimulatorAgreesWithThePublishedVector(t *testing.T) {
	load := Load{Arrivals: 200, Handling: 180 * time.Second}
	got := play(steady(rand.New(rand.NewPCG(1, 1)), load, 50000), Floor{Staff: []Staff{{0, 14}}}, 20*time.Second)
	if math.Abs(got.level-0.88835) > 0.01 {
		t.Errorf("service level is %.4f, want about 0.8884", got.level)
	}
	if math.Abs(got.wait.Seconds()-7.836) > 0.8 {
		t.Errorf("mean wait is %s, want about 7.836 s", got.wait)
	}
}

// TestRecommendationIsWithinOneSeatOfTheSimulatedMinimum plays one seat more than recommended, which has to be enough, and two
// fewer, which must not be: whatever lies between, the simulated minimum is at most one away.
func TestRecommendationIsWithinOneSeatOfTheSimulatedMinimum(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	exact := 0
	for range 1000 {
		load, target := randomLoad(random, 60), randomTarget(random)
		recommended := Recommend(load, target)
		contacts := steady(random, load, 2000+int(float64(*contactsAnErlang)*load.offered()))
		enough := func(seats int32) bool { return simulatedEnough(contacts, load, target, seats) }
		if !enough(recommended.OnDuty + 1) {
			t.Errorf("%s: one seat more is not enough", recommended)
		}
		if enough(recommended.OnDuty - 2) {
			t.Errorf("%s: two seats fewer are enough", recommended)
		}
		if *contactsAnErlang > usualContacts && enough(recommended.OnDuty) && !enough(recommended.OnDuty-1) {
			exact++
		}
	}
	if exact > 0 {
		t.Logf("%d of 1000 recommendations are the simulated minimum itself", exact)
	}
}

// simulatedEnough asks the simulator whether seats meet a target. That a queue which takes in more than it gives grows without
// end, no finite run shows, so that this is known rather than played.
func simulatedEnough(contacts []Contact, load Load, target Target, seats int32) bool {
	if seats <= 0 || float64(load.servers(seats)) <= load.offered() {
		return false
	}
	got := play(contacts, Floor{Staff: []Staff{{0, seats}}, Concurrency: int(load.Concurrency)}, target.Within)
	occupancy := load.offered() / float64(load.servers(seats))
	return got.level*100 >= target.Percent && (target.MaxOccupancy == 0 || occupancy*100 <= target.MaxOccupancy+rounding)
}

// played is what a simulation comes to.
type played struct {
	level, occupancy float64
	wait, handling   time.Duration
}

// play leaves the first tenth out, while the floor fills, and the last.
func play(contacts []Contact, floor Floor, within time.Duration) played {
	served := Simulate(contacts, floor)
	from, until := len(served)/10, len(served)*9/10
	var wait, handling float64
	answered := 0
	for _, s := range served[from:until] {
		wait += float64(s.Wait)
		handling += float64(s.Handling)
		if s.Wait <= within {
			answered++
		}
	}
	n := float64(until - from)
	span := float64(contacts[until].At - contacts[from].At)
	return played{
		level: float64(answered) / n, wait: time.Duration(wait / n), handling: time.Duration(handling / n),
		occupancy: handling / span / float64(floor.Staff[0].Seats) / float64(max(floor.Concurrency, 1)),
	}
}

// steady are about that many contacts, scaled so that their number an hour and their mean handling are the load's own: chance
// decides when they come, not how much they are.
func steady(random *rand.Rand, load Load, n int) []Contact {
	span := time.Duration(float64(n) / load.Arrivals * float64(time.Hour))
	contacts := Arrivals(random, load, 0, span)
	var handling float64
	for _, contact := range contacts {
		handling += float64(contact.Handling)
	}
	shorten := float64(load.Handling) * float64(len(contacts)) / handling
	pace := float64(len(contacts)) / load.Arrivals * float64(time.Hour) / float64(span)
	for i := range contacts {
		contacts[i].At = time.Duration(float64(contacts[i].At) * pace)
		contacts[i].Handling = time.Duration(float64(contacts[i].Handling) * shorten)
	}
	return contacts
}
