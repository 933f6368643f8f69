package outbox

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/wait"
)

const observeEvery = 10 * time.Second

// metrics of the relay. No label names a customer, a topic or a workflow.
type metrics struct {
	waiting, oldest, parked *prometheus.GaugeVec
	sent, failed, dropped   *prometheus.CounterVec
	latency                 *prometheus.HistogramVec
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	factory := promauto.With(registerer)
	destination := []string{"destination"}
	return &metrics{
		waiting: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "yingda_outbox_rows", Help: "Rows that wait in the brand's outbox, whichever replica owns them.",
		}, destination),
		oldest: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "yingda_outbox_oldest_seconds", Help: "Age of the oldest row in the brand's outbox, 0 without one.",
		}, destination),
		parked: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "yingda_outbox_parked", Help: "Keys, and whole topics, that failed and that this replica tries again after a pause.",
		}, destination),
		sent: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "yingda_outbox_sent_total", Help: "Rows that the other side has acknowledged, or was found never to accept.",
		}, destination),
		failed: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "yingda_outbox_failures_total", Help: "Rounds that failed and are tried again.",
		}, destination),
		dropped: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "yingda_outbox_dropped_total", Help: "Rows that were given up, by reason: ended (signal to an ended workflow) or invalid.",
		}, []string{"reason"}),
		latency: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name: "yingda_outbox_latency_seconds", Help: "Time from the writing of a row to its acknowledgement.",
			Buckets: []float64{.001, .002, .003, .004, .006, .008, .012, .02, .05, .1, .25, .5, 1, 5, 30},
		}, destination),
	}
}

// observe counts what waits until ctx ends.
func (r *Relay) observe(ctx context.Context) {
	for {
		queryCtx, cancel := context.WithTimeout(ctx, queryTimeout)
		depths, err := r.cfg.Store.Queries().OutboxDepth(queryCtx)
		cancel()
		if err == nil {
			now := r.cfg.Now()
			for _, destination := range []string{store.DestinationKafka, store.DestinationTemporal} {
				r.metrics.waiting.WithLabelValues(destination).Set(0)
				r.metrics.oldest.WithLabelValues(destination).Set(0)
			}
			for _, d := range depths {
				r.metrics.waiting.WithLabelValues(d.Destination).Set(float64(d.Rows))
				r.metrics.oldest.WithLabelValues(d.Destination).Set(now.Sub(d.Oldest).Seconds())
			}
		}
		if !wait.For(ctx, observeEvery) {
			return
		}
	}
}
