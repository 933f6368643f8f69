// Package workflowserver runs Temporal for development: the four services of the real server and its web UI in this
// process, over one SQLite file or a PostgreSQL server. Few history shards, no authorization: it is for this machine only.
//
// Invariants: what was acknowledged is on the disk (write-ahead log, synchronous=FULL), a file has one server at a time, and
// every listener is on the address given or on 127.0.0.1.
package workflowserver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/yingda-dev/yingda/hack/stack/internal/lock"
)

// Namespace is there from the start; clients register what else they need.
const Namespace = "default"

const (
	startTimeout = 60 * time.Second
	// stopLimit is how long the server may take to end.
	stopLimit = 3 * time.Second
)

// Options say where the server listens and keeps its data.
type Options struct {
	Listen netip.AddrPort
	// UI holds the addresses of the web UI, none for no UI.
	UI []netip.AddrPort
	// File is the SQLite file; beside it lies the lock that keeps a second server away.
	File string
	// PostgresURL is a PostgreSQL server in place of the file, with a login that may make databases; empty for the file.
	PostgresURL string
}

// Run serves until ctx ends, and calls ready once clients can work in the default namespace.
func Run(ctx context.Context, options Options, ready func()) error {
	if err := os.MkdirAll(filepath.Dir(options.File), 0o750); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	held, err := lock.Take(ctx, options.File+".lock")
	if err != nil {
		return err
	}
	if err := serve(ctx, options, ready); err != nil {
		return errors.Join(err, held.Close())
	}
	if err := held.Close(); err != nil {
		return fmt.Errorf("unlocking the data file: %w", err)
	}
	return nil
}

func serve(ctx context.Context, options Options, ready func()) error {
	stores, err := persistence(ctx, &options)
	if err != nil {
		return err
	}
	serverOptions, err := configure(ctx, options.Listen, stores)
	if err != nil {
		return err
	}
	server, err := temporal.NewServer(serverOptions...)
	if err != nil {
		return fmt.Errorf("building the Temporal server: %w", err)
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("starting the Temporal server: %w", err)
	}
	stopUI := startUI(options)
	if err := waitReady(ctx, options.Listen); err != nil {
		if ctx.Err() != nil {
			err = nil // Asked to stop before it was ready: that is no failure.
		}
		stopUI()
		return errors.Join(err, server.Stop())
	}
	ready()
	<-ctx.Done()
	stopUI()
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop() }()
	select {
	case err := <-stopped:
		if err != nil {
			return fmt.Errorf("stopping the Temporal server: %w", err)
		}
	case <-time.After(stopLimit):
		// It would wait a quarter of a minute for polls that nobody answers; what it has acknowledged is in its file.
	}
	return nil
}

// startUI serves the web UI on each of its addresses. A UI that cannot listen ends the process with its own message: that is
// how ui-server is written.
func startUI(options Options) (stop func()) {
	servers := make([]*uiserver.Server, 0, len(options.UI))
	done := make(chan struct{}, len(options.UI))
	for _, address := range options.UI {
		ui := uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
			Host:                address.Addr().String(),
			Port:                int(address.Port()),
			TemporalGRPCAddress: options.Listen.String(),
			EnableUI:            true,
			DefaultNamespace:    Namespace,
			// Plain HTTP on a local address: a cookie marked secure would never come back.
			CORS:             uiconfig.CORS{CookieInsecure: true},
			DisableNewsFetch: true,
			HideLogs:         true,
		}))
		servers = append(servers, ui)
		go func() {
			defer func() { done <- struct{}{} }()
			if err := ui.Start(); err != nil {
				fmt.Fprintln(os.Stderr, "stack: running the Temporal UI:", err)
			}
		}()
	}
	return func() {
		for _, ui := range servers {
			ui.Stop()
			<-done
		}
	}
}

// waitReady asks the server what a client would ask first, until it answers.
func waitReady(ctx context.Context, address netip.AddrPort) error {
	connection, err := grpc.NewClient(address.String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connecting to the Temporal server: %w", err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		err := ask(ctx, connection)
		if status.Code(err) == codes.NotFound {
			// On PostgreSQL nobody has made it yet; in a file it is there from the start.
			err = errors.Join(err, register(ctx, connection))
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the Temporal server: %w", errors.Join(ctx.Err(), err))
		case <-retry.C:
		}
	}
}

func register(ctx context.Context, connection grpc.ClientConnInterface) error {
	_, err := workflowservice.NewWorkflowServiceClient(connection).RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: Namespace, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	})
	if err != nil && status.Code(err) != codes.AlreadyExists {
		return fmt.Errorf("making namespace %s: %w", Namespace, err)
	}
	return nil
}

func ask(ctx context.Context, connection grpc.ClientConnInterface) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if _, err := workflowservice.NewWorkflowServiceClient(connection).ListWorkflowExecutions(ctx,
		&workflowservice.ListWorkflowExecutionsRequest{Namespace: Namespace, PageSize: 1}); err != nil {
		return fmt.Errorf("listing workflows: %w", err)
	}
	if _, err := operatorservice.NewOperatorServiceClient(connection).ListSearchAttributes(ctx,
		&operatorservice.ListSearchAttributesRequest{Namespace: Namespace}); err != nil {
		return fmt.Errorf("listing search attributes: %w", err)
	}
	return nil
}
