package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// drainPatience only bounds a failing test.
const drainPatience = 20 * time.Second

var errNoLeader = errors.New("no leader")

// lamePublisher refuses the keys that begin with lost until it is healed.
type lamePublisher struct {
	healed chan struct{}
	mu     sync.Mutex
	byKey  map[string][]string
}

func (p *lamePublisher) Publish(_ context.Context, _ string, envelopes ...message.Envelope) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	failed := map[int]error{}
	for i := range envelopes {
		select {
		case <-p.healed:
		default:
			if strings.HasPrefix(envelopes[i].Key, "lost") {
				failed[i] = errNoLeader
				continue
			}
		}
		p.byKey[envelopes[i].Key] = append(p.byKey[envelopes[i].Key], envelopes[i].ID)
	}
	if len(failed) > 0 {
		return fmt.Errorf("publishing: %w", &bus.PartialError{Failed: failed})
	}
	return nil
}

func (p *lamePublisher) ids(key string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.byKey[key])
}

func migrateForConnectors(ctx context.Context, url string) error {
	return store.Migrate(ctx, url, testenv.ConnectorRole)
}

func spoolOf(t *testing.T) *store.Store {
	t.Helper()
	// As a connector: it may do less to the spool than the owner.
	s, err := store.OpenLazily(t.Context(), testenv.ConnectorURL(t, testenv.Database(t, migrateForConnectors)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func spooledEnvelope(t *testing.T, key string, n int) message.Envelope {
	t.Helper()
	e, err := message.New(fmt.Sprintf("%s/%d", key, n), message.TypeInbound, "/shop/lumi/connector", "shop", key, time.Now(), n)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func eventuallyDrained(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(drainPatience)
	defer deadline.Stop()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("waited %s for: %s", drainPatience, what)
		}
	}
}

// counted is the value of a counter without labels.
func counted(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return 0
}

func TestSpoolGoesRoundWhatKafkaDoesNotTakeAndWhatNobodyCanRead(t *testing.T) {
	t.Parallel()
	const pool, keys = "pool", 2 * drainBatch
	s := spoolOf(t)
	if _, err := s.Pool().Exec(t.Context(), `INSERT INTO spool (pool, envelope, created_at) VALUES ('pool', '{"id": 7}', now()), ('pool', '[]', now())`); err != nil {
		t.Fatal(err)
	}
	var envelopes []message.Envelope
	for n := range 2 * keys {
		envelopes = append(envelopes, spooledEnvelope(t, fmt.Sprintf("lost%d", n%keys), n))
	}
	envelopes = append(envelopes, spooledEnvelope(t, "well", 1), spooledEnvelope(t, "well", 2))
	if err := s.Spool(t.Context(), pool, envelopes, time.Now()); err != nil {
		t.Fatal(err)
	}
	publisher := &lamePublisher{healed: make(chan struct{}), byKey: map[string][]string{}}
	registry := prometheus.NewRegistry()
	m := newMetrics(registry)
	d := newDrain(pool, "inbound", publisher, s, make(chan struct{}), time.Now, m, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { d.run(ctx) })
	defer func() { cancel(); running.Wait() }()

	depth := func(pool string) int64 {
		row, err := s.Queries().SpoolDepth(t.Context(), pool)
		if err != nil {
			t.Fatal(err)
		}
		return row.Rows
	}
	eventuallyDrained(t, "the others to be published", func() bool { return depth(pool) == 2*keys })
	if diff := cmp.Diff([]string{"well/1", "well/2"}, publisher.ids("well")); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
	if got := depth("pool/unreadable"); got != 2 || counted(t, registry, "yingda_connector_spool_unreadable_total") != 2 {
		t.Errorf("%d rows are set aside, %v counted, want 2", got, counted(t, registry, "yingda_connector_spool_unreadable_total"))
	}
	close(publisher.healed)
	eventuallyDrained(t, "the rest to be published", func() bool { return depth(pool) == 0 })
	for key := range keys {
		want := []string{fmt.Sprintf("lost%d/%d", key, key), fmt.Sprintf("lost%d/%d", key, key+keys)}
		if diff := cmp.Diff(want, publisher.ids(fmt.Sprintf("lost%d", key))); diff != "" {
			t.Fatalf("order of a key (-want +got):\n%s", diff)
		}
	}
}

// spoolRecorder is a spool that takes everything.
type spoolRecorder struct{ ids []string }

func (s *spoolRecorder) Spool(_ context.Context, _ string, envelopes []message.Envelope, _ time.Time) error {
	for _, e := range envelopes {
		s.ids = append(s.ids, e.ID)
	}
	return nil
}

func TestOnlyTheMessagesOfALostPartitionAreSpooled(t *testing.T) {
	t.Parallel()
	spool := &spoolRecorder{}
	in := &ingest{
		pool: "pool", producer: &lamePublisher{healed: make(chan struct{}), byKey: map[string][]string{}}, spool: spool, clock: time.Now,
		logger: slog.New(slog.DiscardHandler), metrics: newMetrics(prometheus.NewRegistry()), spooled: make(chan struct{}, 1),
	}
	for n, want := range []string{"spool", "kafka"} {
		envelopes := []message.Envelope{spooledEnvelope(t, "well", n)}
		if want == "spool" {
			envelopes = append(envelopes, spooledEnvelope(t, "lost", n))
		}
		kept, err := in.store(t.Context(), envelopes)
		if kept != want || err != nil {
			t.Errorf("kept in %q, %v, want %q: the breaker keeps others from Kafka", kept, err, want)
		}
	}
	if diff := cmp.Diff([]string{"lost/0"}, spool.ids); diff != "" {
		t.Errorf("spooled (-want +got):\n%s", diff)
	}
}
