package roster

import (
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
)

// scheduleStep is how closely the schedule is looked at within an hour.
const scheduleStep = 15 * time.Minute

// Shortfall is a part of the coming day in which the schedule wants fewer seats than the forecast does.
type Shortfall struct {
	From, To          time.Time
	Wanted, Scheduled int32
}

// Shortfalls are those of what is left of a forecast, one after the other. While the schedule is closed nobody is served, and
// nobody is short. What somebody asks for counts as scheduled: it is asked for until it is taken back.
func Shortfalls(spec yingdav1.SkillGroupSeats, forecast *yingdav1.SkillGroupForecast, plan *schedule.Schedule, now time.Time) []Shortfall {
	if forecast == nil || plan == nil {
		return nil
	}
	var found []Shortfall
	for _, hour := range forecast.Hours {
		from := hour.Start.Time
		to := from.Add(time.Hour)
		least, open := leastSeats(plan, from, to)
		if !to.After(now) || !open {
			continue
		}
		short := Shortfall{From: from, To: to, Wanted: within(spec, hour.Seats), Scheduled: within(spec, max(least, valueOf(spec.Asked)))}
		if short.Wanted <= short.Scheduled {
			continue
		}
		if n := len(found); n > 0 && found[n-1].To.Equal(from) && found[n-1].Wanted == short.Wanted && found[n-1].Scheduled == short.Scheduled {
			found[n-1].To = to
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
func within(spec yingdav1.SkillGroupSeats, seats int32) int32 {
	seats = max(seats, valueOf(spec.Min))
	if spec.Max != nil {
		seats = min(seats, *spec.Max)
	}
	return seats
}

func valueOf(optional *int32) int32 {
	if optional == nil {
		return 0
	}
	return *optional
}
