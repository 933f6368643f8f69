package store

import (
	"context"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yingda-dev/yingda/internal/store/db"
)

// relayConnections are one a destination, and one to vacuum.
const relayConnections = 3

// Relaying returns a Store for an outbox relay, with few connections of its own. They do not wait for the disk: a delete that
// a crash undoes is sent again with the same event id, which receivers expect. And they go by the index: of a table that
// was empty when it was last vacuumed Postgres plans to read the whole, with every row that was deleted since.
func (s *Store) Relaying(ctx context.Context) (*Store, error) {
	config := s.pool.Config()
	config.MaxConns, config.MinConns, config.MinIdleConns = relayConnections, 0, 0
	PlanOnce(config)
	maps.Copy(config.ConnConfig.RuntimeParams, map[string]string{"synchronous_commit": "off", "enable_seqscan": "off"})
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening the relay's database pool: %w", err)
	}
	return &Store{pool: pool}, nil
}

// OutboxVacuum frees what was deleted, unless somebody is at it already. Autovacuum looks once a minute: in between, each look
// at the outbox would pass over all rows of a peak.
func (s *Store) OutboxVacuum(ctx context.Context) error {
	if _, err := s.pool.Exec(ctx, "VACUUM (SKIP_LOCKED, TRUNCATE OFF) outbox"); err != nil {
		return fmt.Errorf("vacuuming the outbox: %w", err)
	}
	return nil
}

// OutboxNext removes rows that were sent and returns the first of those that are left, but for those of the targets and
// lanes that are to be left alone, in one round trip.
func (s *Store) OutboxNext(ctx context.Context, sent []db.Outbox, next db.OutboxHeadExceptParams) (rows []db.Outbox, err error) {
	var p pipeline
	for i := range sent {
		_ = p.queries().OutboxDelete(ctx, sent[i].Destination, sent[i].Shard, sent[i].ID)
	}
	if len(next.Targets)+len(next.Lanes) == 0 {
		read(&p, &rows, db.OutboxHead, next.Shards, next.Destination, next.MaxRows)
	} else {
		read(&p, &rows, db.OutboxHeadExcept, next.Shards, next.Destination, next.Targets, next.Lanes, next.MaxRows)
	}
	if err := p.send(ctx, s.pool); err != nil {
		return nil, fmt.Errorf("deleting from the outbox and reading it: %w", err)
	}
	return rows, nil
}
