package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/keys"
	"github.com/yingda-dev/yingda/internal/reach"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/telemetry"
	"github.com/yingda-dev/yingda/internal/temporal"
)

// settings are the flags that every component of the data plane has.
type settings struct {
	namespace, brand string
	kafka            kafkaFlags
	topicPrefix      string
	postgresURLFile  string
	temporal         temporalFlags
	keys             keysFlags
	healthAddress    string
	pprofAddress     string
	logLevel         slog.Level
}

func (s *settings) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&s.namespace, "namespace", "", "Kubernetes namespace of the brand")
	flags.StringVar(&s.brand, "brand", "", "name of the Brand")
	s.kafka.bind(cmd)
	flags.StringVar(&s.topicPrefix, "topic-prefix", "yingda", "prefix of topics and consumer groups")
	flags.StringVar(&s.postgresURLFile, "postgres-url-file", "", "file with the Postgres connection string")
	flags.StringVar(&s.healthAddress, "health-address", fmt.Sprintf(":%d", configz.HealthPort), "address of /healthz, /readyz, /metrics and /configz")
	flags.StringVar(&s.pprofAddress, "pprof-address", "", "address of /debug/pprof/, which shows memory to whoever reaches it; empty for none")
	flags.TextVar(&s.logLevel, "log-level", slog.LevelInfo, "lowest level that is logged: debug, info, warn or error")
	for _, name := range []string{"namespace", "brand"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) //nolint:forbidigo // The flag was defined a few lines above.
		}
	}
}

// owner is the name by which what only one Brand may have is claimed.
func (s *settings) owner() string { return s.namespace + "/" + s.brand }

// temporalOwner are the options of who makes and deletes the brand's Temporal namespace.
func (s *settings) temporalOwner(logger *slog.Logger) temporal.Options {
	options := s.temporal.options(logger)
	options.Owner = s.owner()
	return options
}

func (s *settings) names() bus.Names {
	return bus.Names{Prefix: s.topicPrefix, Namespace: s.namespace, Brand: s.brand}
}

// process is a running component: its eyes, its health server and its goroutines.
type process struct {
	settings
	logger   *slog.Logger
	registry *prometheus.Registry
	health   *telemetry.Health
	group    *errgroup.Group
}

// run starts a component's telemetry and health server, has start set up the work, and waits for all of it. Work that
// ends with an error ends the process; the kubelet starts it anew.
func (s *settings) run(cmd *cobra.Command, component string, start func(ctx context.Context, p *process) error) error {
	logger := telemetry.NewLogger(os.Stderr, s.logLevel, component).With("brand", s.brand)
	// The Kubernetes clients log through these; unset, the one writes a stack trace and the other lines of its own format.
	kubeLogger := logr.FromSlogHandler(logger.Handler())
	ctrl.SetLogger(kubeLogger)
	klog.SetLogger(kubeLogger)
	stopTracing, err := telemetry.StartTracing(cmd.Context(), component, s.brand, os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	if err != nil {
		return fmt.Errorf("starting traces: %w", err)
	}
	defer stopTracing()
	registry := telemetry.NewRegistry()
	group, ctx := errgroup.WithContext(cmd.Context())
	p := &process{settings: *s, logger: logger, registry: registry, group: group, health: &telemetry.Health{Registry: registry, Logger: logger}}
	group.Go(func() error { return p.health.Serve(ctx, s.healthAddress) })
	if s.pprofAddress != "" {
		group.Go(func() error { return telemetry.ServeHTTP(ctx, logger, s.pprofAddress, telemetry.Profiles()) })
	}
	group.Go(func() error {
		if err := start(ctx, p); err != nil {
			return err
		}
		p.health.Started()
		logger.Info("Started")
		return nil
	})
	err = group.Wait()
	logger.Info("Stopped")
	return err
}

const (
	openRetry = time.Second
	openTries = 30
)

// openStore connects to the brand's database, waiting half a minute for one that is away.
func (p *process) openStore(ctx context.Context, options ...store.Option) (*store.Store, error) {
	url, err := connectionString(p.postgresURLFile)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		opened, err := store.Open(ctx, url, options...)
		if err == nil || try == openTries || ctx.Err() != nil {
			return opened, err
		}
		p.logger.Warn("Cannot reach the database yet", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(openRetry):
		}
	}
}

// openKeys returns the brand's own keys, and follows what becomes of them until ctx ends.
func (p *process) openKeys(ctx context.Context, database *store.Store) (*keys.Ring, error) {
	ring, err := keys.Load(ctx, database, p.keys.wrapping)
	if err != nil {
		return nil, err
	}
	replica := keys.Replica{Name: cmp.Or(os.Getenv("POD_NAME"), uuid.NewString()), Now: time.Now, Logger: p.logger}
	p.group.Go(func() error { ring.Follow(ctx, replica); return nil })
	return ring, nil
}

// dialTemporal returns a client that encrypts by the brand's own keys, names this pod and tells of its calls.
func (p *process) dialTemporal(own *keys.Ring) (client.Client, error) {
	options := p.temporal.options(p.logger)
	options.Identity, options.Metrics, options.Keys = os.Getenv("POD_NAME"), p.registry, own
	return temporal.Dial(options)
}

// connectionString reads a Postgres connection string from its file.
func connectionString(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the Postgres connection string: %w", err)
	}
	return strings.TrimSpace(string(content)), nil
}

// watchCatalog follows the brand's resources. The process is ready once they were seen.
func (p *process) watchCatalog(ctx context.Context, view *catalog.Catalog) error {
	config, err := kubeConfig()
	if err != nil {
		return err
	}
	synced := make(chan struct{})
	p.group.Go(func() error { return view.Run(ctx, config, func() { closeOnce(synced) }) })
	select {
	case <-synced:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// watchServices keeps an eye on what the component works with.
func (p *process) watchServices(ctx context.Context, probes map[configz.Dependency]reach.Probe) *reach.Watch {
	watch := reach.New(time.Now, probes)
	p.group.Go(func() error { watch.Run(ctx); return nil })
	return watch
}

// closeOnce closes a channel that one goroutine may want to close again.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

func kubeConfig() (*rest.Config, error) {
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the Kubernetes API server: %w", err)
	}
	return config, nil
}
