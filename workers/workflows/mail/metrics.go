package mail

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/yingda-dev/yingda/internal/mailer"
)

// Metrics count what the mail server made of mails.
type Metrics struct{ mails *prometheus.CounterVec }

// NewMetrics registers the metrics of mails.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{mails: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "yingda", Name: "mails_total",
		Help: "Tries to hand a mail to the Brand's mail server by outcome: taken, refused for good; deferred, unreachable, untrusted, notSignedIn and noCredentials are tried again.",
	}, []string{"outcome"})}
	registry.MustRegister(m.mails)
	for _, outcome := range mailer.Outcomes() {
		m.mails.WithLabelValues(string(outcome))
	}
	return m
}
