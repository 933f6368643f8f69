package store

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// idleTransaction is the status of a connection outside of any transaction.
	idleTransaction = 'I'
	rollbackTimeout = time.Second
)

// Shards is the number of outbox shards of each destination.
const Shards = 8

// ShardOf gives all rows of one key to the same shard.
func ShardOf(key string) int16 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // A hash's Write never fails.
	return int16(h.Sum32() % Shards)
}

// The outbox's destinations, and how its target names what Temporal is to do.
const (
	DestinationKafka    = "kafka"
	DestinationTemporal = "temporal"
	TargetStart         = "start:"
	TargetSignal        = "signal:"
)

// Relay is the outbox relay of this process.
type Relay interface {
	// Owns says that the rows of a shard leave through it, so that no other relay has to be told of them.
	Owns(destination string, shard int16) bool
	// Wake tells it that such rows were committed.
	Wake(destination string)
}

// Scope is what a Unit needs to know of its surroundings.
type Scope struct {
	// Events is the topic of frames.
	Events string
	// Source is the CloudEvents source: /<namespace>/<brand>/<component>.
	Source string
	// Now is the time of all that the unit writes.
	Now time.Time
	// Relay is nil in a process that has none: relays elsewhere are notified then.
	Relay Relay
}

// Unit is one transaction over conversations. Rows that nothing reads before the commit (messages, frames, outbox) are
// gathered and written last, with the commit in one round trip; frames are numbered then.
type Unit struct {
	*db.Queries
	Scope

	drafts
	conn *pgxpool.Conn
	// intake is set in units that take in a batch of inbound messages.
	intake *Intake
}

// drafts are the rows that are written last.
type drafts struct {
	messages []db.MessageAddParams
	replied  []db.DeliveryRepliedParams
	frames   []frameDraft
	outbox   []db.OutboxAddParams
}

type frameDraft struct {
	agent   string
	kind    message.FrameKind
	payload any
	// span is the trace of the event that made the news; a unit may handle events of many traces.
	span trace.SpanContext
}

// Do runs f as one unit and commits it. Like InTx it may run f again: f must have no effect outside of the unit.
func (s *Store) Do(ctx context.Context, scope Scope, f func(ctx context.Context, u *Unit) error) error {
	return retried(func() error {
		return s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
			defer rollback(ctx, conn)
			if _, err := conn.Exec(ctx, "begin"); err != nil {
				return fmt.Errorf("beginning a unit: %w", err)
			}
			u := &Unit{Queries: db.New(conn), Scope: scope, conn: conn}
			if err := f(ctx, u); err != nil {
				return err
			}
			return u.commit(ctx)
		})
	})
}

// rollback ends a transaction that was not committed. Where it fails, the pool closes the connection, which does the same.
func rollback(ctx context.Context, conn *pgxpool.Conn) {
	if pg := conn.Conn().PgConn(); pg.IsClosed() || pg.TxStatus() == idleTransaction {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_, _ = conn.Exec(ctx, "rollback")
}

// Tell drafts news for an agent's desk, in the trace of ctx. payload is encoded when the unit ends.
func (u *Unit) Tell(ctx context.Context, agent string, kind message.FrameKind, payload any) {
	u.frames = append(u.frames, frameDraft{agent, kind, payload, trace.SpanContextFromContext(ctx)})
}

// Publish puts an envelope into the outbox for a Kafka topic. The envelope's ID stays the same on every retry. The caller
// holds the lock of what the key stands for.
func (u *Unit) Publish(ctx context.Context, topic string, e message.Envelope) {
	e = bus.WithTrace(ctx, e)
	u.outbox = append(u.outbox, db.OutboxAddParams{
		Destination: DestinationKafka, Shard: ShardOf(e.Key), Target: topic, Key: e.Key, EventID: e.ID,
		EventType: string(e.Type), Subject: e.Subject, Payload: e.Data,
		Traceparent: e.TraceParent, Tracestate: e.TraceState, CreatedAt: u.Now,
	})
}

// StartWorkflow puts the start of a workflow into the outbox; a workflow of that id that exists or existed is left alone.
func (u *Unit) StartWorkflow(ctx context.Context, id, workflowType string, input any) error {
	return u.temporal(ctx, id, TargetStart+workflowType, input)
}

// SignalWorkflow puts a signal into the outbox; a workflow that has ended ignores it.
func (u *Unit) SignalWorkflow(ctx context.Context, id, signal string, argument any) error {
	return u.temporal(ctx, id, TargetSignal+signal, argument)
}

func (u *Unit) temporal(ctx context.Context, id, target string, argument any) error {
	payload, err := json.Marshal(argument)
	if err != nil {
		return fmt.Errorf("encoding the argument of %s: %w", target, err)
	}
	carrier := bus.WithTrace(ctx, message.Envelope{})
	u.outbox = append(u.outbox, db.OutboxAddParams{
		Destination: DestinationTemporal, Shard: ShardOf(id), Target: target, Key: id, EventID: newID().String(),
		EventType: target, Payload: payload, Traceparent: carrier.TraceParent, Tracestate: carrier.TraceState, CreatedAt: u.Now,
	})
	return nil
}

// commit writes what was gathered and ends the transaction, in one round trip.
func (u *Unit) commit(ctx context.Context) error {
	frames, err := u.numberless(ctx)
	if err != nil {
		return err
	}
	var p pipeline
	queries := p.queries()
	if u.intake != nil {
		u.intake.finish(ctx, queries)
	}
	for i := range u.messages {
		_ = queries.MessageAdd(ctx, u.messages[i])
	}
	for i := range u.replied {
		_ = queries.DeliveryReplied(ctx, u.replied[i])
	}
	for i := range u.outbox {
		_ = queries.OutboxAdd(ctx, u.outbox[i])
	}
	wake, notify := u.relays()
	for _, destination := range notify {
		_ = queries.OutboxNotify(ctx, destination)
	}
	if len(frames.Agents) > 0 {
		// Last, for until the commit nobody else can tell the same agents anything.
		_ = queries.FramesAdd(ctx, frames)
	}
	p.batch.Queue("commit").Exec(committed)
	if err := p.send(ctx, u.conn); err != nil {
		return fmt.Errorf("committing a unit: %w", err)
	}
	for _, destination := range wake {
		u.Relay.Wake(destination)
	}
	return nil
}

// committed is an error when Postgres has rolled back instead, as it does with a transaction in which something failed.
func committed(tag pgconn.CommandTag) error {
	if tag.String() != "COMMIT" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// relays returns the destinations of which this process's relay has to know, and those of which others have to.
func (u *Unit) relays() (wake, notify []string) {
	note := func(destination string, shard int16) {
		to := &notify
		if u.Relay != nil && u.Relay.Owns(destination, shard) {
			to = &wake
		}
		if !slices.Contains(*to, destination) {
			*to = append(*to, destination)
		}
	}
	for i := range u.outbox {
		note(u.outbox[i].Destination, u.outbox[i].Shard)
	}
	for i := range u.frames {
		note(DestinationKafka, ShardOf(u.frames[i].agent))
	}
	return wake, notify
}

// numberless are the frames as the statement takes them that gives them their numbers.
func (u *Unit) numberless(ctx context.Context) (add db.FramesAddParams, err error) {
	after := map[string]int64{}
	for i := range u.frames {
		after[u.frames[i].agent]++
	}
	add = db.FramesAddParams{Topic: u.Events, EventType: string(message.TypeFrame), CreatedAt: u.Now}
	for _, draft := range u.frames {
		after[draft.agent]--
		payload, err := json.Marshal(draft.payload)
		if err != nil {
			return add, fmt.Errorf("encoding a frame: %w", err)
		}
		frame, err := json.Marshal(message.Frame{Agent: draft.agent, Kind: draft.kind, Payload: payload, At: u.Now})
		if err != nil {
			return add, fmt.Errorf("encoding a frame: %w", err)
		}
		carrier := bus.WithTrace(trace.ContextWithSpanContext(ctx, draft.span), message.Envelope{})
		add.Agents, add.Behind = append(add.Agents, draft.agent), append(add.Behind, after[draft.agent])
		add.Shards, add.Frames = append(add.Shards, ShardOf(draft.agent)), append(add.Frames, frame)
		add.Traceparents, add.Tracestates = append(add.Traceparents, carrier.TraceParent), append(add.Tracestates, carrier.TraceState)
	}
	return add, nil
}

// newID returns a UUIDv7: ids that grow with time keep indexes compact.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
