package bus

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/wait"
)

// Why records are buried, as metrics tell it.
const (
	reasonForeign = "not an envelope"
	reasonPoison  = "poison"
)

// lagEvery is how often the brokers are asked for the ends of a consumer's partitions.
const lagEvery = 5 * time.Second

// Metrics are those of the consumers of a process; a nil one counts nothing. Labels name our own topics, never keys.
type Metrics struct {
	deadLetters     *prometheus.CounterVec
	retries, panics *prometheus.CounterVec
	lag             *prometheus.GaugeVec
}

// NewMetrics registers the metrics.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	factory := promauto.With(registerer)
	return &Metrics{
		deadLetters: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "yingda_bus_dead_letters_total", Help: "Records that were moved to the dead-letter topic, by why: not an envelope, poison or panic.",
		}, []string{"topic", "reason"}),
		retries: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "yingda_bus_handler_retries_total", Help: "Batches that failed and are tried again, while their partition waits.",
		}, []string{"topic"}),
		panics: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "yingda_bus_handler_panics_total", Help: "Panics of the handler, some for each record that it panics of.",
		}, []string{"topic"}),
		lag: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "yingda_bus_consumer_lag_records", Help: "Records in the partitions of this replica that are not handled yet.",
		}, []string{"topic"}),
	}
}

func (m *Metrics) buried(topic, reason string) {
	if m != nil {
		m.deadLetters.WithLabelValues(topic, reason).Inc()
	}
}

func (m *Metrics) retried(topic string) {
	if m != nil {
		m.retries.WithLabelValues(topic).Inc()
	}
}

func (m *Metrics) panicked(topic string) {
	if m != nil {
		m.panics.WithLabelValues(topic).Inc()
	}
}

// watchLag keeps the lag of a generation's partitions until ctx ends. It asks the brokers for the ends: what the records
// themselves say of them grows old just when their handler is stuck.
func (m *Metrics) watchLag(ctx context.Context, topic *topicClient, assigned []kafka.PartitionAssignment, marks *marks) {
	if m == nil || len(assigned) == 0 {
		// A worker that stops ends its generation.
		<-ctx.Done()
		return
	}
	defer m.lag.DeleteLabelValues(topic.name)
	for {
		if bounds, err := topic.bounds(ctx, assigned); err == nil {
			lag := int64(0)
			for _, a := range assigned {
				b, known := bounds[a.ID]
				if position := max(marks.position(a.ID, a.Offset), b.start); known && position < b.end {
					lag += b.end - position
				}
			}
			m.lag.WithLabelValues(topic.name).Set(float64(lag))
		}
		if !wait.For(ctx, lagEvery) {
			return
		}
	}
}
