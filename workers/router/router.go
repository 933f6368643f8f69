// Package router is the conversation engine: it takes in what customers do, finds the customer and the conversation,
// lets the bot answer or hand over, and gives waiting conversations to agents.
//
// One Postgres transaction takes in a batch; what must go out is in the outbox of the same transaction, and the Kafka
// offset is committed after it. So a message counts once, however often it arrives. The rules themselves are pure
// packages under internal/domain; this package only reads the state they need and writes what they decide.
package router

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// Config is what a Router works with.
type Config struct {
	Cluster  bus.Cluster
	Names    bus.Names
	Store    *store.Store
	Producer *bus.Producer
	// Catalog is followed by somebody else; Run needs its first snapshot.
	Catalog *catalog.Catalog
	// Relay is the outbox relay of this process, if it has one.
	Relay   store.Relay
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *Metrics
	// FormKey signs the links to customers' forms; without it the bot leads nobody there.
	FormKey formlink.Key
	// Webhook is what passes calls for help on.
	Webhook Webhook
	// BusMetrics are those of the consumer; nil counts nothing.
	BusMetrics *bus.Metrics
}

// Router is one replica of the conversation engine.
type Router struct {
	Config
	tracer trace.Tracer
	// groups holds the skill groups whose queues are to be looked at.
	groups groupSet
	// reading belongs to who looks at the departures of Channels that are being deleted, which are by name.
	reading    reading
	departures atomic.Pointer[map[string]departure]
	// standings is who waits, as it was seen last.
	standings atomic.Pointer[standings]
	// sorted is what a point of priority was worth when each group's queue was sorted last. It belongs to drainGroups.
	sorted map[string]time.Duration
	// objectives are what customers got of what ServiceLevels want, by name; nil until it was looked at.
	objectives atomic.Pointer[map[string]configz.Measured]
	// workloads are what the groups have to do, by name; nil until it was counted.
	workloads atomic.Pointer[map[string]configz.Workload]
	// emergencies are those that last, as they were seen last; bannered are the conversations whose customers were told of them.
	emergencies atomic.Pointer[[]db.Emergency]
	bannered    bannered
	// calls are what came of the groups' last calls for help, by name; nil until somebody looked. callsRead, when they were read,
	// belongs to watchCalls.
	calls     atomic.Pointer[map[string]configz.Call]
	callsRead time.Time
}

// New returns a Router; Run starts it.
func New(config Config) *Router {
	r := &Router{Config: config, tracer: otel.Tracer("yingda/router"), groups: newGroupSet(), sorted: map[string]time.Duration{}}
	r.departures.Store(&map[string]departure{})
	r.emergencies.Store(&[]db.Emergency{})
	r.reading = reading{now: config.Now}
	config.Catalog.Subscribe(r.configured)
	return r
}

// configured looks at every queue again: a new schedule, agent or capacity may let somebody in.
func (r *Router) configured(s *catalog.Snapshot) {
	for _, group := range s.Groups() {
		r.groups.add(queueChange{group: group.Name})
	}
}

// Run works until ctx ends.
func (r *Router) Run(ctx context.Context) error {
	consumer := bus.NewConsumer(bus.ConsumerConfig{
		Cluster: r.Cluster, Group: r.Names.RouterGroup(), Topic: r.Names.Inbound(), DeadLetter: r.Names.DeadLetter(),
		Producer: r.Producer, Handler: r.Handle, Logger: r.Logger, Metrics: r.BusMetrics,
	})
	inbound := bus.NewProgress(r.Cluster, r.Names.RouterGroup(), r.Names.Inbound(), r.Logger)
	defer inbound.Close()
	r.reading.progress = inbound
	r.awaitPartitions(ctx)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return consumer.Run(ctx) })
	group.Go(func() error { r.drainGroups(ctx); return nil })
	group.Go(func() error { r.tick(ctx); return nil })
	group.Go(func() error { r.watchDepartures(ctx); return nil })
	group.Go(func() error { r.watchWorkloads(ctx); return nil })
	group.Go(func() error { r.watchObjectives(ctx); return nil })
	group.Go(func() error { r.watchCalls(ctx); return nil })
	group.Go(func() error { r.watchEmergencies(ctx); return nil })
	if err := group.Wait(); err != nil {
		return fmt.Errorf("routing: %w", err)
	}
	return nil
}

// scope is the surroundings of a unit that starts now.
func (r *Router) scope() store.Scope {
	return store.Scope{
		Events: r.Names.Events(),
		Source: fmt.Sprintf("/%s/%s/router", r.Names.Namespace, r.Names.Brand),
		Now:    r.Now().UTC(),
		Relay:  r.Relay,
	}
}

// Handle takes in one batch of a partition, in order. It is a bus.Handler.
func (r *Router) Handle(ctx context.Context, _ int, batch []message.Envelope) error {
	err := r.takeIn(ctx, batch)
	if err == nil || !store.IsRefused(err) {
		return err
	}
	// Some message holds what the database refuses, whatever is tried. Find it, so that it stops only itself.
	for i := range batch {
		if err := r.takeIn(ctx, batch[i:i+1]); err != nil {
			if store.IsRefused(err) {
				return &bus.PoisonError{Index: i, Reason: "the database refuses its content"}
			}
			return err
		}
	}
	return nil
}

func (r *Router) takeIn(ctx context.Context, batch []message.Envelope) error {
	started := r.Now()
	snapshot := r.Catalog.Snapshot()
	payloads, err := decode(batch)
	if err != nil {
		return err
	}
	var touched []queueChange
	var spans spans
	var done tally
	defer func() { spans.end() }()
	err = r.Store.Do(ctx, r.scope(), func(ctx context.Context, u *store.Unit) error {
		spans.end() // The unit may run again.
		touched, done = touched[:0], tally{}
		intake, err := u.Intake(ctx, store.ConsumerRouter, payloads.inbound())
		if err != nil {
			return err
		}
		for i := range batch {
			takeCtx, span := r.tracer.Start(bus.TraceContext(ctx, batch[i]), "router "+string(batch[i].Type), //nolint:spancheck // spans.end ends it.
				trace.WithSpanKind(trace.SpanKindConsumer))
			spans = append(spans, span)
			group, err := r.take(takeCtx, u, intake, snapshot, &done, payloads[i])
			if err != nil {
				return err //nolint:spancheck // spans.end ends it.
			}
			if group != "" {
				touched = append(touched, queueChange{group, span.SpanContext()})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	spans.end()
	for _, change := range touched {
		r.groups.add(change)
	}
	r.bannered.add(done.bannered)
	r.Metrics.add(done)
	r.Metrics.batch(len(batch), r.Now().Sub(started))
	return nil
}

// spans are of messages whose transaction is under way: nothing has come of them before its commit.
type spans []trace.Span

func (s *spans) end() {
	for _, span := range *s {
		span.End()
	}
	*s = nil
}

// payload is what an envelope of the inbound topic carries: one of the two is set.
type payload struct {
	inbound  *message.Inbound
	delivery *message.Delivery
}

type payloads []payload

// inbound are the messages of customers among the payloads.
func (p payloads) inbound() []message.Inbound {
	var inbound []message.Inbound
	for _, one := range p {
		if one.inbound != nil {
			inbound = append(inbound, *one.inbound)
		}
	}
	return inbound
}

// decode reads a batch; what can never be read is a bus.PoisonError.
func decode(batch []message.Envelope) (payloads, error) {
	out := make(payloads, len(batch))
	for i, e := range batch {
		switch e.Type {
		case message.TypeInbound:
			in, err := message.Payload[message.Inbound](e, message.TypeInbound)
			if err != nil {
				return nil, &bus.PoisonError{Index: i, Reason: err.Error()}
			}
			out[i].inbound = &in
		case message.TypeDelivery:
			report, err := message.Payload[message.Delivery](e, message.TypeDelivery)
			if err != nil {
				return nil, &bus.PoisonError{Index: i, Reason: err.Error()}
			}
			out[i].delivery = &report
		default:
			return nil, &bus.PoisonError{Index: i, Reason: fmt.Sprintf("type %q is not for the router", e.Type)}
		}
	}
	return out, nil
}

// take takes in one payload; it returns the skill group whose queue changed.
func (r *Router) take(ctx context.Context, u *store.Unit, intake *store.Intake, snapshot *catalog.Snapshot, done *tally, p payload) (queued string, err error) {
	if p.delivery != nil {
		return "", r.delivered(ctx, u, snapshot, *p.delivery)
	}
	return r.inbound(ctx, u, intake, snapshot, done, *p.inbound)
}
