package skillgroup

import (
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/duration"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
)

// ahead is how long before a busier hour its seats are recommended: people have to come to them.
const ahead = 15 * time.Minute

// recommendation is how many seats the group's customers want.
type recommendation struct {
	seats *int32
	// why is a clause of a sentence.
	why string
}

// targetOf is what the group promises; it returns false for a group that promises nothing.
func targetOf(spec v1alpha1.SkillGroupSeats) (staffing.Target, bool) {
	within, err := duration.Parse(spec.AnsweredWithin)
	if err != nil || within <= 0 {
		// The schema lets nothing else through but no promise.
		return staffing.Target{}, false
	}
	return staffing.Target{
		Within:       within,
		Percent:      percentOr(spec.AnsweredPercent, staffing.DefaultPercent),
		MaxOccupancy: percentOr(spec.MaxOccupancyPercent, staffing.DefaultMaxOccupancy),
		Shrinkage:    percentOr(spec.ShrinkagePercent, staffing.DefaultShrinkage),
	}, true
}

func percentOr(declared *int32, otherwise float64) float64 {
	if declared == nil {
		return otherwise
	}
	return float64(*declared)
}

// workloadOf is what the router says that the group has to do. Replicas count one table, each at moments of its own: the last
// look is taken, and the last forecast, which a replica that has just started may not have made. nil when nobody can say.
func workloadOf(router []ack.Answer, group string) *configz.Workload {
	var last *configz.Workload
	var forecast *configz.Forecast
	for _, answer := range router {
		said, ok := answer.Report.Workloads[group]
		if answer.Err != nil || !ok {
			continue
		}
		if last == nil || said.At.After(last.At) {
			last = &said
		}
		if f := said.Forecast; f != nil && (forecast == nil || f.From.After(forecast.From)) {
			forecast = f
		}
	}
	if last != nil {
		last.Forecast = forecast
	}
	return last
}

// recommend says how many seats keep the promise; nil for a group that promises nothing, and for one that is closed. What the
// router cannot say at the moment is what it said before.
func recommend(seen *scene, scheduled *demand, now time.Time) *recommendation {
	target, promised := targetOf(seen.group.Spec.Seats)
	if !promised || scheduled != nil && scheduled.closed {
		return nil
	}
	work := workloadOf(seen.router, seen.group.Name)
	if work == nil {
		out := &recommendation{why: "what its customers want is not known: no replica of the router says"}
		if before := seen.group.Status.Seats; before != nil && before.Recommended != nil {
			out.seats = before.Recommended
		}
		return out
	}
	load := seen.load(work)
	load.Arrivals = max(work.Arrivals, expected(work.Forecast, now), expected(work.Forecast, now.Add(ahead)))
	if load.Arrivals > 0 && load.Handling == 0 {
		return &recommendation{why: "what its customers want is not known: nobody has served one lately"}
	}
	advice := staffing.Recommend(load, target)
	return &recommendation{seats: &advice.OnDuty, why: advice.String()}
}

// load is all of the group's load but the arrivals.
func (s *scene) load(work *configz.Workload) staffing.Load {
	return staffing.Load{
		Handling:    time.Duration(work.HandlingSeconds * float64(time.Second)).Round(time.Second),
		Concurrency: concurrency(s.agents),
	}
}

// expected are the arrivals that are forecast for the hour of t; 0 where nothing is.
func expected(forecast *configz.Forecast, t time.Time) float64 {
	if forecast == nil || t.Before(forecast.From) {
		return 0
	}
	if hour := int(t.Sub(forecast.From) / time.Hour); hour < len(forecast.Arrivals) {
		return forecast.Arrivals[hour]
	}
	return 0
}

// concurrency is how many conversations one of the agents serves at a time, on average; 0 when there are none.
func concurrency(agents []v1alpha1.Agent) float64 {
	if len(agents) == 0 {
		return 0
	}
	var sum float64
	for i := range agents {
		sum += float64(agents[i].Spec.Capacity)
	}
	return sum / float64(len(agents))
}
