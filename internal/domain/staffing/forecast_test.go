package staffing

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// monday is the first day of the histories.
var monday = time.Date(2026, time.August, 31, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // A date that tests count from.

func date(n int) time.Time { return monday.AddDate(0, 0, n) }

// pattern is a history of whole days, of which noon is as given and every other hour is empty.
func pattern(noons ...float64) []Hour {
	var history []Hour
	for i, contacts := range noons {
		history = append(history, Hour{Day: Day{Date: date(i)}, Of: 12, Contacts: contacts})
	}
	return history
}

func weeks(n int, week ...float64) []float64 {
	var all []float64
	for range n {
		all = append(all, week...)
	}
	return all
}

func TestForecast(t *testing.T) {
	kinds := func(history []Hour, kinds map[int]Day) []Hour {
		for i := range history {
			if day, ok := kinds[i]; ok {
				day.Date = history[i].Day.Date
				history[i].Day = day
			}
		}
		return history
	}
	like := []float64{70, 60, 50, 40, 30, 20, 10}
	growing := make([]float64, 28)
	for i := range growing {
		growing[i] = like[i%7] * math.Pow(1.1, float64(i)/7)
	}
	for name, tt := range map[string]struct {
		history []Hour
		day     Day
		want    float64
	}{
		"nothing is known":           {nil, Day{Date: date(0)}, 0},
		"a Tuesday is like Tuesdays": {pattern(weeks(4, like...)...), Day{Date: date(29)}, 60},
		"so is one of next week":     {pattern(weeks(4, like...)...), Day{Date: date(36)}, 60},
		"the last four count, one before them does not": {
			pattern(slices.Concat(weeks(1, 1000, 10, 10, 10, 10, 10, 10), weeks(1, 20, 10, 10, 10, 10, 10, 10),
				weeks(2, 40, 10, 10, 10, 10, 10, 10), weeks(1, 20, 10, 10, 10, 10, 10, 10))...),
			Day{Date: date(35)},
			30,
		},
		"growth goes on": {pattern(growing...), Day{Date: date(28)}, 70 * math.Pow(1.1, 4)},
		"a Wednesday in the first week is like the days before": {pattern(10, 20), Day{Date: date(2)}, 15},
		"a make-up workday is like the weekday that it follows": {pattern(weeks(4, like...)...), Day{Date: date(33), Kind: Workday, Follows: time.Monday}, 70},
		"a day off is like a Sunday":                            {pattern(weeks(4, like...)...), Day{Date: date(28), Kind: DayOff}, 10},
		"or like days off":                                      {kinds(pattern(weeks(4, like...)...), map[int]Day{1: {Kind: DayOff}}), Day{Date: date(28), Kind: DayOff}, 60},
		"a peak is like peaks":                                  {kinds(pattern(weeks(4, like...)...), map[int]Day{2: {Kind: Peak}}), Day{Date: date(28), Kind: Peak}, 50},
		"or like its weekday":                                   {pattern(weeks(4, like...)...), Day{Date: date(28), Kind: Peak}, 70},
		"a peak does not tell of usual days":                    {kinds(pattern(weeks(4, like...)...), map[int]Day{7: {Kind: Peak}}), Day{Date: date(28)}, 70},
	} {
		t.Run(name, func(t *testing.T) {
			got := Forecast(tt.history, tt.day)
			if math.Abs(got[12]-tt.want) > 1e-6 {
				t.Errorf("noon is %v, want %v", got[12], tt.want)
			}
			if got[11] != 0 {
				t.Errorf("%v contacts in an hour that never had one", got[11])
			}
		})
	}
}

func TestTrendIsBounded(t *testing.T) {
	history := pattern(append(weeks(14, 1), weeks(14, 1000)...)...)
	if got, most := Forecast(history, Day{Date: date(28)})[12], 1000*math.Pow(maxGrowth, 4); got > most {
		t.Errorf("%v contacts are expected, at most %v may be", got, most)
	}
}

func TestBacktest(t *testing.T) {
	for name, tt := range map[string]struct {
		history []Hour
		want    Accuracy
	}{
		"two weeks are needed":             {pattern(weeks(2, 24, 24, 24, 24, 24, 24, 24)...), Accuracy{}},
		"what repeats itself is known":     {pattern(weeks(4, 24, 48, 24, 24, 24, 24, 0)...), Accuracy{Days: 14, Contacts: 28}},
		"what never came before is missed": {append(pattern(weeks(2, 24, 24, 24, 24, 24, 24, 24)...), Hour{Day: Day{Date: date(14)}, Of: 13, Contacts: 24}), Accuracy{Days: 1, Contacts: 12, MeanError: 24, NaiveError: 24}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Backtest(tt.history, 1); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestForecastBeatsRepeatingTheWeekBefore is what the method is for: on noise it has to average.
func TestForecastBeatsRepeatingTheWeekBefore(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 1))
	var history []Hour
	for i := range 70 {
		for hour := 9; hour < 21; hour++ {
			from := time.Duration(24*i+hour) * time.Hour
			came := Arrivals(random, Load{Arrivals: 20 + 10*math.Sin(float64(hour))}, from, from+time.Hour)
			history = append(history, Hour{Day: Day{Date: date(i)}, Of: hour, Contacts: float64(len(came))})
		}
	}
	for _, ahead := range []int{1, 7} {
		got := Backtest(history, ahead)
		if got.Days < 49 || got.MeanError > 0.9*got.NaiveError {
			t.Errorf("%d days ahead: %+v", ahead, got)
		}
	}
}
