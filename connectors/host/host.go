package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/reach"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/wait"
)

// Options is what a Host is made of. Everything is required but DrainDelay.
type Options struct {
	Names bus.Names
	// Pool is the name of the pool, Type what its Channels are.
	Pool string
	Type connectors.Type
	// Instance names the replica.
	Instance string
	Cluster  bus.Cluster
	// Producer is for what platforms wait for, Background for the rest: their batches must not mix, so that what can wait
	// neither holds up a webhook nor loses its order to a retry.
	Producer, Background *bus.Producer
	// Backlog is the drain's alone: what it writes keeps its order after a failure only when nothing else fills its batches.
	Backlog *bus.Producer
	Store   *store.Store
	// Kubernetes reads Channels and Secrets of the namespace.
	Kubernetes client.WithWatch
	// AllowedBaseURLs are the platform addresses that Channels may name.
	AllowedBaseURLs []string
	// Catalog is by what the bot answers at once where the platform takes that; nil where it does not. It is followed by
	// somebody else.
	Catalog *catalog.Catalog
	// Listener takes the platform's calls; Run closes it.
	Listener net.Listener
	Registry prometheus.Registerer
	Logger   *slog.Logger
	Clock    func() time.Time
	// DrainDelay is how long a replica that is told to stop goes on taking calls while it says that it is not ready.
	DrainDelay time.Duration
}

const (
	// shutdownTimeout bounds the calls of webhooks in flight, finishTimeout what is being sent, reportsTimeout the last reports.
	shutdownTimeout = 5 * time.Second
	finishTimeout   = 10 * time.Second
	reportsTimeout  = 2 * time.Second
	// A platform's push is small and comes at once.
	webhookReadTimeout  = 5 * time.Second
	webhookWriteTimeout = 10 * time.Second
	webhookIdleTimeout  = 2 * time.Minute
	webhookHeaderBytes  = 16 << 10
	syncPoll            = 50 * time.Millisecond
)

// Host is one replica of a pool.
type Host struct {
	options    Options
	table      *table
	watcher    *watcher
	webhooks   *webhooks
	drain      *drain
	typing     *typing
	dispatcher *dispatcher
	reporter   *reporter
	sweeper    *sweeper
	fetcher    *fetcher
	profiler   *profiler
	menus      *menus
	reach      *reach.Watch
	consumer   *bus.Consumer
	draining   atomic.Bool
}

// New wires a Host; Run starts it.
func New(o Options) *Host {
	m := newMetrics(o.Registry)
	source := fmt.Sprintf("/%s/%s/connector", o.Names.Namespace, o.Names.Brand)
	services := connectors.Services{
		Clock: o.Clock, Logger: o.Logger, ObserveCall: m.observeCall,
		Files: storeFiles{o.Store, o.Clock}, Tokens: storeTokens{o.Store, o.Clock},
	}
	h := &Host{options: o, reach: reach.New(o.Clock, map[configz.Dependency]reach.Probe{
		configz.Kafka: o.Cluster.Reach, configz.Postgres: o.Store.Ping,
	})}
	h.table = newTable(o.Type, o.Names.Brand, o.Pool, o.AllowedBaseURLs, services, m)
	h.watcher = newWatcher(o.Kubernetes, o.Names.Namespace, h.table, o.Logger)
	in := &ingest{
		names: o.Names, pool: o.Pool, source: source, producer: o.Producer, spool: o.Store, clock: o.Clock,
		logger: o.Logger, metrics: m, spooled: make(chan struct{}, 1),
	}
	h.webhooks = &webhooks{namespace: o.Names.Namespace, table: h.table, ingest: in, revoker: o.Store, clock: o.Clock, metrics: m, logger: o.Logger}
	if o.Catalog != nil {
		h.webhooks.atOnce = newAtOnce(o.Catalog.Snapshot, o.Store, in.repeated, o.Clock, m, o.Logger)
	}
	h.drain = newDrain(o.Pool, o.Names.Inbound(), o.Backlog, o.Store, in.spooled, o.Clock, m, o.Logger)
	h.reporter = newReporter(o.Names, source, o.Background, o.Store, o.Logger)
	// A restarted container keeps its pod's name, but is not the one that was sending.
	owner := o.Instance + "/" + uuid.NewString()
	h.dispatcher = newDispatcher(owner, h.table, o.Store, h.reporter, o.Clock, m, o.Logger)
	h.sweeper = newSweeper(o.Pool, h.table, h.watcher.synced, o.Store, h.dispatcher, h.reporter, o.Clock, o.Logger)
	h.typing = newTyping(h.table, o.Store, o.Clock, m)
	h.fetcher = newFetcher(h.table, o.Store, o.Clock, m, o.Logger)
	h.profiler = newProfiler(h.table, o.Store, o.Clock, o.Logger)
	h.menus = newMenus(h.table, o.Store, o.Clock, o.Logger)
	out := &outbound{pool: o.Pool, store: o.Store, dispatcher: h.dispatcher, typing: h.typing}
	h.consumer = bus.NewConsumer(bus.ConsumerConfig{
		Cluster: o.Cluster, Group: o.Names.ConnectorGroup(o.Pool), Topic: o.Names.Outbound(o.Pool), DeadLetter: o.Names.DeadLetter(),
		Producer: o.Background, Handler: out.take, Logger: o.Logger, Metrics: bus.NewMetrics(o.Registry),
	})
	return h
}

// Ready says whether platforms and the operator may count on this replica.
func (h *Host) Ready(context.Context) error {
	switch {
	case h.draining.Load():
		return errors.New("draining")
	case !h.watcher.synced():
		return errors.New("the Channels or their Secrets were not read yet")
	case !h.reach.Any():
		// With either of them a replica can keep messages; with none it must be given none.
		return errors.New("neither Kafka nor Postgres can be reached")
	}
	return nil
}

// Alive says whether the replica still works at all.
func (h *Host) Alive() error { return h.sweeper.alive() }

// Report says what the replica serves.
func (h *Host) Report() configz.Report {
	report := h.table.report()
	report.Reached = h.reach.Reached()
	if h.options.Catalog != nil {
		report.Kinds = h.options.Catalog.Kinds()
		// What the bot says at once goes by them. Of Channels the table tells: only what it serves is served.
		for key, generation := range h.options.Catalog.Snapshot().Generations() {
			if !strings.HasPrefix(key, configz.ObjectKey("Channel", "")) {
				report.Objects[key] = generation
			}
		}
	}
	return report
}

// Run serves until ctx ends, then finishes what is under way, at most in DrainDelay and some 17 s.
//
//	not ready ─> DrainDelay ─> no new webhooks ─> no new outbound ─> sends end ─> their reports end
func (h *Host) Run(ctx context.Context) error {
	base := context.WithoutCancel(ctx)
	intake, stopIntake := context.WithCancel(base)
	defer stopIntake()
	work, stopWork := context.WithCancel(base)
	defer stopWork()

	server := &http.Server{
		Handler: h.webhooks, ReadTimeout: webhookReadTimeout, WriteTimeout: webhookWriteTimeout, IdleTimeout: webhookIdleTimeout,
		MaxHeaderBytes: webhookHeaderBytes, ErrorLog: slog.NewLogLogger(h.options.Logger.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 2)
	var intakes, sends, reports sync.WaitGroup
	for _, run := range []func(context.Context){h.table.checks.run, h.watcher.run, h.drain.run, h.typing.run, h.sweeper.run, h.fetcher.run, h.profiler.run, h.menus.run, h.reach.Run} {
		intakes.Go(func() { run(intake) })
	}
	intakes.Go(func() { fail(failed, h.consume(intake)) })
	intakes.Go(func() { fail(failed, serve(server, h.options.Listener)) })
	sends.Go(func() { h.dispatcher.run(work) })
	reports.Go(func() { h.reporter.run(work) })

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	h.draining.Store(true)
	if err == nil {
		wait.For(base, h.options.DrainDelay)
	}
	shutdown(base, server)
	stopIntake()
	intakes.Wait()
	h.dispatcher.stop()
	within(finishTimeout, &sends, stopWork)
	close(h.reporter.queue)
	within(reportsTimeout, &reports, stopWork)
	h.table.close()
	return err
}

func fail(failed chan<- error, err error) {
	if err != nil {
		failed <- err
	}
}

// consume takes outbound messages once there is something to send them with.
func (h *Host) consume(ctx context.Context) error {
	ticker := time.NewTicker(syncPoll)
	defer ticker.Stop()
	for !h.watcher.synced() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
	return h.consumer.Run(ctx)
}

func serve(server *http.Server, listener net.Listener) error {
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving webhooks: %w", err)
	}
	return nil
}

func shutdown(ctx context.Context, server *http.Server) {
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // Calls that are longer under way than a platform waits.
	}
}

// within waits for a group, and stops it when it takes too long.
func within(d time.Duration, group *sync.WaitGroup, stop func()) {
	timer := time.AfterFunc(d, stop)
	defer timer.Stop()
	group.Wait()
}
