// Package bus carries envelopes through Kafka: a producer that returns only when the brokers hold the message, a
// consumer that commits only what was handled, and the brand's topic names.
//
// It decides nothing about messages. Invariants: order within a key; an offset is committed after its handler
// succeeded (or its record went to the dead-letter topic), never before, and only by the generation of the consumer
// group that owns the partition; no error is taken for "not written".
package bus

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"github.com/yingda-dev/yingda/internal/message"
)

// Settings of every Writer and Reader of the product. kafka-go's default linger of one second would be the whole latency
// budget many times over; a Producer gathers what belongs together itself, so that its Writer waits for nothing.
const (
	BatchTimeout = time.Microsecond
	BatchSize    = 100
	writeTimeout = 5 * time.Second
	readTimeout  = 5 * time.Second

	writerDialTimeout = 2 * time.Second
)

// Producer writes envelopes with acks=all. It is safe for concurrent use; one a process is enough, and concurrent
// calls share batches.
type Producer struct {
	writer *kafka.Writer

	mu      sync.Mutex
	topics  map[string]*gatherer
	closing bool
}

// NewProducer connects lazily: a broker that is away is an error of Publish, not of NewProducer.
func NewProducer(cluster Cluster) *Producer {
	writer := NewWriter(cluster)
	writer.Completion = note
	return &Producer{writer: writer, topics: map[string]*gatherer{}}
}

// NewWriter returns the kafka-go Writer with the product's settings.
func NewWriter(cluster Cluster) *kafka.Writer {
	transport := cluster.transport(writerDialTimeout)
	// The default of 6 s would hold on to a dead broker's address for that long after a failover.
	transport.MetadataTTL = 2 * time.Second
	return &kafka.Writer{
		Addr:         kafka.TCP(cluster.Brokers...),
		Balancer:     &kafka.Hash{},
		RequiredAcks: kafka.RequireAll,
		BatchTimeout: BatchTimeout,
		BatchSize:    BatchSize,
		// Callers own retries: they know how long the other side waits. Two more attempts cover a leader that moves.
		MaxAttempts:     3,
		WriteBackoffMin: 20 * time.Millisecond,
		WriteBackoffMax: 200 * time.Millisecond,
		WriteTimeout:    writeTimeout,
		ReadTimeout:     readTimeout,
		Transport:       transport,
	}
}

// Publish returns nil when every in-sync replica holds all envelopes. On an error some of them may have been written,
// now or later: publish them again with the same IDs, receivers dedupe. A *PartialError says which, Taken asks it.
// Envelopes of one call that share a key keep their order. They are taken or refused together when there are at most
// BatchSize of them and nobody else writes to the topic through this producer: others' may fill their batch.
func (p *Producer) Publish(ctx context.Context, topic string, envelopes ...message.Envelope) error {
	if len(envelopes) == 0 {
		return nil
	}
	c := newCall(topic, envelopes)
	p.gatherer(topic).add(c) //nolint:contextcheck // What is written belongs to several callers and does not end with one.
	var err error
	select {
	case err = <-c.done:
	case <-ctx.Done():
		err = c.gaveUp(ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("publishing to %s: %w", topic, err)
	}
	return nil
}

// gatherer is where the calls of a topic come together.
func (p *Producer) gatherer(topic string) *gatherer {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.topics[topic]
	if g == nil {
		g = &gatherer{writer: p.writer, closed: p.closing}
		p.topics[topic] = g
	}
	return g
}

// Close flushes and releases the connections.
func (p *Producer) Close() error {
	p.mu.Lock()
	p.closing = true
	topics := slices.Collect(maps.Values(p.topics))
	p.mu.Unlock()
	// Before the writer: what begins to write while it closes would never end.
	for _, g := range topics {
		g.close()
	}
	err := p.writer.Close()
	// A Writer closes the transport that it made itself, and no other.
	if transport, ok := p.writer.Transport.(*kafka.Transport); ok {
		transport.CloseIdleConnections()
	}
	if err != nil {
		return fmt.Errorf("closing the producer: %w", err)
	}
	return nil
}

func record(topic string, e *message.Envelope) kafka.Message {
	headers := e.Headers()
	out := make([]kafka.Header, len(headers))
	for i, h := range headers {
		out[i] = kafka.Header{Key: h.Key, Value: []byte(h.Value)}
	}
	return kafka.Message{Topic: topic, Key: []byte(e.Key), Value: e.Data, Headers: out}
}

func envelope(m *kafka.Message) (message.Envelope, error) {
	headers := make([]message.Header, len(m.Headers))
	for i, h := range m.Headers {
		headers[i] = message.Header{Key: h.Key, Value: string(h.Value)}
	}
	return message.Decode(m.Key, m.Value, headers)
}

// WithTrace writes the trace of ctx into the envelope.
func WithTrace(ctx context.Context, e message.Envelope) message.Envelope {
	carrier := propagation.MapCarrier{}
	otel.GetTextMapPropagator().Inject(ctx, carrier)
	e.TraceParent, e.TraceState = carrier["traceparent"], carrier["tracestate"]
	return e
}

// TraceContext returns ctx with the trace of the envelope as the remote parent.
func TraceContext(ctx context.Context, e message.Envelope) context.Context {
	return otel.GetTextMapPropagator().Extract(ctx, propagation.MapCarrier{"traceparent": e.TraceParent, "tracestate": e.TraceState})
}
