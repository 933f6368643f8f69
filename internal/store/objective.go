package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// ObjectivesInterval is how often objectives are measured.
	ObjectivesInterval = 5 * time.Minute
	// ComeBackWithin is for how long after a conversation a customer who writes again has come back.
	ComeBackWithin = 24 * time.Hour
)

// ObjectiveScope is what is wanted of conversations, and of which.
type ObjectiveScope struct {
	*servicelevel.Objectives
	ServiceLevel string
	Channels     []string
}

// Measured is what customers got, and by which rules it was measured.
type Measured struct {
	At      time.Time
	Rules   string
	Tallies map[servicelevel.Objective]servicelevel.Tally
}

// MeasureObjectives measures what was not for five minutes, or by other rules, and returns all that was measured, by ServiceLevel. One
// process measures for all; while it does the others get what there is.
func (s *Store) MeasureObjectives(ctx context.Context, now time.Time, wanted []ObjectiveScope) (map[string]Measured, error) {
	found, err := measured(ctx, s.Queries())
	if err != nil || !stale(found, wanted, now) {
		return found, err
	}
	err = s.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		queries := db.New(tx)
		mine, err := queries.ObjectiveLock(ctx)
		if err != nil {
			return fmt.Errorf("taking the turn to measure objectives: %w", err)
		}
		if !mine {
			return nil
		}
		// Another one may just have done so.
		if found, err = measured(ctx, queries); err != nil {
			return err
		}
		names := []string{}
		for _, scope := range wanted {
			names = append(names, scope.ServiceLevel)
			if !scope.stale(found, now) {
				continue
			}
			if found[scope.ServiceLevel], err = measure(ctx, queries, now, scope); err != nil {
				return fmt.Errorf("measuring the objectives of ServiceLevel %s: %w", scope.ServiceLevel, err)
			}
		}
		if err := queries.ObjectivesForget(ctx, names); err != nil {
			return fmt.Errorf("forgetting objectives: %w", err)
		}
		return nil
	})
	return found, err
}

func stale(found map[string]Measured, wanted []ObjectiveScope, now time.Time) bool {
	for _, scope := range wanted {
		if scope.stale(found, now) {
			return true
		}
	}
	return false
}

func (o ObjectiveScope) stale(found map[string]Measured, now time.Time) bool {
	last, known := found[o.ServiceLevel]
	return !known || last.Rules != o.Rules() || !o.Counted(last.Tallies) || now.Sub(last.At) >= ObjectivesInterval
}

func measured(ctx context.Context, q *db.Queries) (map[string]Measured, error) {
	rows, err := q.Objectives(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading what was measured: %w", err)
	}
	out := map[string]Measured{}
	for _, row := range rows {
		last := Measured{At: row.MeasuredAt.UTC(), Rules: row.Rules}
		if err := json.Unmarshal(row.Measured, &last.Tallies); err != nil {
			return nil, fmt.Errorf("decoding what was measured: %w", err)
		}
		out[row.ServiceLevel] = last
	}
	return out, nil
}

// measure counts what is wanted, and notes it.
func measure(ctx context.Context, q *db.Queries, now time.Time, scope ObjectiveScope) (Measured, error) {
	since, tallies := now.Add(-scope.Window), map[servicelevel.Objective]servicelevel.Tally{}
	if scope.Wants(servicelevel.Answered) || scope.Wants(servicelevel.BotContainment) {
		seen, err := q.ObjectiveEnded(ctx, int32(scope.AnsweredWithin.Seconds()), since, now, scope.Channels)
		if err != nil {
			return Measured{}, fmt.Errorf("counting conversations: %w", err)
		}
		tallies[servicelevel.Answered] = servicelevel.Tally{Sum: seen.Answered, Of: seen.Offered}
		tallies[servicelevel.BotContainment] = servicelevel.Tally{Sum: seen.Contained, Of: seen.Ended}
	}
	if scope.Wants(servicelevel.Resolved) {
		seen, err := q.ObjectiveResolved(ctx, since.Add(-ComeBackWithin), now.Add(-ComeBackWithin), scope.Channels)
		if err != nil {
			return Measured{}, fmt.Errorf("counting what was solved: %w", err)
		}
		tallies[servicelevel.Resolved] = servicelevel.Tally{Sum: seen.Solved, Of: seen.Ended}
	}
	if scope.Wants(servicelevel.Satisfaction) {
		seen, err := q.ObjectiveRated(ctx, since, now, scope.Channels)
		if err != nil {
			return Measured{}, fmt.Errorf("averaging ratings: %w", err)
		}
		tallies[servicelevel.Satisfaction] = servicelevel.Tally{Sum: seen.Points, Of: seen.Ratings}
	}
	encoded, err := json.Marshal(tallies)
	if err != nil {
		return Measured{}, fmt.Errorf("encoding what was measured: %w", err)
	}
	if err := q.ObjectivePut(ctx, scope.ServiceLevel, scope.Rules(), encoded, now); err != nil {
		return Measured{}, fmt.Errorf("noting what was measured: %w", err)
	}
	return Measured{now, scope.Rules(), tallies}, nil
}
