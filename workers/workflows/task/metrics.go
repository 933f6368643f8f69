package task

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/workers/workflows/callees"
)

// Metrics count what was not kept in time.
type Metrics struct {
	late, calls *prometheus.CounterVec
}

// NewMetrics registers the metrics of tasks.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		late: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "yingda", Subsystem: "task", Name: "late_total",
			Help: "Deadlines of what was owed to customers that were missed, by what it was: promise, offHours, callBack or shipping.",
		}, []string{"kind"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "yingda", Subsystem: "task", Name: "calls_total",
			Help: "Rungs that were climbed for what was late, by whom that reached: the role itself, other_role, group or nobody.",
		}, []string{"reached"}),
	}
	registry.MustRegister(m.late, m.calls)
	for _, kind := range []promise.CaseKind{promise.CasePromise, promise.CaseOffHours, promise.CaseCallBack, promise.CaseShipping} {
		m.late.WithLabelValues(string(kind))
	}
	for _, reached := range callees.All() {
		m.calls.WithLabelValues(reached)
	}
	return m
}
