package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// workloadInterval is how often the groups' work is counted.
	workloadInterval = time.Minute
	workloadTimeout  = 30 * time.Second
	// handlingOver is over how long the handling time of contacts is averaged: one of each weekday.
	handlingOver = 7 * 24 * time.Hour
	// quartersAnHour is how many quarters an hour has.
	quartersAnHour = int(time.Hour / store.Quarter)
)

// Workloads says what the groups have to do, by name; nil until it was counted.
func (r *Router) Workloads() map[string]configz.Workload {
	if counted := r.workloads.Load(); counted != nil {
		return *counted
	}
	return nil
}

// workloads is what counts the groups' work. Its owner is one goroutine.
type workloads struct {
	*Router
	// forecasts by group, and the hour in which they were made.
	forecasts map[string]*configz.Forecast
	hour      time.Time
}

// watchWorkloads counts until ctx ends.
func (r *Router) watchWorkloads(ctx context.Context) {
	w := &workloads{Router: r}
	ticker := time.NewTicker(workloadInterval)
	defer ticker.Stop()
	for {
		if err := w.count(ctx); err != nil && ctx.Err() == nil {
			r.Logger.Warn("Counting what the groups have to do failed, trying again in a minute", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// count has the brand's workload counted, unless another replica does so at the moment, and reads what there is.
func (w *workloads) count(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, workloadTimeout)
	defer cancel()
	now := w.Now().UTC()
	if err := w.Store.CountWorkload(ctx, now); err != nil {
		return err
	}
	failed := w.forecast(ctx, now)
	counted, err := w.lately(ctx, now)
	if err != nil {
		return errors.Join(failed, err)
	}
	for group, work := range counted {
		work.Forecast = w.forecasts[group]
		counted[group] = work
	}
	w.workloads.Store(&counted)
	return failed
}

// lately is who came to each group lately, and how long contacts take there.
func (w *workloads) lately(ctx context.Context, now time.Time) (map[string]configz.Workload, error) {
	quarter, queries := now.Truncate(store.Quarter), w.Store.Queries()
	arrivals, err := queries.WorkloadArrivals(ctx, quarter.Add(-time.Hour), quarter.Add(store.Quarter))
	if err != nil {
		return nil, fmt.Errorf("reading who came lately: %w", err)
	}
	// Without the quarter that is not over, so that within one the average stays as it is.
	handling, err := queries.WorkloadHandling(ctx, quarter.Add(-handlingOver), quarter)
	if err != nil {
		return nil, fmt.Errorf("reading how long contacts take: %w", err)
	}
	counted := map[string]configz.Workload{}
	for _, group := range w.Catalog.Snapshot().Groups() {
		counted[group.Name] = configz.Workload{At: now, Arrivals: busiestHour(arrivals, group.Name, quarter)}
	}
	for _, row := range handling {
		if work, known := counted[row.SkillGroup]; known {
			work.HandlingSeconds = float64(row.Seconds) / float64(row.Handled)
			counted[row.SkillGroup] = work
		}
	}
	return counted, nil
}

// busiestHour are the most contacts that came to a group in one hour: in that which ends with the quarter of an hour that is
// not over yet, or with the one before. So it rises with every contact, and falls when a quarter ends, after a quarter at the
// earliest: whoever counts at whatever moment sees no more of a lull than that.
func busiestHour(rows []db.WorkloadArrivalsRow, group string, quarter time.Time) float64 {
	var now, before int32
	for _, row := range rows {
		if row.SkillGroup != group {
			continue
		}
		age := int(quarter.Sub(row.Quarter) / store.Quarter)
		if age < quartersAnHour {
			now += row.Arrivals
		}
		if age > 0 {
			before += row.Arrivals
		}
	}
	return float64(max(now, before))
}
