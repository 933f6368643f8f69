package router

import (
	"context"
	"time"

	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	// objectivesInterval is how often it is looked whether somebody has to measure, and what was.
	objectivesInterval = time.Minute
	objectivesTimeout  = 30 * time.Second
)

// Objectives says what customers got of what ServiceLevels want, by the name of the ServiceLevel; nil until that was looked at.
func (r *Router) Objectives() map[string]configz.Measured {
	if measured := r.objectives.Load(); measured != nil {
		return *measured
	}
	return nil
}

// watchObjectives measures until ctx ends.
func (r *Router) watchObjectives(ctx context.Context) {
	ticker := time.NewTicker(objectivesInterval)
	defer ticker.Stop()
	for {
		if err := r.measureObjectives(ctx); err != nil && ctx.Err() == nil {
			r.Logger.Warn("Measuring objectives failed, trying again in a minute", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// measureObjectives has what ServiceLevels want measured, as far as that is due, and tells what was. What was measured by other rules
// than those in force is not told.
func (r *Router) measureObjectives(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, objectivesTimeout)
	defer cancel()
	wanted := r.Catalog.Snapshot().Objectives()
	scopes := make([]store.ObjectiveScope, len(wanted))
	for i, w := range wanted {
		scopes[i] = store.ObjectiveScope(w)
	}
	measured, err := r.Store.MeasureObjectives(ctx, r.Now().UTC(), scopes)
	if err != nil {
		return err
	}
	told, ratios := map[string]configz.Measured{}, map[[2]string]float64{}
	for _, scope := range scopes {
		last, known := measured[scope.ServiceLevel]
		if !known || last.Rules != scope.Rules() {
			continue
		}
		tallies := map[string]configz.Tally{}
		for objective, tally := range last.Tallies {
			tallies[string(objective)] = configz.Tally(tally)
		}
		told[scope.ServiceLevel] = configz.Measured{At: last.At, Rules: last.Rules, Tallies: tallies}
		for _, got := range scope.Judge(last.Tallies) {
			if got.Known {
				ratios[[2]string{scope.ServiceLevel, string(got.Objective)}] = got.Ratio
			}
		}
	}
	r.objectives.Store(&told)
	r.Metrics.attained(ratios)
	return nil
}
