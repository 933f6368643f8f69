package bus_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// observed consumes with metrics and a log that can be read once it has stopped.
func (w *world) observed(handler bus.Handler) (registry *prometheus.Registry, log *bytes.Buffer, stop func()) {
	w.t.Helper()
	registry, log = prometheus.NewRegistry(), &bytes.Buffer{}
	consumer := bus.NewConsumer(bus.ConsumerConfig{
		Cluster: w.cluster, Group: w.group, Topic: w.topic, DeadLetter: w.dead, Producer: w.producer,
		Handler: handler, Logger: slog.New(slog.NewJSONHandler(log, nil)), Metrics: bus.NewMetrics(registry),
	})
	return registry, log, w.run(consumer.Run)
}

// values are the registry's metrics by name, and by the labels other than the topic.
func values(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := []string{strings.TrimPrefix(family.GetName(), "yingda_bus_")}
			for _, label := range m.GetLabel() {
				if label.GetName() != "topic" {
					name = append(name, label.GetValue())
				}
			}
			got[strings.Join(name, " ")] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return got
}

func TestEnvelopeThatTheHandlerPanicsOfGoesToTheDeadLettersAlone(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 1)
	keys := customers(9)
	w.publishNumbers(keys, 1, 4)
	bad := numbered(t, keys[4], 5)
	bad.Data = []byte(`"openid-of-somebody"`)
	w.publish(numbered(t, keys[3], 5), bad, numbered(t, keys[4], 5), numbered(t, keys[5], 5))

	l := newLedger()
	registry, log, stop := w.observed(func(ctx context.Context, partition int, batch []message.Envelope) error {
		for _, e := range batch {
			if string(e.Data) == string(bad.Data) {
				panic(errors.New(string(e.Data)))
			}
		}
		return l.handle(ctx, partition, batch)
	})
	l.await(t, keys, 4)
	l.await(t, keys[3:6], 5)
	dead := w.deadLetters(1)[0]
	got := []string{string(dead.Key), string(dead.Value), header(dead, "ce_id"), header(dead, "yingda-reason")}
	if diff := cmp.Diff([]string{keys[4], string(bad.Data), bad.ID, "panic"}, got); diff != "" {
		t.Errorf("dead letter (-want +got):\n%s", diff)
	}
	stop()
	if got := values(t, registry); got["dead_letters_total panic"] != 1 || got["handler_panics_total"] < 1 {
		t.Errorf("metrics are %v, want one dead letter because of a panic", got)
	}
	if !strings.Contains(log.String(), "handle_test.go") || strings.Contains(log.String(), "openid-of-somebody") {
		t.Errorf("the log does not say where the handler panicked, or says what of:\n%s", log)
	}
}

func TestMetricsTellWhatWaitsAndWhatIsTriedAgain(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 2)
	keys := customers(10)
	w.publishNumbers(keys, 1, 3)
	var healed atomic.Bool
	var once sync.Once
	seen := make(chan struct{})
	l := newLedger()
	registry, _, _ := w.observed(func(ctx context.Context, partition int, batch []message.Envelope) error {
		once.Do(func() { close(seen) })
		if !healed.Load() {
			return errors.New("the database is away")
		}
		return l.handle(ctx, partition, batch)
	})
	<-seen
	eventually(t, func() bool {
		got := values(t, registry)
		return got["consumer_lag_records"] == 30 && got["handler_retries_total"] > 1
	})
	healed.Store(true)
	l.await(t, keys, 3)
	eventually(t, func() bool {
		lag, told := values(t, registry)["consumer_lag_records"]
		return told && lag == 0
	})
}
