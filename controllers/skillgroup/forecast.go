package skillgroup

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/roster"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

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

// sayShortfalls names the hours in question, as the clocks of the schedule show them.
func sayShortfalls(found []roster.Shortfall, zone *time.Location) string {
	hours := make([]string, len(found))
	for i, short := range found {
		hours[i] = fmt.Sprintf("%s-%s wants %d instead of %d",
			short.From.In(zone).Format("15:04"), short.To.In(zone).Format("15:04"), short.Wanted, short.Scheduled)
	}
	return "The schedule wants fewer seats than the forecast in the coming day: " + strings.Join(hours, ", ") + " (" + zone.String() + ")"
}
