package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
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
// gathered and written last, with the commit in one round trip; frames are numbered then, agents in order of their names,
// so that two units never wait for each other in a circle.
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

// commit writes what was gathered and ends the transaction.
func (u *Unit) commit(ctx context.Context) error {
	// Frames come first, because they add to the outbox.
	frames, err := u.numberFrames(ctx)
	if err != nil {
		return err
	}
	var p pipeline
	queries := db.New(&p)
	var errs []error
	for i := range u.messages {
		errs = append(errs, queries.MessageAdd(ctx, u.messages[i]))
	}
	for i := range frames {
		errs = append(errs, queries.FrameAdd(ctx, frames[i]))
	}
	for i := range u.outbox {
		errs = append(errs, queries.OutboxAdd(ctx, u.outbox[i]))
	}
	wake, notify := u.relays()
	for _, destination := range notify {
		errs = append(errs, queries.OutboxNotify(ctx, destination))
	}
	p.batch.Queue("commit")
	if err := errors.Join(append(errs, p.send(ctx, u.conn))...); err != nil {
		return fmt.Errorf("committing messages, frames and outbox: %w", err)
	}
	for _, destination := range wake {
		u.Relay.Wake(destination)
	}
	return nil
}

// relays returns the destinations of which this process's relay has to know, and those of which others have to.
func (u *Unit) relays() (wake, notify []string) {
	for i := range u.outbox {
		row := &u.outbox[i]
		to := &notify
		if u.Relay != nil && u.Relay.Owns(row.Destination, row.Shard) {
			to = &wake
		}
		if !slices.Contains(*to, row.Destination) {
			*to = append(*to, row.Destination)
		}
	}
	return wake, notify
}

// numberFrames takes numbers from the feeds of all agents concerned and puts each frame into the outbox. What the intake
// has to write goes with it.
func (u *Unit) numberFrames(ctx context.Context) ([]db.FrameAddParams, error) {
	var p pipeline
	if u.intake != nil {
		if err := u.intake.finish(ctx, &p); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(u.frames, func(a, b frameDraft) int { return cmp.Compare(a.agent, b.agent) })
	var byAgent [][]frameDraft
	for rest := u.frames; len(rest) > 0; {
		count := 1
		for count < len(rest) && rest[count].agent == rest[0].agent {
			count++
		}
		byAgent, rest = append(byAgent, rest[:count]), rest[count:]
	}
	lasts := make([]int64, len(byAgent))
	for i, drafts := range byAgent {
		p.batch.Queue(db.FeedAdvance, drafts[0].agent, int64(len(drafts))).QueryRow(func(row pgx.Row) error { return row.Scan(&lasts[i]) })
	}
	if err := p.send(ctx, u.conn); err != nil {
		return nil, fmt.Errorf("numbering frames: %w", err)
	}
	rows := make([]db.FrameAddParams, 0, len(u.frames))
	for i, drafts := range byAgent {
		for n, draft := range drafts {
			row, err := u.sendFrame(ctx, draft, lasts[i]-int64(len(drafts)-1-n))
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// sendFrame puts one frame into the outbox for connected desks and returns its row for reconnecting ones.
func (u *Unit) sendFrame(ctx context.Context, draft frameDraft, seq int64) (db.FrameAddParams, error) {
	payload, err := json.Marshal(draft.payload)
	if err != nil {
		return db.FrameAddParams{}, fmt.Errorf("encoding a frame: %w", err)
	}
	frame := message.Frame{Agent: draft.agent, Seq: seq, Kind: draft.kind, Payload: payload, At: u.Now}
	e, err := message.New(fmt.Sprintf("%s/%d", draft.agent, seq), message.TypeFrame, u.Source, draft.agent, draft.agent, u.Now, frame)
	if err != nil {
		return db.FrameAddParams{}, err
	}
	u.Publish(trace.ContextWithSpanContext(ctx, draft.span), u.Events, e)
	return db.FrameAddParams{Agent: draft.agent, Seq: seq, Kind: string(draft.kind), Payload: payload, CreatedAt: u.Now}, nil
}

// newID returns a UUIDv7: ids that grow with time keep indexes compact.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
