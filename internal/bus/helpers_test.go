package bus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"go.uber.org/goleak"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/testenv"
)

const (
	patience = 40 * time.Second
	step     = 10 * time.Millisecond
	// stopTime is how long a consumer may take to stop: pods are given not much more.
	stopTime = 5 * time.Second

	testType message.Type = "dev.yingda.test.v1"
)

// world is a broker with one brand's topics.
type world struct {
	t        *testing.T
	broker   string
	cluster  bus.Cluster
	topic    string
	dead     string
	group    string
	producer *bus.Producer
}

// newWorld makes a topic of that many partitions, the dead letters' of one, and checks at the end that no goroutine is left.
func newWorld(t *testing.T, broker string, partitions int) *world {
	t.Helper()
	w := newWorldWithoutTopics(t, broker)
	w.makeTopics(partitions)
	return w
}

func newWorldWithoutTopics(t *testing.T, broker string) *world {
	t.Helper()
	cluster := bus.Cluster{Brokers: []string{broker}}
	others := goleak.IgnoreCurrent()
	// A broker that was restarted has a new goroutine that waits for its end.
	server := goleak.IgnoreAnyFunction("github.com/yingda-dev/yingda/internal/testenv.(*process).follow.func1")
	t.Cleanup(func() { goleak.VerifyNone(t, others, server) })
	names := bus.Names{Prefix: "yingda", Namespace: testenv.Unique("ns"), Brand: "lumi"}
	w := &world{
		t: t, broker: broker, cluster: cluster, topic: names.Inbound(), dead: names.DeadLetter(), group: names.RouterGroup(),
		producer: bus.NewProducer(cluster),
	}
	t.Cleanup(func() {
		if err := w.producer.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) makeTopics(partitions int) {
	w.t.Helper()
	for topic, partitions := range map[string]int{w.topic: partitions, w.dead: 1} {
		topology := bus.Topology{Partitions: partitions, ReplicationFactor: 1, Retention: time.Hour}
		if err := bus.EnsureTopics(w.t.Context(), w.cluster, []string{topic}, topology); err != nil {
			w.t.Fatal(err)
		}
	}
}

// client asks the broker what tests want to know.
func (w *world) client() *kafka.Client {
	transport := &kafka.Transport{}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &kafka.Client{Addr: kafka.TCP(w.broker), Timeout: patience, Transport: transport}
}

// numbered is the seq-th envelope of a key.
func numbered(t *testing.T, key string, seq int) message.Envelope {
	t.Helper()
	e, err := message.New(fmt.Sprintf("%s#%d", key, seq), testType, "/lumi/lumi/test", "shop", key, time.Unix(1700000000, 0), seq)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// publish writes envelopes until the broker has them, as the outbox does.
func (w *world) publish(envelopes ...message.Envelope) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	for {
		err := w.producer.Publish(ctx, w.topic, envelopes...)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			w.t.Fatal(err)
		}
	}
}

// publishNumbers writes the envelopes from..to of each key.
func (w *world) publishNumbers(keys []string, from, to int) {
	w.t.Helper()
	for seq := from; seq <= to; seq++ {
		var envelopes []message.Envelope
		for _, key := range keys {
			envelopes = append(envelopes, numbered(w.t, key, seq))
		}
		w.publish(envelopes...)
	}
}

func customers(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = message.CustomerKey("shop", strconv.Itoa(i))
	}
	return keys
}

// consume runs a consumer until stop is called, at the latest by the test's end.
func (w *world) consume(handler bus.Handler) (stop func()) {
	w.t.Helper()
	consumer := bus.NewConsumer(bus.ConsumerConfig{
		Cluster: w.cluster, Group: w.group, Topic: w.topic, DeadLetter: w.dead,
		Producer: w.producer, Handler: handler, Logger: slog.New(slog.DiscardHandler),
	})
	return w.run(consumer.Run)
}

// run runs something that must end soon after it is told to.
func (w *world) run(f func(context.Context) error) (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				w.t.Error(err)
			}
		case <-time.After(stopTime):
			w.t.Errorf("it did not end within %s", stopTime)
			// It is too late, but the test must not go on beside it.
			if err := <-ended; err != nil {
				w.t.Error(err)
			}
		}
	})
	w.t.Cleanup(stop)
	return stop
}

// committed are the group's committed offsets by partition.
func committed(t *testing.T, client *kafka.Client, group, topic string, partitions int) map[int]int64 {
	t.Helper()
	request := &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: {}}}
	for p := range partitions {
		request.Topics[topic] = append(request.Topics[topic], p)
	}
	answer, err := client.OffsetFetch(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	offsets := map[int]int64{}
	for _, p := range answer.Topics[topic] {
		offsets[p.Partition] = p.CommittedOffset
	}
	return offsets
}

// deadLetters reads that many records of the dead-letter topic, which has one partition.
func (w *world) deadLetters(count int) []kafka.Message {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	reader := kafka.NewReader(bus.ReaderConfig(w.cluster, w.dead, 0))
	defer reader.Close()
	var records []kafka.Message
	for len(records) < count {
		m, err := reader.FetchMessage(ctx)
		if err != nil {
			w.t.Fatal(err)
		}
		records = append(records, m)
	}
	return records
}

func header(m kafka.Message, key string) string {
	for _, h := range m.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// ledger writes down what was handled, and that no number of a key was handled before its predecessor.
type ledger struct {
	mu      sync.Mutex
	last    map[string]int
	skipped []string
	calls   int
}

func newLedger() *ledger { return &ledger{last: map[string]int{}} }

func (l *ledger) handle(_ context.Context, _ int, batch []message.Envelope) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	for _, e := range batch {
		l.note(e)
	}
	return nil
}

func (l *ledger) note(e message.Envelope) {
	var seq int
	if err := json.Unmarshal(e.Data, &seq); err != nil || seq > l.last[e.Key]+1 {
		l.skipped = append(l.skipped, fmt.Sprintf("%s after %d", e.ID, l.last[e.Key]))
	}
	l.last[e.Key] = max(l.last[e.Key], seq)
}

// seen are the highest numbers by key.
func (l *ledger) seen() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.last)
}

// await waits until every key was handled up to the number, and checks that nothing was skipped.
func (l *ledger) await(t *testing.T, keys []string, number int) {
	t.Helper()
	eventually(t, func() bool {
		seen := l.seen()
		for _, key := range keys {
			if seen[key] < number {
				return false
			}
		}
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.skipped) > 0 {
		t.Errorf("handled out of order: %v", l.skipped)
	}
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatal("it did not come true in time")
		}
	}
}
