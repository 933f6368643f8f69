package world

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/yingda-dev/yingda/connectors/host"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// Replica is one running connector.
type Replica struct {
	Host *host.Host
	// Logs is what it logged.
	Logs *Log
	// Stop tells it to stop and waits until it has. The test's end does so too.
	Stop func()

	w        *World
	address  string
	registry *prometheus.Registry
}

// Log keeps what was logged, for tests that look for what must not be there.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Doomed starts a connector that can crash: its database is taken away, so that nobody hears of what it has in hand, then it
// ends.
func (w *World) Doomed() (doomed *Replica, crash func()) {
	w.T.Helper()
	direct, err := url.Parse(w.connectURL)
	if err != nil {
		w.T.Fatal(err)
	}
	through := *direct
	relay, cut := testenv.Relay(w.T, direct.Host)
	through.Host = relay
	doomed = w.Replica(func(o *host.Options) { o.Store = w.lazyStore(through.String()) })
	return doomed, func() {
		cut()
		doomed.Stop()
	}
}

// Replica starts a connector and waits until it watches Channels.
func (w *World) Replica(modify ...func(*host.Options)) *Replica {
	w.T.Helper()
	listener, err := (&net.ListenConfig{}).Listen(w.T.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.T.Fatal(err)
	}
	r := &Replica{w: w, address: listener.Addr().String(), registry: prometheus.NewRegistry(), Logs: &Log{}}
	producer, background, backlog := bus.NewProducer(w.cluster()), bus.NewProducer(w.cluster()), bus.NewProducer(w.cluster())
	options := host.Options{
		Names: w.Names, Pool: w.Pool, Type: w.options.Type, Instance: testenv.Unique("replica"), Cluster: w.cluster(),
		Producer: producer, Background: background, Backlog: backlog, Store: w.lazyStore(w.connectURL), Kubernetes: w.Kube, AllowedBaseURLs: w.options.APIBaseURLs,
		Listener: listener, Registry: r.registry, Logger: slog.New(slog.NewJSONHandler(r.Logs, nil)), Clock: time.Now,
	}
	for _, f := range modify {
		f(&options)
	}
	r.Host = host.New(options)
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.T.Context()))
	before := w.watches.Load()
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.Host.Run(ctx); err != nil {
			w.T.Error(err)
		}
	})
	r.Stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		_ = producer.Close()
		_ = background.Close()
		_ = backlog.Close()
	})
	w.T.Cleanup(func() {
		r.Stop()
		if w.T.Failed() {
			w.T.Logf("log of a replica:\n%s", r.Logs)
		}
	})
	w.Eventually("the replica watches Channels", func() bool { return w.watches.Load() > before })
	return r
}

// URL is where a platform calls a Channel.
func (r *Replica) URL(channel string) string {
	return "http://" + r.address + "/" + r.w.Names.Namespace + "/" + channel
}

// Accepts waits until a Channel is served and its credentials are accepted.
func (r *Replica) Accepts(channel string) {
	r.w.T.Helper()
	r.w.Eventually("the Channel is served and its credentials accepted", func() bool { return r.Credentials(channel) == configz.CredentialsAccepted })
}

// Credentials is what the replica says of a Channel's.
func (r *Replica) Credentials(channel string) configz.Credentials {
	return r.Host.Report().Channels[channel].Credentials
}

// Generation is the one of a Channel that is in force, 0 when it is not served.
func (r *Replica) Generation(channel string) int64 {
	return r.Host.Report().Objects["Channel/"+channel]
}

// Metric returns a counter's value for the given labels, name=value.
func (r *Replica) Metric(name string, labels ...string) float64 {
	r.w.T.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		r.w.T.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
	metrics:
		for _, m := range family.GetMetric() {
			has := map[string]bool{}
			for _, l := range m.GetLabel() {
				has[l.GetName()+"="+l.GetValue()] = true
			}
			for _, label := range labels {
				if !has[label] {
					continue metrics
				}
			}
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}
