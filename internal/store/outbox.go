package store

import (
	"context"
	"fmt"

	"github.com/yingda-dev/yingda/internal/store/db"
)

// OutboxNext removes rows that were sent and returns the first of those that are left, but for those of the targets and
// lanes that are to be left alone, in one round trip.
func (s *Store) OutboxNext(ctx context.Context, sent []int64, next db.OutboxHeadExceptParams) (rows []db.Outbox, err error) {
	var p pipeline
	if len(sent) > 0 {
		if err := db.New(&p).OutboxDelete(ctx, sent); err != nil {
			return nil, fmt.Errorf("deleting what was sent: %w", err)
		}
	}
	if len(next.Targets)+len(next.Lanes) == 0 {
		read(&p, &rows, db.OutboxHead, next.Shards, next.Destination, next.MaxRows)
	} else {
		read(&p, &rows, db.OutboxHeadExcept, next.Shards, next.Destination, next.Targets, next.Lanes, next.MaxRows)
	}
	if err := p.send(ctx, s.pool); err != nil {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	return rows, nil
}
