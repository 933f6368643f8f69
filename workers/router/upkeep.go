package router

import (
	"context"
	"errors"
	"time"

	"github.com/yingda-dev/yingda/internal/store"
)

// How long a brand's database keeps what nobody asks for any more. Conversations, messages, files, complaints and deliveries that
// failed stay for as long as the Brand's privacy says; deliveries that arrived go after store.DeliveriesKept, what was counted of
// the groups' work after store.WorkloadKept.
const (
	// processedKept is longer than any topic's retention (30 days), so that no replay counts twice.
	processedKept = 45 * 24 * time.Hour
	// framesKept is how long a desk may be away and still be told only what it missed.
	framesKept = 7 * 24 * time.Hour
	// botIdle is after how long a conversation that only the bot took part in counts as over.
	botIdle = 24 * time.Hour
)

const (
	// upkeepInterval is how often partitions are made and old rows go.
	upkeepInterval = time.Hour
	// partitionRetry is how soon making the first partitions is tried again.
	partitionRetry = time.Second
)

// awaitPartitions makes the partitions of this month before anything is taken in, so that no message finds none.
func (r *Router) awaitPartitions(ctx context.Context) {
	for {
		err := r.Store.Queries().EnsurePartitions(ctx, r.Now().UTC())
		if err == nil || ctx.Err() != nil {
			return
		}
		r.Logger.Warn("Cannot make the partitions of messages yet", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(partitionRetry):
		}
	}
}

// upkeep makes the partitions ahead and lets go of what nothing asks for any more.
func (r *Router) upkeep(ctx context.Context) {
	now, queries := r.Now().UTC(), r.Store.Queries()
	err := errors.Join(
		queries.EnsurePartitions(ctx, now),
		prune(ctx, queries.ProcessedPrune, now.Add(-processedKept)),
		prune(ctx, queries.DeliveriesPrune, now.Add(-store.DeliveriesKept)),
		prune(ctx, queries.PassivePrune, now.Add(-store.PassiveRepliesKept)),
		prune(ctx, queries.FramesPrune, now.Add(-framesKept)),
		prune(ctx, queries.WorkloadPrune, now.Add(-store.WorkloadKept)),
		prune(ctx, queries.SurveysPrune, now.Add(-surveysKept)),
		r.closeIdle(ctx, now.Add(-botIdle)),
		r.erase(ctx, now),
	)
	if err != nil && ctx.Err() == nil {
		r.Logger.Warn("Upkeep of the database failed, trying again in an hour", "error", err)
	}
}

// erase deletes the conversations that the Brand keeps no longer. While it is not known for how long, they all stay.
func (r *Router) erase(ctx context.Context, now time.Time) error {
	brand := r.Catalog.Snapshot().Brand
	if brand == nil || brand.Spec.Privacy == nil || brand.Spec.Privacy.RetentionDays == nil {
		return nil
	}
	return r.Store.Erase(ctx, now.AddDate(0, 0, -int(*brand.Spec.Privacy.RetentionDays)))
}

// prune deletes, a batch at a time, what is older.
func prune(ctx context.Context, batch func(context.Context, time.Time) (int64, error), before time.Time) error {
	for {
		deleted, err := batch(ctx, before)
		if err != nil || deleted == 0 {
			return err
		}
	}
}

func (r *Router) closeIdle(ctx context.Context, before time.Time) error {
	for {
		var closed int
		err := r.Store.Do(ctx, r.scope(), func(ctx context.Context, u *store.Unit) error {
			idle, err := u.IdleBotConversations(ctx, before, batchRows)
			closed = len(idle)
			for _, c := range idle {
				if _, err := u.Close(ctx, c); err != nil {
					return err
				}
			}
			return err
		})
		if err != nil || closed < batchRows {
			return err
		}
	}
}
