package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// Quarter is the interval by which workload is counted.
	Quarter = 15 * time.Minute
	// WorkloadKept is longer than a year, so that a holiday can be compared with the last one.
	WorkloadKept = 400 * 24 * time.Hour
	// longestHandling is as what a longer contact counts: one that an agent forgot to close over night says nothing of their work.
	longestHandling = 4 * time.Hour
	// clockAllowance is how far another replica's clock may be ahead.
	clockAllowance = time.Hour
)

// CountWorkload brings the workload up to date: for each quarter of an hour, who was offered to each group and whom its
// agents were done with. It counts conversations, and again those of the last two quarters and of the time in which nobody
// counted: so no row is hot, and nothing is counted twice or lost, whichever process counts and whenever it dies. While
// another one counts it returns at once.
func (s *Store) CountWorkload(ctx context.Context, now time.Time) error {
	return s.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		queries := db.New(tx)
		mine, err := queries.WorkloadLock(ctx)
		if err != nil {
			return fmt.Errorf("taking the turn to count workload: %w", err)
		}
		if !mine {
			return nil
		}
		since, oldest := now.Truncate(Quarter).Add(-Quarter), now.Truncate(Quarter).Add(-WorkloadKept)
		counted, err := queries.WorkloadCounted(ctx)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			since = oldest
		case err != nil:
			return fmt.Errorf("looking since when workload is not counted: %w", err)
		case counted.Add(-Quarter).Before(since):
			since = counted.Add(-Quarter)
		}
		if since.Before(oldest) {
			since = oldest
		}
		if _, err := queries.WorkloadCount(ctx, since, now.Add(clockAllowance), int32(longestHandling/time.Second)); err != nil {
			return fmt.Errorf("counting workload: %w", err)
		}
		return nil
	})
}
