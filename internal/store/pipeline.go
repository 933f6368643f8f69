package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/yingda-dev/yingda/internal/store/db"
)

// pipeline sends statements in one round trip, which costs more than most of them do. They run in order, each seeing what
// those before it did; the first that fails ends all.
type pipeline struct {
	batch pgx.Batch
	err   error
}

var _ db.DBTX = (*pipeline)(nil)

// errNoResult is the answer to a statement that cannot be queued: its caller would wait for rows.
var errNoResult = errors.New("a pipeline queues statements without results; use read for the others")

// queries are for statements without results (:exec): each is queued, returns nil, and leaves its error to send.
func (p *pipeline) queries() *db.Queries { return db.New(p) }

func (p *pipeline) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	p.batch.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

func (p *pipeline) Query(context.Context, string, ...any) (pgx.Rows, error) {
	p.err = errNoResult
	return nil, p.err
}

func (p *pipeline) QueryRow(context.Context, string, ...any) pgx.Row {
	p.err = errNoResult
	return noRow{}
}

type noRow struct{}

func (noRow) Scan(...any) error { return errNoResult }

// batcher is a connection, or a pool of them.
type batcher interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
}

// send runs what was queued.
func (p *pipeline) send(ctx context.Context, conn batcher) error {
	if p.err != nil || p.batch.Len() == 0 {
		return p.err
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
