package outbox

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// channel is what writers and relays NOTIFY; the payload is a destination or released.
	channel = "outbox"
	// released says that a relay let go of its shards.
	released = "released"

	// lockClass is the first half of the advisory locks' keys, the second is destination and shard. No other lock of the
	// product uses this class.
	lockClass = 0x59440001
	locks     = 2 * store.Shards
	// claimAtOnce is half of all, so that replicas which start together share; a replica alone takes the rest shortly after.
	claimAtOnce = locks / 2
	claimAgain  = 100 * time.Millisecond
)

// ownership is which shards this process owns in a session. Locks 0 to 7 are Kafka's shards, 8 to 15 Temporal's.
type ownership struct {
	mu    sync.Mutex
	owned [locks]bool
	first int
}

func newOwnership(first int) *ownership { return &ownership{first: first} }

// missing are the locks that are not owned. Each process begins elsewhere, so that two do not run after the same ones.
func (o *ownership) missing() []int32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	var missing []int32
	for i := range locks {
		lock := (o.first + i) % locks
		if !o.owned[lock] {
			missing = append(missing, int32(lock))
		}
	}
	return missing
}

func (o *ownership) add(taken []int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, lock := range taken {
		o.owned[lock] = true
	}
}

func (o *ownership) any() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Contains(o.owned[:], true)
}

func (o *ownership) owns(destination string, shard int16) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.owned[lockOf(destination, shard)]
}

// shards are the shards of a destination that this process owns.
func (o *ownership) shards(destination string) []int16 {
	o.mu.Lock()
	defer o.mu.Unlock()
	var shards []int16
	for shard := range int16(store.Shards) {
		if o.owned[lockOf(destination, shard)] {
			shards = append(shards, shard)
		}
	}
	return shards
}

func lockOf(destination string, shard int16) int {
	if destination == store.DestinationTemporal {
		return store.Shards + int(shard)
	}
	return int(shard)
}

// hold claims locks and passes notifications on until ctx ends or the connection is lost.
func (r *Relay) hold(ctx context.Context, conn *pgx.Conn, own *ownership) error {
	for {
		taken, err := claim(ctx, conn, own)
		if err != nil {
			return err
		}
		wait := tick
		if taken > 0 {
			r.cfg.Logger.Info("Took over shards of the outbox", "taken", taken, "missing", len(own.missing()))
			wait = claimAgain
		}
		// Also the tick of the pumps: what a lost notification would have told is seen now.
		for _, p := range r.pumps {
			p.wakeUp()
		}
		if err := r.listen(ctx, conn, wait); err != nil {
			return err
		}
	}
}

// claim takes locks that are free. It asks even when none is missing: the answer proves that the session lives.
func claim(ctx context.Context, conn *pgx.Conn, own *ownership) (taken int, err error) {
	queryCtx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	got, err := db.New(conn).OutboxClaim(queryCtx, own.missing(), lockClass, claimAtOnce)
	if err != nil {
		return 0, fmt.Errorf("claiming shards of the outbox: %w", err)
	}
	own.add(got)
	return len(got), nil
}

// listen passes notifications on for as long as wait, or until another relay let go of its shards.
func (r *Relay) listen(ctx context.Context, conn *pgx.Conn, wait time.Duration) error {
	waitCtx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		notification, err := conn.WaitForNotification(waitCtx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && waitCtx.Err() != nil && !conn.IsClosed():
			return nil
		case err != nil:
			return fmt.Errorf("listening to the outbox: %w", err)
		case notification.Payload == released:
			return nil
		}
		r.Wake(notification.Payload)
	}
}
