package complaint

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/yingda-dev/yingda/workers/workflows/callees"
)

// Metrics count what complaints came to.
type Metrics struct {
	escalations *prometheus.CounterVec
}

// NewMetrics registers the metrics of complaints.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{escalations: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "yingda", Subsystem: "complaint", Name: "escalations_total",
		Help: "Rungs of complaint ladders that were climbed, by whom that reached: the role itself, other_role, group or nobody.",
	}, []string{"reached"})}
	registry.MustRegister(m.escalations)
	for _, reached := range callees.All() {
		m.escalations.WithLabelValues(reached)
	}
	return m
}
