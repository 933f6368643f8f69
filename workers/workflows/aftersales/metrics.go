package aftersales

import (
	"github.com/prometheus/client_golang/prometheus"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/order"
	"github.com/yingda-dev/yingda/workers/workflows/deadline"
)

// Metrics count what cases came to.
type Metrics struct {
	deadlines *prometheus.CounterVec
	told      *prometheus.CounterVec
	calls     *prometheus.CounterVec
	disputes  prometheus.Counter
	ignored   prometheus.Counter
}

// How customers were told.
const (
	toldByText   = "text"
	toldByNotice = "notice"
	toldByMail   = "mail"
	toldNobody   = "nobody"
)

// What came of a call of the provider.
const (
	callDone    = "done"
	callPending = "pending"
	callRefused = "refused"
	callFailed  = "failed"
)

// NewMetrics registers the metrics of after-sales cases.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	options := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "yingda", Subsystem: "aftersales", Name: name, Help: help}
	}
	m := &Metrics{
		deadlines: prometheus.NewCounterVec(options("deadlines_total",
			"Deadlines of after-sales cases by what was done: remind before, breach, escalate after, overall for the case as a whole."), []string{"step"}),
		told: prometheus.NewCounterVec(options("customers_told_total",
			"Changes of after-sales cases by how the customer was told: text, notice (the platform's template), mail (was to be sent), or nobody could be told. What a platform or a server refuses afterwards is not in it: see yingda_mails_total and the history."), []string{"by"}),
		calls: prometheus.NewCounterVec(options("provider_calls_total",
			"Calls of the Brand's provider by operation and outcome: done, pending, refused or failed (tried again)."), []string{"operation", "outcome"}),
		disputes: prometheus.NewCounter(options("disputes_total", "Cases that were settled and with whose end the customer was not content.")),
		ignored:  prometheus.NewCounter(options("ignored_signals_total", "Signals that were wrong in the case's state and changed nothing.")),
	}
	registry.MustRegister(m.deadlines, m.told, m.calls, m.disputes, m.ignored)
	for _, step := range []deadline.Kind{deadline.Remind, deadline.Breach, deadline.Escalate, "overall"} {
		m.deadlines.WithLabelValues(string(step))
	}
	for _, by := range []string{toldByText, toldByNotice, toldByMail, toldNobody} {
		m.told.WithLabelValues(by)
	}
	operations := append(order.Operations(), rules.OperationRefund, rules.OperationShipment, rules.OperationClaim, rules.OperationFreight, rules.OperationReversal)
	for _, operation := range operations {
		for _, outcome := range []string{callDone, callPending, callRefused, callFailed} {
			m.calls.WithLabelValues(string(operation), outcome)
		}
	}
	return m
}
