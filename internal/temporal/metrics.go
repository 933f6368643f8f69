package temporal

import (
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// metricLabels are the SDK's tags that are kept. All have few values; what a metric has not is empty. Left out are those
// that are the same in the whole process, and those that name something of a single workflow.
func metricLabels() []string {
	return []string{
		"operation", "workflow_type", "activity_type", "worker_type", "poller_type", "status_code", "failure_reason", "cause",
	}
}

// metricsHandler passes the SDK's metrics on to Prometheus under the SDK's names, with the units at their ends.
type metricsHandler struct {
	families *families
	labels   prometheus.Labels
}

var _ client.MetricsHandler = metricsHandler{}

// newMetricsHandler returns a handler that registers each metric when it is first told.
func newMetricsHandler(registerer prometheus.Registerer) client.MetricsHandler {
	if registerer == nil {
		return client.MetricsNopHandler
	}
	none := prometheus.Labels{}
	for _, name := range metricLabels() {
		none[name] = ""
	}
	return metricsHandler{&families{registerer: registerer, byName: map[string]prometheus.Collector{}}, none}
}

// WithTags implements client.MetricsHandler.
func (h metricsHandler) WithTags(tags map[string]string) client.MetricsHandler {
	labels := prometheus.Labels{}
	for name, value := range h.labels {
		labels[name] = value
		if tag, told := tags[name]; told {
			labels[name] = tag
		}
	}
	return metricsHandler{h.families, labels}
}

// Counter implements client.MetricsHandler.
func (h metricsHandler) Counter(name string) client.MetricsCounter {
	vec := family(h.families, name+"_total", func(name string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, metricLabels())
	})
	return counter{vec.With(h.labels)}
}

// Gauge implements client.MetricsHandler.
func (h metricsHandler) Gauge(name string) client.MetricsGauge {
	vec := family(h.families, name, func(name string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, metricLabels())
	})
	return gauge{vec.With(h.labels)}
}

// Timer implements client.MetricsHandler.
func (h metricsHandler) Timer(name string) client.MetricsTimer {
	vec := family(h.families, name+"_seconds", func(name string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 5, 30, 120},
		}, metricLabels())
	})
	return timer{vec.With(h.labels)}
}

const help = "As the Temporal SDK documents it."

type (
	counter struct{ prometheus.Counter }
	gauge   struct{ prometheus.Gauge }
	timer   struct{ prometheus.Observer }
)

func (c counter) Inc(n int64)             { c.Add(float64(n)) }
func (g gauge) Update(value float64)      { g.Set(value) }
func (t timer) Record(took time.Duration) { t.Observe(took.Seconds()) }

// families are the metrics that were told until now.
type families struct {
	registerer prometheus.Registerer

	mu     sync.Mutex
	byName map[string]prometheus.Collector
}

// family returns the metric of that name, which is made when it is first asked for, also by another client of the process.
func family[C prometheus.Collector](f *families, name string, newFamily func(name string) C) C {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, ok := f.byName[name].(C); ok {
		return known
	}
	made := newFamily(name)
	if twice, ok := errors.AsType[prometheus.AlreadyRegisteredError](f.registerer.Register(made)); ok {
		if existing, ok := twice.ExistingCollector.(C); ok {
			made = existing
		}
	}
	f.byName[name] = made
	return made
}
