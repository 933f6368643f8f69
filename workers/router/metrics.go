package router

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/bot"
)

// Metrics are the router's counters.
type Metrics struct {
	messages, duplicates, opened, botAnswers, faqAnswers, progress, assigned, complaints prometheus.Counter
	batchSize, batchSeconds                                                              prometheus.Histogram
	banners, bursts                                                                      prometheus.Counter
	emergencies                                                                          *prometheus.GaugeVec
	stranded                                                                             prometheus.Gauge
	waiting, oldest                                                                      *prometheus.GaugeVec
	overflowed, reminders, ratings, webhooks                                             *prometheus.CounterVec
	objectives                                                                           *prometheus.GaugeVec
	// attaining are the ratios that objectives shows; one goroutine's.
	attaining map[[2]string]float64
}

// NewMetrics registers the router's metrics.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "yingda", Subsystem: "router", Name: name, Help: help})
		registry.MustRegister(c)
		return c
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "yingda", Subsystem: "router", Name: name, Help: help, Buckets: buckets})
		registry.MustRegister(h)
		return h
	}
	stranded := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "yingda", Subsystem: "router", Name: "stranded_conversations",
		Help: "Conversations of the brand that wait in no skill group, or in one that is gone. Every replica says the same.",
	})
	waiting := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "yingda", Subsystem: "router", Name: "waiting_conversations",
		Help: "Conversations of the brand that wait in a skill group, by state: queued or awaiting_opening. Every replica says the same.",
	}, []string{"skill_group", "state"})
	oldest := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "yingda", Subsystem: "router", Name: "oldest_wait_seconds",
		Help: "How long the customer has waited who has waited longest for an agent of a skill group; 0 when nobody waits. Every replica says the same.",
	}, []string{"skill_group"})
	overflowed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "yingda", Subsystem: "router", Name: "overflows_total",
		Help: "Waiting conversations that this replica gave from one skill group to another one.",
	}, []string{"skill_group", "to"})
	reminders := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "yingda", Subsystem: "router", Name: "reminders_total",
		Help: "Customers who waited for too long, of whom this replica told a desk, by the promise that was late.",
	}, []string{"skill_group", "promise"})
	ratings := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "yingda", Subsystem: "router", Name: "ratings_total",
		Help: "Ratings by customers of how they were served, by the scale that they were asked for: the more the better, from 1.",
	}, []string{"scale", "rating"})
	webhooks := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "yingda", Subsystem: "router", Name: "on_call_webhooks_total",
		Help: "Calls of the Brand's webhook by this replica, by outcome: delivered, refused (no answer from 200 to 299), unreachable, untrusted (by its certificate) or unsigned (not sent: the key could not be read).",
	}, []string{"outcome"})
	emergencies := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "yingda", Subsystem: "router", Name: "emergencies",
		Help: "1 while complaints are far more than usual, by the skill group that they concern; empty is the whole brand. Every replica says the same.",
	}, []string{"skill_group"})
	for _, outcome := range []configz.CallOutcome{configz.CallDelivered, configz.CallRefused, configz.CallUnreachable, configz.CallUntrusted, configz.CallUnsigned} {
		webhooks.WithLabelValues(string(outcome))
	}
	objectives := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "yingda_objective_ratio",
		Help: "What customers got of an objective of the ServiceLevel, in relation to what is wanted: it is met from 1 on. Left out while too few tell. Every replica says the same.",
	}, []string{"service_level", "objective"})
	registry.MustRegister(objectives, webhooks, emergencies, stranded, waiting, oldest, overflowed, reminders, ratings)
	return &Metrics{
		stranded:     stranded,
		waiting:      waiting,
		oldest:       oldest,
		overflowed:   overflowed,
		reminders:    reminders,
		ratings:      ratings,
		webhooks:     webhooks,
		emergencies:  emergencies,
		objectives:   objectives,
		banners:      counter("banners_total", "Customers who were told by the bot first that there is an emergency."),
		bursts:       counter("emergencies_opened_total", "Emergencies that this replica opened."),
		messages:     counter("messages_total", "Messages of customers taken in, each once."),
		duplicates:   counter("duplicates_total", "Messages that had been taken in before."),
		opened:       counter("conversations_opened_total", "Conversations opened."),
		botAnswers:   counter("bot_answers_total", "Messages answered by a Playbook."),
		faqAnswers:   counter("faq_answers_total", "Messages answered by the FAQ of a Playbook; they are bot answers, too."),
		assigned:     counter("assignments_total", "Conversations given to an agent by this replica."),
		progress:     counter("progress_answers_total", "Questions how their cases stand that the bot answered."),
		complaints:   counter("complaints_total", "Complaint processes started."),
		batchSize:    histogram("batch_size", "Envelopes in one transaction.", prometheus.ExponentialBuckets(1, 2, 9)),
		batchSeconds: histogram("batch_seconds", "Time of one transaction.", prometheus.ExponentialBuckets(0.001, 2, 12)),
	}
}

// tally is what a transaction did; it counts once that is committed.
type tally struct {
	messages, duplicates, opened, botAnswers, faqAnswers, progress, complaints, banners int
	ratings                                                                             []scored
	bannered                                                                            []banner
}

// scored is how a customer rated a conversation.
type scored struct {
	scale  string
	rating int32
}

// answered counts an answer of the bot.
func (t *tally) answered(answer bot.Answer) {
	t.botAnswers++
	if answer.FAQ != "" {
		t.faqAnswers++
	}
}

// attained shows how much of each objective, by its ServiceLevel, was reached. What is not known any more is shown no more.
func (m *Metrics) attained(ratios map[[2]string]float64) {
	for shown := range m.attaining {
		if _, known := ratios[shown]; !known {
			m.objectives.DeleteLabelValues(shown[:]...)
		}
	}
	for of, ratio := range ratios {
		m.objectives.WithLabelValues(of[:]...).Set(ratio)
	}
	m.attaining = ratios
}

func (m *Metrics) add(t tally) {
	m.messages.Add(float64(t.messages))
	m.duplicates.Add(float64(t.duplicates))
	m.opened.Add(float64(t.opened))
	m.botAnswers.Add(float64(t.botAnswers))
	m.faqAnswers.Add(float64(t.faqAnswers))
	m.progress.Add(float64(t.progress))
	m.complaints.Add(float64(t.complaints))
	m.banners.Add(float64(t.banners))
	for _, r := range t.ratings {
		m.ratings.WithLabelValues(r.scale, strconv.Itoa(int(r.rating))).Inc()
	}
}

func (m *Metrics) batch(size int, took time.Duration) {
	m.batchSize.Observe(float64(size))
	m.batchSeconds.Observe(took.Seconds())
}
