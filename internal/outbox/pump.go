package outbox

import (
	"context"
	"fmt"
	"log/slog"
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
)

// maxRoundBytes keeps a round within one batch a partition of the producer: batches that are split can fail apart, and
// the later half of a key would overtake the earlier.
const maxRoundBytes = 512 << 10

// sender hands rows to the other side and returns the ids of those that are done with, also beside an error. Of each key
// these are the first ones.
type sender func(ctx context.Context, rows []db.Outbox) (done []int64, err error)

// pump moves the rows of one destination.
type pump struct {
	destination string
	store       *store.Store
	send        sender
	logger      *slog.Logger
	metrics     *metrics
	now         func() time.Time
	wake        chan struct{}
}

func newPump(cfg Config, m *metrics, destination string, send sender) *pump {
	return &pump{
		destination: destination, store: cfg.Store, send: send, logger: cfg.Logger, metrics: m, now: cfg.Now,
		wake: make(chan struct{}, 1),
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
			p.metrics.failed.WithLabelValues(p.destination).Inc()
			p.logger.Warn("Relaying the outbox failed, trying again", "destination", p.destination, "error", err)
			if !pause(ctx, backoff) {
				return
			}
			backoff = min(2*backoff, backoffMax)
			continue
		}
		backoff = backoffMin
		if more {
			continue
		}
		select {
		case <-p.wake:
		case <-ctx.Done():
			return
		}
	}
}

// round sends what is first in the shards; more says that there may be more already.
func (p *pump) round(ctx context.Context, shards []int16) (more bool, err error) {
	if len(shards) == 0 {
		return false, nil
	}
	queryCtx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	found, err := p.store.Queries().OutboxHead(queryCtx, shards, p.destination, bus.BatchSize)
	if err != nil {
		return false, fmt.Errorf("reading the outbox: %w", err)
	}
	if len(found) == 0 {
		return false, nil
	}
	rows := fitting(found)
	spans := p.draw(ctx, rows)
	done, sendErr := p.send(ctx, rows)
	p.acknowledged(rows, spans, done)
	if len(done) > 0 {
		deleteCtx, cancel := context.WithTimeout(ctx, queryTimeout)
		defer cancel()
		if err := p.store.Queries().OutboxDelete(deleteCtx, done); err != nil {
			return false, fmt.Errorf("deleting what was sent: %w", err)
		}
	}
	return len(rows) < len(found) || len(found) == bus.BatchSize, sendErr
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

// acknowledged counts what was sent, and ends the span of each row.
func (p *pump) acknowledged(rows []db.Outbox, spans []trace.Span, done []int64) {
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
		p.metrics.sent.WithLabelValues(p.destination).Inc()
		p.metrics.latency.WithLabelValues(p.destination).Observe(now.Sub(row.CreatedAt).Seconds())
	}
}

// traceOf returns ctx with the trace of the row as the remote parent.
func traceOf(ctx context.Context, row *db.Outbox) context.Context {
	return otel.GetTextMapPropagator().Extract(ctx,
		propagation.MapCarrier{"traceparent": row.Traceparent, "tracestate": row.Tracestate})
}
