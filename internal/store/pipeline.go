package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/yingda-dev/yingda/internal/store/db"
)

// pipeline sends statements in one round trip, which costs more than most of them do. They run in order, each seeing what
// those before it did; the first that fails ends all.
type pipeline struct {
	// Nobody can wait for a row: statements with results are queued by read.
	db.DBTX
	batch pgx.Batch
}

// Exec queues a statement; its error is send's. Queries over a pipeline can be used for statements without results.
func (p *pipeline) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	p.batch.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

// send runs what was queued.
func (p *pipeline) send(ctx context.Context, conn interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
},
) error {
	if p.batch.Len() == 0 {
		return nil
	}
	return conn.SendBatch(ctx, &p.batch).Close()
}

// read queues a query of the package db whose rows are T, column by column; they are in into after send.
func read[T any](p *pipeline, into *[]T, sql string, args ...any) {
	p.batch.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[T])
		return err
	})
}
