package desk

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/yingda-dev/yingda/internal/domain/task"
)

// Metrics are the desk's counters.
type Metrics struct {
	requests       *prometheus.CounterVec
	requestSeconds *prometheus.HistogramVec
	signIns        *prometheus.CounterVec
	sockets        prometheus.Gauge
	frames         *prometheus.CounterVec
	socketEnds     *prometheus.CounterVec
	lag            prometheus.Histogram
	callBacks      *prometheus.CounterVec
	orders         *prometheus.CounterVec
	replies, first promiseMetrics
}

// What came of asking the provider about an order.
const (
	orderFound   = "found"
	orderUnknown = "unknown"
	orderFailed  = "failed"
)

// promiseMetrics are of one promise to customers, by skill group.
type promiseMetrics struct {
	seconds *prometheus.HistogramVec
	total   *prometheus.CounterVec
}

// NewMetrics registers the desk's metrics.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	options := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "yingda", Subsystem: "desk", Name: name, Help: help}
	}
	histogram := func(name, help string) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{
			Namespace: "yingda", Subsystem: "desk", Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}
	}
	m := &Metrics{
		requests:       prometheus.NewCounterVec(prometheus.CounterOpts(options("requests_total", "Requests by route and status.")), []string{"route", "status"}),
		requestSeconds: prometheus.NewHistogramVec(histogram("request_seconds", "Time of a request by route; sockets are left out."), []string{"route"}),
		signIns:        prometheus.NewCounterVec(prometheus.CounterOpts(options("sign_ins_total", "Sessions opened and tokens refused.")), []string{"outcome"}),
		sockets:        prometheus.NewGauge(prometheus.GaugeOpts(options("sockets", "Sockets that are open."))),
		frames: prometheus.NewCounterVec(prometheus.CounterOpts(options("frames_sent_total",
			"Frames written to sockets: live came through Kafka, stored were read from Postgres.")), []string{"source"}),
		socketEnds: prometheus.NewCounterVec(prometheus.CounterOpts(options("socket_ends_total", "Sockets that ended, by why.")), []string{"reason"}),
		lag:        prometheus.NewHistogram(histogram("frame_lag_seconds", "Time from the transaction that made a frame to its writing to a socket; resumes are left out.")),
		callBacks: prometheus.NewCounterVec(prometheus.CounterOpts(options("call_backs_total",
			"Customers who were not content and were called back, by why they were not.")), []string{"reason"}),
		orders: prometheus.NewCounterVec(prometheus.CounterOpts(options("orders_looked_up_total",
			"Orders that the Brand's provider was asked about: found, unknown to it, or failed.")), []string{"outcome"}),
	}
	for _, outcome := range []string{orderFound, orderUnknown, orderFailed} {
		m.orders.WithLabelValues(outcome)
	}
	for _, code := range task.ReasonCodes() {
		m.callBacks.WithLabelValues(string(code))
	}
	promise := func(seconds prometheus.HistogramOpts, total prometheus.Opts) promiseMetrics {
		made := promiseMetrics{
			prometheus.NewHistogramVec(seconds, []string{"skill_group"}),
			prometheus.NewCounterVec(prometheus.CounterOpts(total), []string{"skill_group", "target"}),
		}
		registry.MustRegister(made.seconds, made.total)
		return made
	}
	replied := histogram("reply_seconds", "Time from a customer's message to the agent's answer while the group was open, from the assignment for what came before it.")
	replied.Buckets = []float64{5, 10, 15, 20, 30, 60, 120, 300, 600, 1800, 3600}
	m.replies = promise(replied, options("replies_total", "Answers of agents, by whether they came within the target of the ServiceLevel: met or missed."))
	responded := histogram("first_response_seconds", "Time from a conversation's first coming into a queue to the first words of a human, while the group was open.")
	responded.Buckets = []float64{15, 30, 60, 120, 180, 300, 600, 1200, 1800, 3600}
	m.first = promise(responded, options("first_responses_total", "First words of a human, by whether they came within the target of the ServiceLevel: met or missed."))
	registry.MustRegister(m.requests, m.requestSeconds, m.signIns, m.sockets, m.frames, m.socketEnds, m.lag, m.callBacks, m.orders)
	return m
}

// The sources of frames.
const (
	sourceLive   = "live"
	sourceStored = "stored"
)

func (m *Metrics) sent(source string, age time.Duration, resuming bool) { //nolint:revive // resuming says what the frame is, not what to do.
	m.frames.WithLabelValues(source).Inc()
	if !resuming {
		m.lag.Observe(age.Seconds())
	}
}

// acted counts why a customer was not content, of one who was called back.
func (m *Metrics) acted(request CaseActionRequest) {
	if request.Action == string(task.Done) && request.ReasonCode != "" {
		m.callBacks.WithLabelValues(string(request.ReasonCode)).Inc()
	}
}

// answered counts an answer that was given.
func (m *Metrics) answered(p pace) {
	m.first.add(p.group, p.first)
	m.replies.add(p.group, p.reply)
}

func (m promiseMetrics) add(group string, h *held) {
	if h == nil {
		return
	}
	target := "missed"
	if h.inTime {
		target = "met"
	}
	m.seconds.WithLabelValues(group).Observe(h.took.Seconds())
	m.total.WithLabelValues(group, target).Inc()
}
