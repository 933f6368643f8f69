// Package outbox sends what transactions decided: it relays the rows of the outbox table to Kafka and Temporal.
//
// It decides nothing about what it carries and changes nothing but its own rows. Invariants: the rows of one key leave in
// id order, one owner at a time; a row is deleted only after the other side acknowledged it (or can never accept it); a
// row is sent again with the same event id until then, so that receivers can tell a repetition. What nobody takes is left
// alone for a while, with all of its key, so that the rest of the brand goes on.
//
//	LISTEN, tick, Wake          one session = one connection to Postgres
//	       |               +---------------------------------------------+
//	       v               | shards owned: an advisory lock each         |
//	  pump(kafka) ---------+ rows by id -> publish -> delete (or park)   |
//	  pump(temporal) ------+ rows by id -> start or signal -> delete ... |
//	                       +---------------------------------------------+
//	the connection is lost -> the locks are gone -> both pumps stop at once -> a new session
//
// Locks belong to a session of the database: between the relay and Postgres there must be no pooler that shares sessions.
package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/wait"
)

const (
	backoffMin = 50 * time.Millisecond
	backoffMax = 2 * time.Second
	// tick bounds how long a missed notification or a lock that became free stays unseen.
	tick = time.Second
	// queryTimeout turns a connection that says nothing into a lost one.
	queryTimeout = 5 * time.Second
	// vacuumAfter is what a look at the outbox can pass over in a few tenths of a millisecond.
	vacuumAfter   = 5000
	vacuumTimeout = 30 * time.Second
	// releaseTimeout bounds the last word of a session.
	releaseTimeout = time.Second
)

// Publisher writes envelopes to Kafka: a *bus.Producer. The order of a key survives a failed batch only when nobody else
// writes to the same topics through it, so the relay gets a producer of its own.
type Publisher interface {
	Publish(ctx context.Context, topic string, envelopes ...message.Envelope) error
}

// Workflows starts and signals: a Temporal client.
type Workflows interface {
	ExecuteWorkflow(ctx context.Context, options client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error)
	SignalWorkflow(ctx context.Context, workflowID, runID, signalName string, arg any) error
}

var _ Publisher = (*bus.Producer)(nil)

// Config is what a Relay works with.
type Config struct {
	Store     *store.Store
	Publisher Publisher
	Workflows Workflows
	// TaskQueue is where started workflows run.
	TaskQueue string
	// Source is the CloudEvents source of what is published: /<namespace>/<brand>/<component>.
	Source  string
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	Now     func() time.Time
}

// Relay sends the outbox of one brand. Every router runs one; they share the shards among them.
type Relay struct {
	cfg     Config
	pumps   []*pump
	metrics *metrics
	// deleted counts the rows that were deleted since the outbox was last vacuumed.
	deleted atomic.Int64
	// own is what the session under way owns, nil between two.
	own atomic.Pointer[ownership]
}

var _ store.Relay = (*Relay)(nil)

// New returns a relay; Run starts it.
func New(cfg Config) *Relay {
	m := newMetrics(cfg.Metrics)
	r := &Relay{cfg: cfg, metrics: m}
	r.pumps = []*pump{
		newPump(cfg, m, &r.deleted, store.DestinationKafka, (&kafkaSender{cfg.Publisher, cfg.Source}).send),
		newPump(cfg, m, &r.deleted, store.DestinationTemporal, (&temporalSender{cfg.Workflows, cfg.TaskQueue, cfg.Logger, m}).send),
	}
	return r
}

// Owns says whether rows of the shard leave through this relay. When it loses the shard before they are committed, their
// next owner sees them at its next tick.
func (r *Relay) Owns(destination string, shard int16) bool {
	own := r.own.Load()
	return own != nil && own.owns(destination, shard)
}

// Wake tells the relay that a transaction with rows for the destination was committed. It is quicker and cheaper than the
// database's own notification, for which Postgres commits one transaction after the other, and as harmless as often it is
// called.
func (r *Relay) Wake(destination string) {
	for _, p := range r.pumps {
		if p.destination == destination {
			p.wakeUp()
		}
	}
}

// Run relays until ctx ends. A database, a broker or a Temporal service that is away is waited for.
func (r *Relay) Run(ctx context.Context) error {
	database, err := r.cfg.Store.Relaying(ctx)
	if err != nil {
		return err
	}
	defer database.Close()
	for _, p := range r.pumps {
		p.store = database
	}
	var beside sync.WaitGroup
	beside.Go(func() { r.observe(ctx) })
	beside.Go(func() { r.vacuum(ctx, database) })
	defer beside.Wait()
	for backoff := backoffMin; ; backoff = min(2*backoff, backoffMax) {
		held, err := r.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if held {
			backoff = backoffMin
		}
		r.cfg.Logger.Warn("Lost the relay's database session, opening another", "error", err)
		if !wait.For(ctx, backoff) {
			return nil
		}
	}
}

// vacuum frees the outbox of deleted rows after every few thousand, until ctx ends.
func (r *Relay) vacuum(ctx context.Context, database *store.Store) {
	for wait.For(ctx, tick) {
		if r.deleted.Load() < vacuumAfter {
			continue
		}
		r.deleted.Store(0)
		vacuumCtx, cancel := context.WithTimeout(ctx, vacuumTimeout)
		if err := database.OutboxVacuum(vacuumCtx); err != nil && ctx.Err() == nil {
			r.cfg.Logger.Warn("Leaving the outbox to autovacuum", "error", err)
		}
		cancel()
	}
}

// session owns shards over one connection until the connection is lost or ctx ends; held says that it came to own some.
func (r *Relay) session(ctx context.Context) (held bool, err error) {
	// Not of the pool: a connection that held locks must never serve anybody else.
	conn, err := pgx.ConnectConfig(ctx, r.cfg.Store.Pool().Config().ConnConfig)
	if err != nil {
		return false, fmt.Errorf("connecting the relay: %w", err)
	}
	defer r.release(ctx, conn)
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return false, fmt.Errorf("listening to the outbox: %w", err)
	}
	pumpCtx, stop := context.WithCancel(ctx)
	var pumps sync.WaitGroup
	defer pumps.Wait()
	defer stop()
	own := newOwnership(rand.IntN(locks)) //nolint:gosec // Spreads replicas over the shards; nothing secret.
	r.own.Store(own)
	defer r.own.Store(nil)
	for _, p := range r.pumps {
		pumps.Go(func() { p.run(pumpCtx, own) })
	}
	err = r.hold(ctx, conn, own)
	return own.any(), err
}

// release ends a session in good order, so that other relays take the shards without waiting for a tick.
func (r *Relay) release(ctx context.Context, conn *pgx.Conn) {
	releaseCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if !conn.IsClosed() {
		// What fails here the end of the connection does as well.
		_ = db.New(conn).OutboxRelease(releaseCtx, released)
	}
	_ = conn.Close(releaseCtx)
}
