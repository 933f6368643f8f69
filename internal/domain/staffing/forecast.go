package staffing

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// comparableDays is how many days like it a forecast looks back to.
	comparableDays = 4
	// trendDays is the length of the two spans, one after the other, of which the trend is taken.
	trendDays = 14
	// maxGrowth bounds the trend, so that a quiet fortnight does not promise a rush: a quarter a week, up or down.
	maxGrowth = 1.25
	// maxTrendWeeks is for how many weeks a trend is carried on: for those from the oldest of the days that are like it to the next. What
	// two fortnights tell of the next season would be a guess that grows by the power.
	maxTrendWeeks = comparableDays + 1
)

// Kind is what a calendar says of a day.
type Kind string

// The kinds of days.
const (
	// Usual days are in no calendar.
	Usual Kind = ""
	// DayOff is a public holiday.
	DayOff Kind = "DayOff"
	// Workday makes up for a day off and is like the weekday that it follows.
	Workday Kind = "Workday"
	// Peak is a day on which many customers are expected.
	Peak Kind = "Peak"
)

// Day is a date of the group's calendar.
type Day struct {
	// Date is the date's midnight in UTC, whatever the group's time zone: dates are compared, not moments.
	Date time.Time
	Kind Kind
	// Follows is the weekday that a Workday stands in for; of other kinds it is not read.
	Follows time.Weekday
}

// Hour is what came in an hour of a day, by the group's own clock.
type Hour struct {
	Day Day
	// Of the day, 0 to 23.
	Of       int
	Contacts float64
}

// Forecast is how many contacts to expect in each hour of a day: the mean of the last four days like it, carried on by the
// trend of the last two fortnights, five weeks at most. Like a usual day and a workday are those of its weekday. Like a day off are days off, or
// Sundays where history has none; like a peak are peaks, or its weekday where history has none, which is too few. Where
// history has no such day at all, every usual day is like it.
//
// History must hold only days before the day. A day of which it lists an hour counts with all its hours, those that are not
// listed as without contacts. A day of which it lists none counts as unknown.
func Forecast(history []Hour, day Day) [24]float64 {
	return forecast(days(history), day)
}

// Accuracy is how far forecasts were from what came, over the hours of the days that were tried in which contacts came or were
// expected: that nobody comes to a closed shop is no merit.
type Accuracy struct {
	// Days that were forecast.
	Days int
	// Contacts an hour that came, on average.
	Contacts float64
	// MeanError is the mean absolute error, in contacts an hour.
	MeanError float64
	// NaiveError is that of repeating the same weekday of the week before.
	NaiveError float64
}

// Backtest forecasts each day of the history from what was known that many days ahead, at least 1, and compares it with what
// came. Days of which less than a fortnight was known then are not tried.
func Backtest(history []Hour, ahead int) Accuracy {
	var tried Accuracy
	var hours float64
	all := days(history)
	for i, day := range all {
		known := all[:i]
		for len(known) > 0 && between(known[len(known)-1].Date, day.Date) < max(ahead, 1) {
			known = known[:len(known)-1]
		}
		if len(known) == 0 || between(known[0].Date, known[len(known)-1].Date)+1 < trendDays {
			continue
		}
		tried.Days++
		expected, naive := forecast(known, day.Day), weekBefore(known, day)
		for hour, came := range day.contacts {
			if came == 0 && expected[hour] == 0 {
				continue
			}
			hours++
			tried.Contacts += came
			tried.MeanError += math.Abs(came - expected[hour])
			tried.NaiveError += math.Abs(came - naive[hour])
		}
	}
	if hours > 0 {
		tried.Contacts /= hours
		tried.MeanError /= hours
		tried.NaiveError /= hours
	}
	return tried
}

// past is a day of the history.
type past struct {
	Day
	contacts [24]float64
}

// days are the days of a history in order.
func days(history []Hour) []past {
	var all []past
	at := map[time.Time]int{}
	for _, hour := range history {
		i, known := at[hour.Day.Date]
		if !known {
			i = len(all)
			at[hour.Day.Date] = i
			all = append(all, past{Day: hour.Day})
		}
		if hour.Of >= 0 && hour.Of < 24 {
			all[i].contacts[hour.Of] += hour.Contacts
		}
	}
	slices.SortFunc(all, func(a, b past) int { return cmp.Compare(a.Date.Unix(), b.Date.Unix()) })
	return all
}

func forecast(known []past, day Day) [24]float64 {
	var expected [24]float64
	like := alike(known, day)
	growth := weeklyGrowth(known)
	for _, one := range like {
		carried := math.Pow(growth, min(float64(between(one.Date, day.Date))/7, maxTrendWeeks)) / float64(len(like))
		for hour, contacts := range one.contacts {
			expected[hour] += contacts * carried
		}
	}
	return expected
}

// alike are the last days that are like a day.
func alike(known []past, day Day) []past {
	weekday := func(w time.Weekday) func(Day) bool {
		return func(d Day) bool { return d.usual() && d.weekday() == w }
	}
	kind := func(d Day) bool { return d.Kind == day.Kind }
	tests := []func(Day) bool{weekday(day.weekday()), Day.usual}
	switch day.Kind {
	case DayOff:
		tests = []func(Day) bool{kind, weekday(time.Sunday), Day.usual}
	case Peak:
		tests = append([]func(Day) bool{kind}, tests...)
	case Usual, Workday:
	}
	for _, test := range tests {
		var like []past
		for _, one := range slices.Backward(known) {
			if len(like) < comparableDays && test(one.Day) {
				like = append(like, one)
			}
		}
		if len(like) > 0 {
			return like
		}
	}
	return nil
}

// weeklyGrowth is by what contacts grow from week to week: the last fortnight against the one before, weekday by weekday, so
// that a holiday in one of them does not look like a trend.
func weeklyGrowth(known []past) float64 {
	if len(known) == 0 {
		return 1
	}
	last := known[len(known)-1].Date
	var sum, n [2][7]float64
	for _, one := range known {
		if fortnight := between(one.Date, last) / trendDays; fortnight < 2 && one.usual() {
			sum[fortnight][one.weekday()] += one.total()
			n[fortnight][one.weekday()]++
		}
	}
	var late, early float64
	for weekday := range 7 {
		if n[0][weekday] > 0 && n[1][weekday] > 0 {
			late += sum[0][weekday] / n[0][weekday]
			early += sum[1][weekday] / n[1][weekday]
		}
	}
	if early == 0 || late == 0 {
		return 1
	}
	return min(max(math.Pow(late/early, 7.0/trendDays), 1/maxGrowth), maxGrowth)
}

// weekBefore is what came on the same weekday, the last time that it is known.
func weekBefore(known []past, day past) [24]float64 {
	for _, one := range slices.Backward(known) {
		if one.Date.Weekday() == day.Date.Weekday() {
			return one.contacts
		}
	}
	return [24]float64{}
}

// usual days are those that are like others of their weekday.
func (d Day) usual() bool { return d.Kind == Usual || d.Kind == Workday }

func (d Day) weekday() time.Weekday {
	if d.Kind == Workday {
		return d.Follows
	}
	return d.Date.Weekday()
}

func (p past) total() float64 {
	var sum float64
	for _, contacts := range p.contacts {
		sum += contacts
	}
	return sum
}

// between are the days from one date to another.
func between(from, to time.Time) int { return int(to.Sub(from).Hours() / 24) }
