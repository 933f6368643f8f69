package outbox

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/wait"
)

// maxRoundBytes keeps a round within one batch a partition of the producer: batches that are split can fail apart, and
// the later half of a key would overtake the earlier.
const maxRoundBytes = 512 << 10

// warnEvery keeps a failure that lasts from filling the log.
const warnEvery = 5 * time.Second

// sender hands rows to the other side. Of each lane these are the first ones.
type sender func(ctx context.Context, rows []db.Outbox) result

// result is what became of rows. Those that are named nowhere were not tried.
type result struct {
	// done are the ids of the rows that are done with.
	done []int64
	// stuck are rows that were refused, and targets of which nothing was taken.
	stuck   []db.Outbox
	targets []string
	// cause is why the first of them was.
	cause error
	// away says that the other side did not answer, whatever it was asked.
	away error
}

// pump moves the rows of one destination.
type pump struct {
	destination string
	// store is set before run.
	store   *store.Store
	send    sender
	logger  *slog.Logger
	metrics *metrics
	now     func() time.Time
	wake    chan struct{}
	parked  *parked
	warned  time.Time
	deleted *atomic.Int64
	// sent are rows that are done with and not yet deleted.
	sent []db.Outbox
}

func newPump(cfg Config, m *metrics, deleted *atomic.Int64, destination string, send sender) *pump {
	return &pump{
		destination: destination, send: send, logger: cfg.Logger, metrics: m, now: cfg.Now,
		wake: make(chan struct{}, 1), parked: newParked(destination), deleted: deleted,
	}
}

// wakeUp makes the pump look once more after the look it is at, if any.
func (p *pump) wakeUp() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run pumps until ctx ends.
func (p *pump) run(ctx context.Context, own *ownership) {
	for backoff := backoffMin; ; {
		more, err := p.round(ctx, own.shards(p.destination))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			p.failed(err)
			if len(p.sent) > 0 {
				// Now, for after the pause this process may be gone. What fails here is done with the next look.
				_, _ = p.head(ctx, nil)
			}
			if !wait.For(ctx, backoff) {
				return
			}
			backoff = min(2*backoff, backoffMax)
			continue
		}
		backoff = backoffMin
		if !more && !p.rest(ctx) {
			return
		}
	}
}

// rest waits for something new, or for something parked to be tried again; false when ctx ended first.
func (p *pump) rest(ctx context.Context) bool {
	var due <-chan time.Time
	if at, any := p.parked.due(); any {
		timer := time.NewTimer(at.Sub(p.now()))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-p.wake:
	case <-due:
	case <-ctx.Done():
		return false
	}
	return true
}

func (p *pump) failed(err error) {
	p.metrics.failed.WithLabelValues(p.destination).Inc()
	if now := p.now(); now.Sub(p.warned) >= warnEvery {
		p.warned = now
		p.logger.Warn("Relaying the outbox failed, trying again", "destination", p.destination, "parked", p.parked.size(), "error", err)
	}
}

// round sends what is first in the shards and not parked; more says that there may be more already.
func (p *pump) round(ctx context.Context, shards []int16) (more bool, err error) {
	if len(shards) == 0 {
		return false, nil
	}
	found, err := p.head(ctx, shards)
	if err != nil {
		return false, err
	}
	rows := fitting(found)
	if more = len(rows) < len(found) || len(found) == bus.BatchSize; !more {
		defer p.parked.tidy()
	}
	if len(rows) == 0 {
		return false, nil
	}
	spans := p.draw(ctx, rows)
	sent := p.send(ctx, rows)
	p.sent = p.acknowledged(rows, spans, sent.done)
	return more || len(p.sent) > 0, p.park(&sent)
}

// head deletes what was sent and reads the first rows that are left, but for those that are parked.
func (p *pump) head(ctx context.Context, shards []int16) ([]db.Outbox, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	targets, lanes := p.parked.waiting(p.now())
	rows, err := p.store.OutboxNext(ctx, p.sent, db.OutboxHeadExceptParams{
		Shards: shards, Destination: p.destination, Targets: targets, Lanes: lanes, MaxRows: bus.BatchSize,
	})
	if err == nil {
		p.deleted.Add(int64(len(p.sent)))
		p.sent = nil
	}
	return rows, err
}

// park leaves what is stuck alone for a while. It returns an error when nothing can go on meanwhile.
func (p *pump) park(sent *result) error {
	now := p.now()
	for _, target := range sent.targets {
		p.parked.addTarget(target, now)
	}
	room := true
	for i := range sent.stuck {
		room = p.parked.addLane(&sent.stuck[i], now) && room
	}
	p.metrics.parked.WithLabelValues(p.destination).Set(float64(p.parked.size()))
	switch {
	case sent.away != nil:
		return sent.away
	case sent.cause != nil && !room:
		return sent.cause
	case sent.cause != nil:
		p.failed(sent.cause)
	}
	return nil
}

// fitting returns the first rows, at least one, that together stay below maxRoundBytes.
func fitting(rows []db.Outbox) []db.Outbox {
	size := 0
	for i := range rows {
		size += len(rows[i].Payload) + len(rows[i].Key) + len(rows[i].Subject)
		if size > maxRoundBytes && i > 0 {
			return rows[:i]
		}
	}
	return rows
}

// draw begins a span for each row that is part of a trace, and makes the row pass it on: what comes of the row is its child.
func (p *pump) draw(ctx context.Context, rows []db.Outbox) []trace.Span {
	tracer := otel.Tracer("github.com/yingda-dev/yingda/internal/outbox")
	spans := make([]trace.Span, len(rows))
	for i := range rows {
		if rows[i].Traceparent == "" {
			spans[i] = noop.Span{}
			continue
		}
		spanCtx, span := tracer.Start(traceOf(ctx, &rows[i]), "outbox "+p.destination, trace.WithSpanKind(trace.SpanKindProducer),
			trace.WithAttributes(attribute.String("yingda.event", rows[i].EventType)))
		carried := bus.WithTrace(spanCtx, message.Envelope{})
		rows[i].Traceparent, rows[i].Tracestate = carried.TraceParent, carried.TraceState
		spans[i] = span
	}
	return spans
}

// acknowledged counts what was sent, trusts its lanes and targets again, ends the span of each row, and returns those that
// are done with.
func (p *pump) acknowledged(rows []db.Outbox, spans []trace.Span, done []int64) (sent []db.Outbox) {
	now := p.now()
	finished := make(map[int64]bool, len(done))
	for _, id := range done {
		finished[id] = true
	}
	for i := range rows {
		row := &rows[i]
		if !finished[row.ID] {
			spans[i].SetStatus(codes.Error, "not taken, will be tried again")
			spans[i].End()
			continue
		}
		spans[i].End()
		p.parked.sent(row)
		p.metrics.sent.WithLabelValues(p.destination).Inc()
		p.metrics.latency.WithLabelValues(p.destination).Observe(now.Sub(row.CreatedAt).Seconds())
		sent = append(sent, *row)
	}
	return sent
}

// traceOf returns ctx with the trace of the row as the remote parent.
func traceOf(ctx context.Context, row *db.Outbox) context.Context {
	return otel.GetTextMapPropagator().Extract(ctx,
		propagation.MapCarrier{"traceparent": row.Traceparent, "tracestate": row.Tracestate})
}
