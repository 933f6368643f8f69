package host

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The outcomes of a webhook call.
const (
	outcomeReceived = "received"
	outcomeRepeated = "repeated"
	outcomeVerified = "verified"
	outcomeRefused  = "refused"
	outcomeFailed   = "failed"
)

// metrics are the pool's. Labels name Channels of our own resources, never customers; reasons are fixed identifiers.
type metrics struct {
	webhooks   *prometheus.CounterVec
	atOnce     *prometheus.CounterVec
	ingest     *prometheus.HistogramVec
	spooled    prometheus.Counter
	unreadable prometheus.Counter
	spoolDepth prometheus.Gauge
	deliveries *prometheus.CounterVec
	typing     *prometheus.CounterVec
	calls      *prometheus.HistogramVec
	files      *prometheus.CounterVec
	channels   *prometheus.GaugeVec
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	const namespace, subsystem = "yingda", "connector"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: name, Help: help, Buckets: buckets,
		}, labels)
	}
	m := &metrics{
		webhooks: counter("webhook_requests_total", "Calls of webhooks by what became of them; reason says why one was refused or failed.", "channel", "outcome", "reason"),
		atOnce:   counter("replies_at_once_total", "Calls of webhooks whose answer could say something to the customer, by whether it did.", "channel", "outcome"),
		ingest: histogram("ingest_seconds", "Time until a message was durable, by where it was kept.",
			[]float64{.001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2, 4}, "kept"),
		spooled: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "spooled_total", Help: "Messages that went to the spool because Kafka did not take them.",
		}),
		unreadable: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "spool_unreadable_total", Help: "Rows of the spool that are no envelopes and were set aside.",
		}),
		spoolDepth: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "spool_rows", Help: "Messages in the spool, as the replica that drains it sees them; 0 on the others.",
		}),
		deliveries: counter("deliveries_total", "Changes of the state of outbound messages.", "channel", "state", "reason"),
		typing:     counter("typing_total", "Typing indicators by what became of them.", "outcome"),
		calls: histogram("api_call_seconds", "Time of calls of the platform's API, by how they ended.",
			[]float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60}, "call", "outcome"),
		files:    counter("files_total", "Customers' files by what became of them.", "outcome"),
		channels: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Subsystem: subsystem, Name: "channels", Help: "Channels by what the platform says of their credentials."}, []string{"credentials"}),
	}
	registerer.MustRegister(m.webhooks, m.atOnce, m.ingest, m.spooled, m.unreadable, m.spoolDepth, m.deliveries, m.typing, m.calls, m.files, m.channels)
	return m
}

func (m *metrics) observeCall(call, outcome string, took time.Duration) {
	m.calls.WithLabelValues(call, outcome).Observe(took.Seconds())
}
