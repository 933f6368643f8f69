package outbox_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// timed tells when each envelope was acknowledged.
type timed struct {
	*bus.Producer
	mu    sync.Mutex
	acked map[string]time.Time
}

func (p *timed) Publish(ctx context.Context, topic string, envelopes ...message.Envelope) error {
	err := p.Producer.Publish(ctx, topic, envelopes...)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range envelopes {
		p.acked[envelopes[i].ID] = time.Now()
	}
	return err
}

func (p *timed) at(id string) (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.acked[id]
	return at, ok
}

// TestWhatIsCommittedReachesARealBroker prints the time from commit to acknowledgement; it judges only that all arrive.
func TestWhatIsCommittedReachesARealBroker(t *testing.T) {
	const rounds = 200
	s := openStore(t)
	topic := testenv.Unique("events")
	if err := bus.EnsureTopics(t.Context(), bus.Cluster{Brokers: []string{testenv.Kafka(t)}}, []string{topic}, bus.Topology{Partitions: 4, ReplicationFactor: 1, Retention: time.Hour}); err != nil {
		t.Fatal(err)
	}
	producer := &timed{Producer: bus.NewProducer(bus.Cluster{Brokers: []string{testenv.Kafka(t)}}), acked: map[string]time.Time{}}
	t.Cleanup(func() {
		if err := producer.Close(); err != nil {
			t.Error(err)
		}
	})
	relay, _ := startRelay(t, s, producer, &service{})
	for name, wake := range map[string]func(string){"by notification": func(string) {}, "by Wake": relay.Wake} {
		latencies := make([]time.Duration, 0, rounds)
		for range rounds {
			id := testenv.Unique("id")
			write(t, s, func(ctx context.Context, u *store.Unit) error {
				e, err := message.New(id, message.TypeFrame, u.Source, "a", "a", u.Now, 1)
				u.Publish(ctx, topic, e)
				return err
			})
			committed := time.Now()
			wake(store.DestinationKafka)
			waitUntil(t, "the acknowledgement", func() bool { _, ok := producer.at(id); return ok })
			at, _ := producer.at(id)
			latencies = append(latencies, at.Sub(committed))
		}
		slices.Sort(latencies)
		t.Logf("commit to acknowledgement %s: p50 %s, p99 %s", name, latencies[rounds/2], latencies[rounds*99/100])
	}
	waitEmpty(t, s)
}
