package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
)

const (
	// kafkaDeadline and spoolDeadline together stay well below the 5 s that WeChat waits.
	kafkaDeadline = 1500 * time.Millisecond
	spoolDeadline = 1500 * time.Millisecond
	// breakerPause is how long Kafka is left alone after a failure: kafka-go queues what it cannot write, and every call that
	// waits for it costs a platform's patience.
	breakerPause = time.Second
	recentKept   = 8192
)

// publisher is what of bus.Producer is used here.
type publisher interface {
	Publish(ctx context.Context, topic string, envelopes ...message.Envelope) error
}

// spooler is what of store.Store is used here.
type spooler interface {
	Spool(ctx context.Context, pool string, envelopes []message.Envelope, now time.Time) error
}

// ingest makes messages durable: in Kafka, or while it is away in the spool.
type ingest struct {
	names    bus.Names
	pool     string
	source   string
	producer publisher
	spool    spooler
	clock    func() time.Time
	logger   *slog.Logger
	metrics  *metrics
	breaker  breaker
	recent   recent
	// spooled wakes the drain.
	spooled chan struct{}
}

// repeated says whether the message is durable already: the platform repeats what it was not answered in time. Others of
// its repetitions may meet other replicas, so the router dedupes too.
func (i *ingest) repeated(in message.Inbound) bool { return i.recent.has(recentKey(in)) }

func recentKey(in message.Inbound) string { return in.Channel + "\x00" + in.MessageID }

// keep makes messages durable or returns an error. It does not end with the call that brought them: a platform that hangs
// up gets its message kept all the same.
func (i *ingest) keep(ctx context.Context, messages []message.Inbound) error {
	begin := i.clock()
	ctx, span := tracer().Start(ctx, "keep message", trace.WithSpanKind(trace.SpanKindProducer))
	defer span.End()
	envelopes := make([]message.Envelope, len(messages))
	for n, in := range messages {
		// Every delivery of a message by the platform becomes the same event.
		id := connectors.StableID(i.names.Namespace, i.names.Brand, in.Channel, in.MessageID).String()
		e, err := message.New(id, message.TypeInbound, i.source, in.Channel, message.CustomerKey(in.Channel, in.Customer), in.ReceivedAt, in)
		if err != nil {
			return fmt.Errorf("making an envelope: %w", err)
		}
		envelopes[n] = bus.WithTrace(ctx, e)
	}
	kept, err := i.store(context.WithoutCancel(ctx), envelopes)
	if err != nil {
		span.SetStatus(codes.Error, reasonNotDurable)
		return err
	}
	span.SetAttributes(attribute.String("yingda.kept", kept))
	for _, in := range messages {
		i.recent.add(recentKey(in))
	}
	i.metrics.ingest.WithLabelValues(kept).Observe(i.clock().Sub(begin).Seconds())
	return nil
}

func (i *ingest) store(ctx context.Context, envelopes []message.Envelope) (kept string, err error) {
	kafkaErr := errBreakerOpen
	if i.breaker.try(i.clock()) {
		kafkaErr = i.publish(ctx, envelopes)
		switch i.breaker.done(unconfined(kafkaErr), i.clock()) {
		case breakerOpened:
			i.logger.WarnContext(ctx, "Kafka does not take messages, they go to the spool", "error", kafkaErr)
		case breakerClosed:
			i.logger.InfoContext(ctx, "Kafka takes messages again")
		case breakerSame:
		}
	}
	var refused []message.Envelope
	for n := range envelopes {
		if !bus.Taken(kafkaErr, n) {
			refused = append(refused, envelopes[n])
		}
	}
	if len(refused) == 0 {
		return "kafka", nil
	}
	spoolCtx, cancel := context.WithTimeout(ctx, spoolDeadline)
	defer cancel()
	if err := i.spool.Spool(spoolCtx, i.pool, refused, i.clock()); err != nil {
		return "", fmt.Errorf("keeping a message: %w", errors.Join(kafkaErr, err))
	}
	i.metrics.spooled.Add(float64(len(refused)))
	select {
	case i.spooled <- struct{}{}:
	default:
	}
	return "spool", nil
}

// unconfined returns err unless it is some partition's alone: Kafka answers then, and quickly, so others need not keep away.
func unconfined(err error) error {
	if _, ok := errors.AsType[*bus.PartialError](err); ok {
		return nil
	}
	return err
}

func (i *ingest) publish(ctx context.Context, envelopes []message.Envelope) error {
	ctx, cancel := context.WithTimeout(ctx, kafkaDeadline)
	defer cancel()
	return i.producer.Publish(ctx, i.names.Inbound(), envelopes...)
}

var errBreakerOpen = errors.New("kafka failed a moment ago")

// breaker keeps callers away from Kafka for a while after a failure, then lets one through to try.
type breaker struct {
	mu      sync.Mutex
	open    bool
	until   time.Time
	probing bool
}

// try says whether the caller may try; it must tell how it went by done.
func (b *breaker) try(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.open:
		return true
	case b.probing || now.Before(b.until):
		return false
	default:
		b.probing = true
		return true
	}
}

// breakerChange is what a try did to a breaker.
type breakerChange int

const (
	breakerSame breakerChange = iota
	breakerOpened
	breakerClosed
)

// done takes the result of a try.
func (b *breaker) done(err error, now time.Time) breakerChange {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.open
	b.probing = false
	if err == nil {
		b.open = false
		if was {
			return breakerClosed
		}
		return breakerSame
	}
	b.open, b.until = true, now.Add(breakerPause)
	if !was {
		return breakerOpened
	}
	return breakerSame
}

// recent remembers keys of messages that are durable: between one and two times recentKept of them.
type recent struct {
	mu        sync.Mutex
	new, last map[string]struct{}
}

func (r *recent) has(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, isNew := r.new[key]
	_, isLast := r.last[key]
	return isNew || isLast
}

func (r *recent) add(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.new == nil || len(r.new) >= recentKept {
		r.new, r.last = make(map[string]struct{}, recentKept), r.new
	}
	r.new[key] = struct{}{}
}
