package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/telemetry"
	"github.com/yingda-dev/yingda/internal/wait"
)

const (
	serverRetry   = time.Second
	serverTimeout = 2 * time.Second
	// serverPatience is how long an operator waits for the API server at its start.
	serverPatience = time.Minute
)

// serverWait waits for an API server that is away when the operator starts: after an outage, in which it lost its lease, it
// is restarted at once, and if it ended again and again the kubelet would keep it from starting for minutes.
type serverWait struct {
	logger *slog.Logger
	// healthAddress answers while it waits: the kubelet kills what is silent for half a minute. Empty or 0 for none.
	healthAddress string
	patience      time.Duration
}

// run returns nil as soon as the server serves the kinds of Yingda.
func (s *serverWait) run(ctx context.Context, config *rest.Config) error {
	config = rest.CopyConfig(config)
	config.Timeout = serverTimeout
	server, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return fmt.Errorf("making a client of the API server: %w", err)
	}
	err = ask(ctx, server)
	if err == nil || ctx.Err() != nil {
		return err
	}
	s.logger.Warn("The API server does not serve Yingda's kinds yet", "error", err, "patience", s.patience)
	group, groupCtx := errgroup.WithContext(ctx)
	groupCtx, stop := context.WithCancel(groupCtx)
	defer stop()
	group.Go(func() error { return s.stayAlive(groupCtx) })
	group.Go(func() error {
		defer stop()
		return s.retry(groupCtx, server)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	s.logger.Info("The API server serves Yingda's kinds")
	return nil
}

func (s *serverWait) retry(ctx context.Context, server discovery.ServerResourcesInterfaceWithContext) error {
	for deadline := time.Now().Add(s.patience); ; {
		if !wait.For(ctx, serverRetry) {
			return ctx.Err()
		}
		if err := ask(ctx, server); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// stayAlive is alive and not ready until ctx ends.
func (s *serverWait) stayAlive(ctx context.Context) error {
	if s.healthAddress == "" || s.healthAddress == "0" {
		return nil
	}
	health := telemetry.Health{Registry: telemetry.NewRegistry(), Logger: s.logger}
	return health.Serve(ctx, s.healthAddress)
}

func ask(ctx context.Context, server discovery.ServerResourcesInterfaceWithContext) error {
	if _, err := server.ServerResourcesForGroupVersionWithContext(ctx, v1alpha1.GroupVersion().String()); err != nil {
		return fmt.Errorf("asking the API server for Yingda's kinds: %w", err)
	}
	return nil
}
