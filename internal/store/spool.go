package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// spoolRecord is how an envelope is written in the spool: the next version must read it.
type spoolRecord struct {
	ID          string          `json:"id"`
	Type        message.Type    `json:"type"`
	Source      string          `json:"source"`
	Subject     string          `json:"subject"`
	Time        time.Time       `json:"time"`
	Key         string          `json:"key"`
	TraceParent string          `json:"traceParent,omitempty"`
	TraceState  string          `json:"traceState,omitempty"`
	Data        json.RawMessage `json:"data"`
}

// Spool adds envelopes which Kafka did not take, all or none.
func (s *Store) Spool(ctx context.Context, pool string, envelopes []message.Envelope, now time.Time) error {
	encoded := make([]json.RawMessage, len(envelopes))
	for i, e := range envelopes {
		data, err := json.Marshal(spoolRecord(e))
		if err != nil {
			return fmt.Errorf("encoding an envelope for the spool: %w", err)
		}
		encoded[i] = data
	}
	if err := s.Queries().SpoolAdd(ctx, pool, encoded, now); err != nil {
		return fmt.Errorf("writing to the spool: %w", err)
	}
	return nil
}

// SpoolDrain is the right to empty a pool's spool. It lives as long as its connection; Close gives it back.
type SpoolDrain struct {
	pool       string
	connection *pgxpool.Conn
	queries    *db.Queries
}

// OwnSpool takes the right to empty the pool's spool; nil when another replica has it.
func (s *Store) OwnSpool(ctx context.Context, pool string) (*SpoolDrain, error) {
	connection, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting for the spool: %w", err)
	}
	drain := &SpoolDrain{pool: pool, connection: connection, queries: db.New(connection)}
	owned, err := drain.queries.SpoolLock(ctx, pool)
	if err != nil || !owned {
		connection.Release()
		if err != nil {
			return nil, fmt.Errorf("locking the spool: %w", err)
		}
		return nil, nil // Not an error: somebody else empties it.
	}
	return drain, nil
}

// Spooled is an envelope in the spool.
type Spooled struct {
	ID       int64
	Envelope message.Envelope
}

// Next returns the oldest envelopes but those of the keys in except, and the ids of rows among them that are no envelopes.
func (d *SpoolDrain) Next(ctx context.Context, except []string, most int32) (spooled []Spooled, unreadable []int64, err error) {
	// An empty list, not none: nothing is "not in" NULL.
	rows, err := d.queries.SpoolHead(ctx, d.pool, append([]string{}, except...), most)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the spool: %w", err)
	}
	for _, row := range rows {
		var record spoolRecord
		if json.Unmarshal(row.Envelope, &record) != nil || record.ID == "" || record.Key == "" {
			unreadable = append(unreadable, row.ID)
			continue
		}
		spooled = append(spooled, Spooled{ID: row.ID, Envelope: message.Envelope(record)})
	}
	return spooled, unreadable, nil
}

// SetAside keeps rows that are no envelopes where they hold up nothing, in the pool "<pool>/unreadable".
func (d *SpoolDrain) SetAside(ctx context.Context, ids []int64) error {
	if err := d.queries.SpoolSetAside(ctx, ids); err != nil {
		return fmt.Errorf("setting rows of the spool aside: %w", err)
	}
	return nil
}

// Done removes envelopes that Kafka has.
func (d *SpoolDrain) Done(ctx context.Context, spooled []Spooled) error {
	ids := make([]int64, len(spooled))
	for i, one := range spooled {
		ids[i] = one.ID
	}
	if err := d.queries.SpoolDelete(ctx, ids); err != nil {
		return fmt.Errorf("removing from the spool: %w", err)
	}
	return nil
}

// Depth is how many envelopes wait.
func (d *SpoolDrain) Depth(ctx context.Context) (int64, error) {
	row, err := d.queries.SpoolDepth(ctx, d.pool)
	if err != nil {
		return 0, fmt.Errorf("counting the spool: %w", err)
	}
	return row.Rows, nil
}

// Close gives the right back. The connection is closed, not reused: its lock would go with it.
func (d *SpoolDrain) Close(ctx context.Context) {
	connection := d.connection.Hijack()
	_ = connection.Close(ctx) // The server frees the lock of a connection that is gone, however it went.
}
