package skillgroup

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

// scheduleStep is how closely the schedule is looked at within an hour.
const scheduleStep = 15 * time.Minute

// forecastOf is the day ahead as the status has it. It changes with the hour and with what is declared, and not with each
// contact; what the router cannot say at the moment is what it said before.
func forecastOf(seen *scene) *v1alpha1.SkillGroupForecast {
	target, promised := targetOf(seen.group.Spec.Seats)
	if !promised {
		return nil
	}
	before := seen.group.Status.Forecast
	work := workloadOf(seen.router, seen.group.Name)
	switch {
	case work == nil:
		return before
	case work.Forecast == nil || work.HandlingSeconds == 0:
		return nil
	case before != nil && len(before.Hours) > 0 && before.Hours[0].Start.Time.Equal(work.Forecast.From) &&
		seen.group.Status.ObservedGeneration == seen.group.Generation:
		return before
	}
	out := &v1alpha1.SkillGroupForecast{Hours: []v1alpha1.ForecastHour{}}
	if wrong := work.Forecast.MeanAbsoluteError; wrong != nil {
		out.MeanAbsoluteError = strconv.FormatFloat(*wrong, 'f', 1, 64)
	}
	load := seen.load(work)
	for hour, arrivals := range work.Forecast.Arrivals {
		load.Arrivals = arrivals
		advice := staffing.Recommend(load, target)
		out.Hours = append(out.Hours, v1alpha1.ForecastHour{
			Start:    metav1.NewTime(work.Forecast.From.Add(time.Duration(hour) * time.Hour).UTC()),
			Arrivals: int32(math.Round(min(arrivals, math.MaxInt32))), Seats: advice.OnDuty, Rostered: advice.Seats,
		})
	}
	return out
}

// shortfall is a part of the coming day in which the schedule wants fewer seats than the forecast does.
type shortfall struct {
	from, to          time.Time
	wanted, scheduled int32
}

// shortfalls are those of what is left of a forecast, one after the other. While the schedule is closed nobody is served, and
// nobody is short. What somebody asks for counts as scheduled: it is asked for until it is taken back.
func shortfalls(spec v1alpha1.SkillGroupSeats, forecast *v1alpha1.SkillGroupForecast, plan *schedule.Schedule, now time.Time) []shortfall {
	if forecast == nil || plan == nil {
		return nil
	}
	var found []shortfall
	for _, hour := range forecast.Hours {
		from := hour.Start.Time
		to := from.Add(time.Hour)
		least, open := leastSeats(plan, from, to)
		if !to.After(now) || !open {
			continue
		}
		short := shortfall{from: from, to: to, wanted: within(spec, hour.Seats), scheduled: within(spec, max(least, valueOf(spec.Asked)))}
		if short.wanted <= short.scheduled {
			continue
		}
		if n := len(found); n > 0 && found[n-1].to.Equal(from) && found[n-1].wanted == short.wanted && found[n-1].scheduled == short.scheduled {
			found[n-1].to = to
			continue
		}
		found = append(found, short)
	}
	return found
}

// leastSeats are the fewest that the schedule wants while it is open; it returns false where it is not.
func leastSeats(plan *schedule.Schedule, from, to time.Time) (least int32, open bool) {
	for t := from; t.Before(to); t = t.Add(scheduleStep) {
		if state := plan.At(t); state.Open && (!open || state.Seats < least) {
			least, open = state.Seats, true
		}
	}
	return least, open
}

// within is a number of seats between min and max.
func within(spec v1alpha1.SkillGroupSeats, seats int32) int32 {
	seats = max(seats, valueOf(spec.Min))
	if spec.Max != nil {
		seats = min(seats, *spec.Max)
	}
	return seats
}

// sayShortfalls names the hours in question, as the clocks of the schedule show them.
func sayShortfalls(found []shortfall, zone *time.Location) string {
	hours := make([]string, len(found))
	for i, short := range found {
		hours[i] = fmt.Sprintf("%s-%s wants %d instead of %d",
			short.from.In(zone).Format("15:04"), short.to.In(zone).Format("15:04"), short.wanted, short.scheduled)
	}
	return "The schedule wants fewer seats than the forecast in the coming day: " + strings.Join(hours, ", ") + " (" + zone.String() + ")"
}
