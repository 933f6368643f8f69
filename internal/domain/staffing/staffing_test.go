package staffing

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// promise is the default of the resource.
func promise() Target {
	return Target{Within: 2 * time.Minute, Percent: 90, MaxOccupancy: 85, Shrinkage: 30}
}

func TestOutcomeIsThatOfThePublishedVector(t *testing.T) {
	got := Reach(Load{Arrivals: 200, Handling: 180 * time.Second}, 20*time.Second, 14)
	for name, tt := range map[string]struct{ got, want, within float64 }{
		"wait probability": {got.WaitProbability, 0.17413193, 5e-9},
		"service level":    {got.ServiceLevel, 0.88835002, 5e-9},
		"mean wait":        {got.MeanWait.Seconds(), 7.8359370, 5e-8},
		"occupancy":        {got.Occupancy, 0.7142857, 5e-8},
	} {
		if math.Abs(tt.got-tt.want) > tt.within {
			t.Errorf("%s is %.9f, want %.9f", name, tt.got, tt.want)
		}
	}
}

func TestErlangC(t *testing.T) {
	for name, tt := range map[string]struct {
		servers int
		offered float64
		want    float64
	}{
		"nothing is offered":                  {0, 0, 0},
		"nothing is offered to many":          {10, 0, 0},
		"nobody serves":                       {0, 1, 1},
		"too few serve":                       {9, 10, 1},
		"one server waits as often as busy":   {1, 0.25, 0.25},
		"two servers, by hand":                {2, 1, 1.0 / 3},
		"more servers than floats can factor": {10000, 1, 0},
		"thousands of erlangs":                {5100, 5000, 0.10288},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ErlangC(tt.servers, tt.offered); math.Abs(got-tt.want) > 1e-4 {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRecommend(t *testing.T) {
	minutes := func(arrivals, minutes float64) Load {
		return Load{Arrivals: arrivals, Handling: time.Duration(minutes * float64(time.Minute))}
	}
	for name, tt := range map[string]struct {
		load          Load
		target        Target
		onDuty, seats int32
		bound         Bound
	}{
		"nobody is wanted where nobody comes":            {minutes(0, 5), promise(), 0, 0, BoundNone},
		"one contact wants somebody to answer it":        {minutes(1, 0), promise(), 1, 2, BoundServiceLevel},
		"few contacts want seats to be answered in time": {minutes(42, 31.0/6), promise(), 6, 9, BoundServiceLevel},
		"many contacts want seats for people to breathe": {minutes(600, 5), promise(), 59, 85, BoundOccupancy},
		"without a bound to occupancy fewer will do":     {minutes(600, 5), Target{Within: 2 * time.Minute, Percent: 90}, 54, 54, BoundServiceLevel},
		"a seat that serves three at once is three servers": {
			Load{Arrivals: 42, Handling: 310 * time.Second, Concurrency: 3}, promise(), 2, 3, BoundServiceLevel,
		},
		"six seats of two and a half are fifteen servers": {
			Load{Arrivals: 120, Handling: 5 * time.Minute, Concurrency: 2.5}, promise(), 6, 9, BoundServiceLevel,
		},
		"all who are rostered being away, no roster is enough": {minutes(42, 5), Target{Within: time.Minute, Percent: 90, Shrinkage: 100}, 7, MaxSeats, BoundServiceLevel},
		"more than there may be":                               {minutes(1e9, 60), promise(), MaxSeats, MaxSeats, BoundMaxSeats},
		"more than all of them are all of them": {
			minutes(1, 5), Target{Within: time.Minute, Percent: 120}, 7, 7, BoundServiceLevel,
		},
		"not a number is nothing":    {Load{Arrivals: math.NaN(), Handling: time.Minute}, promise(), 0, 0, BoundNone},
		"infinity is more than that": {Load{Arrivals: math.Inf(1), Handling: time.Minute}, promise(), MaxSeats, MaxSeats, BoundMaxSeats},
	} {
		t.Run(name, func(t *testing.T) {
			got := Recommend(tt.load, tt.target)
			if got.OnDuty != tt.onDuty || got.Seats != tt.seats || got.Bound != tt.bound {
				t.Errorf("got %d on duty, %d rostered, bound %q; want %d, %d, %q", got.OnDuty, got.Seats, got.Bound, tt.onDuty, tt.seats, tt.bound)
			}
		})
	}
}

// TestRecommendationIsTheSmallest asks the formula about each number of seats apart from the search.
func TestRecommendationIsTheSmallest(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		load, target := randomLoad(random, 200), randomTarget(random)
		enough := func(seats int32) bool {
			reached := Reach(load, target.Within, seats)
			return reached.MeanWait != Forever && reached.ServiceLevel*100 >= target.Percent-1e-6 &&
				(target.MaxOccupancy == 0 || reached.Occupancy*100 <= target.MaxOccupancy+1e-6)
		}
		got := Recommend(load, target)
		if !enough(got.OnDuty) || enough(got.OnDuty-1) {
			t.Fatalf("%+v: %d seats are enough: %t, %d are: %t", got, got.OnDuty, enough(got.OnDuty), got.OnDuty-1, enough(got.OnDuty-1))
		}
		if away := float64(got.Seats) * target.Shrinkage / 100; float64(got.Seats)-away < float64(got.OnDuty)-1e-6 {
			t.Fatalf("%+v: too few sit there", got)
		}
	}
}

func TestMoreLoadOrAStricterTargetNeverWantsLess(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 1))
	for range 2000 {
		load, target := randomLoad(random, 3000), randomTarget(random)
		least := Recommend(load, target)
		more := 1 + random.Float64()
		for name, change := range map[string]func(l *Load, target *Target){
			"arrivals":          func(l *Load, _ *Target) { l.Arrivals *= more },
			"handling":          func(l *Load, _ *Target) { l.Handling = time.Duration(float64(l.Handling) * more) },
			"less concurrency":  func(l *Load, _ *Target) { l.Concurrency = max(1, l.Concurrency/more) },
			"less time":         func(_ *Load, target *Target) { target.Within = time.Duration(float64(target.Within) / more) },
			"a larger promise":  func(_ *Load, target *Target) { target.Percent = min(100, target.Percent*more) },
			"less occupancy":    func(_ *Load, target *Target) { target.MaxOccupancy = max(target.MaxOccupancy, 100) / more / 2 },
			"greater shrinkage": func(_ *Load, target *Target) { target.Shrinkage = min(90, target.Shrinkage*more) },
		} {
			changedLoad, changedTarget := load, target
			change(&changedLoad, &changedTarget)
			if got := Recommend(changedLoad, changedTarget); got.OnDuty < least.OnDuty || got.Seats < least.Seats {
				t.Fatalf("more by %s wants %+v, less than %+v", name, got, least)
			}
		}
	}
}

func TestSentenceSaysWhy(t *testing.T) {
	for want, r := range map[string]Recommendation{
		"42 contacts/h at 5m10s want 6 seats for 90 % within 2m": Recommend(
			Load{Arrivals: 42, Handling: 310 * time.Second}, Target{Within: 2 * time.Minute, Percent: 90}),
		"42 contacts/h at 5m10s want 6 seats for 90 % within 2m, 9 rostered at 30 % shrinkage": Recommend(
			Load{Arrivals: 42, Handling: 310 * time.Second}, promise()),
		"600.5 contacts/h at 5m want 59 seats for at most 85 % occupancy, 85 rostered at 30 % shrinkage": Recommend(
			Load{Arrivals: 600.5, Handling: 5 * time.Minute}, promise()),
		"12 contacts/h at 1h, 3 at once, want 6 seats for 90 % within 1m30s": Recommend(
			Load{Arrivals: 12, Handling: time.Hour, Concurrency: 3}, Target{Within: 90 * time.Second, Percent: 90}),
		"1 contact/h at 1m want 1 seat for 90 % within 2m": Recommend(
			Load{Arrivals: 1, Handling: time.Minute}, Target{Within: 2 * time.Minute, Percent: 90}),
		"1000000 contacts/h at 1h want 10000 seats for 90 % within 2m, and more than there may be": Recommend(
			Load{Arrivals: 1e6, Handling: time.Hour}, promise()),
		"no contacts want no seats": Recommend(Load{}, promise()),
	} {
		if got := r.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func BenchmarkRecommendThousandsOfErlangs(b *testing.B) {
	for b.Loop() {
		Recommend(Load{Arrivals: 60000, Handling: 5 * time.Minute}, promise())
	}
}

// randomLoad is a load of up to a number of erlangs.
func randomLoad(random *rand.Rand, most float64) Load {
	offered := math.Exp(random.Float64()*math.Log(most*10)) / 10
	handling := time.Duration((0.5 + 15*random.Float64()) * float64(time.Minute))
	return Load{Arrivals: offered / handling.Hours(), Handling: handling, Concurrency: float64(1 + random.IntN(4))}
}

func randomTarget(random *rand.Rand) Target {
	occupancies := []float64{0, 70, 85, 95}
	return Target{
		Within:       time.Duration(random.IntN(300)) * time.Second,
		Percent:      60 + 39*random.Float64(),
		MaxOccupancy: occupancies[random.IntN(len(occupancies))],
		Shrinkage:    50 * random.Float64(),
	}
}
