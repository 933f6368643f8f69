package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/yingda-dev/yingda/internal/configz"
)

const (
	checkTimeout  = 2 * time.Second
	serveShutdown = 5 * time.Second
)

// Health serves /healthz, /readyz, /metrics and /configz of a component. It may be served before its fields are set: they
// are read only after Started.
type Health struct {
	// Ready says whether the component can do its work now; nil means ready. The error is shown, so it holds no secret.
	Ready func(ctx context.Context) error
	// Alive says whether the process should go on living; nil means alive. It must not depend on other services: a
	// restart heals none of them.
	Alive func() error
	// Report answers the operator's question of what is served; nil serves nothing.
	Report func() configz.Report
	// Registry and Logger are set before Serve.
	Registry *prometheus.Registry
	Logger   *slog.Logger

	started  atomic.Bool
	draining atomic.Bool
}

// Started says that the fields are set and the component works. Before it the component is alive and not ready.
func (h *Health) Started() { h.started.Store(true) }

// Drain makes the component unready for the rest of its life, so that no new work comes while it finishes the old.
func (h *Health) Drain() { h.draining.Store(true) }

// Serve listens on address until ctx ends.
func (h *Health) Serve(ctx context.Context, address string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if h.started.Load() && h.Alive != nil {
			answer(w, h.Alive())
			return
		}
		answer(w, nil)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !h.started.Load():
			answer(w, errors.New("starting"))
			return
		case h.draining.Load():
			answer(w, errors.New("draining"))
			return
		case h.Ready == nil:
			answer(w, nil)
			return
		}
		checkCtx, cancel := context.WithTimeout(r.Context(), checkTimeout)
		defer cancel()
		answer(w, h.Ready(checkCtx))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(h.Registry, promhttp.HandlerOpts{}))
	mux.Handle("GET "+configz.Path, configz.Handler(func() configz.Report {
		if !h.started.Load() || h.Report == nil {
			return configz.Report{}
		}
		return h.Report()
	}))
	return ServeHTTP(ctx, h.Logger, address, mux)
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// ServeHTTP serves handler on address with the limits that every listener of the product has, until ctx ends and the
// requests in flight are answered. After five seconds those left are cut off and their contexts end. A connection that
// a handler has taken over is the handler's to close. What the server has to say of connections goes to logger.
func ServeHTTP(ctx context.Context, logger *slog.Logger, address string, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", address, err)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		shutdownCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), serveShutdown)
		defer cancel()
		if err := server.Shutdown(shutdownCtx); err != nil {
			_ = server.Close() // There is nothing left to do about a listener that does not close.
		}
	})
	err = server.Serve(listener)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving %s: %w", address, err)
}
