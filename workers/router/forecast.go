package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/staffing"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// forecastHours is how far ahead a forecast looks.
	forecastHours = 24
	// daysToForecast is how many whole days of history a forecast takes at least: one of each weekday.
	daysToForecast = 7
	// testedDaysAhead is how early a day is forecast to see how far off forecasts are: as late as the latest are made.
	testedDaysAhead = 1
)

// forecast makes the forecasts of all groups anew when an hour begins. What fails is tried again with the next count.
func (w *workloads) forecast(ctx context.Context, now time.Time) error {
	hour := now.Truncate(time.Hour)
	if hour.Equal(w.hour) {
		return nil
	}
	made := map[string]*configz.Forecast{}
	var failed []error
	for _, group := range w.Catalog.Snapshot().Groups() {
		rows, err := w.Store.Queries().WorkloadHistory(ctx, group.Name, now.Add(-store.WorkloadKept), now)
		if err != nil {
			failed = append(failed, fmt.Errorf("reading the history of a group: %w", err))
			made[group.Name] = w.forecasts[group.Name]
			continue
		}
		made[group.Name] = dayAhead(rows, almanac{group}, now)
	}
	w.forecasts = made
	if len(failed) == 0 {
		w.hour = hour
	}
	return errors.Join(failed...)
}

// dayAhead is what the next hours will bring to a group, the one that is on included; nil while there are too few whole days
// of history.
func dayAhead(rows []db.WorkloadHistoryRow, calendar almanac, now time.Time) *configz.Forecast {
	history := wholeDays(rows, calendar, now)
	if len(history) == 0 || calendar.day(now).Date.Sub(history[0].Day.Date) < daysToForecast*24*time.Hour {
		return nil
	}
	local := now.In(calendar.zone())
	into := time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
	out := &configz.Forecast{From: now.Add(-into).UTC(), Arrivals: make([]float64, forecastHours)}
	days := map[staffing.Day][24]float64{}
	for hour := range out.Arrivals {
		at := out.From.Add(time.Duration(hour) * time.Hour).In(calendar.zone())
		day := calendar.day(at)
		if _, made := days[day]; !made {
			days[day] = staffing.Forecast(history, day)
		}
		out.Arrivals[hour] = days[day][at.Hour()]
	}
	if tested := staffing.Backtest(history, testedDaysAhead); tested.Days > 0 {
		out.MeanAbsoluteError = &tested.MeanError
	}
	return out
}

// wholeDays is a group's history by the hours of its own clock, in order, without today and the day on which it begins. A day on
// which nobody came is part of it.
func wholeDays(rows []db.WorkloadHistoryRow, calendar almanac, now time.Time) []staffing.Hour {
	if len(rows) == 0 {
		return nil
	}
	zone := calendar.zone()
	y, m, d := rows[0].Quarter.In(zone).Date()
	var history []staffing.Hour
	for next := 1; ; next++ {
		noon := time.Date(y, m, d+next, 12, 0, 0, 0, zone)
		day := calendar.day(noon)
		if !day.Date.Before(calendar.day(now).Date) {
			break
		}
		history = append(history, staffing.Hour{Day: day, Of: noon.Hour()})
	}
	if len(history) == 0 {
		return nil
	}
	first := history[0].Day.Date
	for _, row := range rows {
		at := row.Quarter.In(zone)
		n := int(staffing.DateOf(at).Sub(first) / (24 * time.Hour))
		if staffing.DateOf(at).Before(first) || !staffing.DateOf(at).Before(staffing.DateOf(now.In(zone))) {
			continue
		}
		history = append(history, staffing.Hour{Day: history[n].Day, Of: at.Hour(), Contacts: float64(row.Arrivals)})
	}
	return history
}

// almanac knows the dates of a group: those of its schedule, or of UTC without one.
type almanac struct{ group *catalog.Group }

func (a almanac) zone() *time.Location {
	if a.group.Schedule == nil {
		return time.UTC
	}
	return a.group.Schedule.Location()
}

// day is the date at t, and what the calendars say of it.
func (a almanac) day(t time.Time) staffing.Day { return staffing.DayOf(a.group.Schedule, t) }
