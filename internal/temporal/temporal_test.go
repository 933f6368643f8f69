package temporal_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// deadline is for what takes seconds; it only bounds a failing test. Of a new version of a worker the service's own parts heard once in a
// hundred times after more than a minute, on a machine that did much else.
const deadline = 3 * time.Minute

func TestAWorkerWaitsForItsNamespaceAndItsService(t *testing.T) {
	server := testenv.NewServer(t, testenv.StartTemporal)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	o := temporal.Options{
		Address: server.Address(), Namespace: testenv.Unique("brand"), Identity: "test", Logger: slog.New(slog.DiscardHandler),
		Metrics: prometheus.NewRegistry(),
	}
	c, err := temporal.Dial(o)
	if err != nil {
		t.Fatalf("a service that is away is an error of Dial: %v", err)
	}
	defer c.Close()
	w := temporal.NewWorker(c, o.Logger, func(r worker.Registry) {
		r.RegisterWorkflowWithOptions(func(workflow.Context) error { return nil }, workflow.RegisterOptions{Name: "Nothing"})
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	if w.Ready(t.Context()) == nil {
		t.Error("a worker without a service is ready")
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := temporal.EnsureNamespace(t.Context(), o, temporal.Retention); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the worker to be ready", func() error { return w.Ready(t.Context()) })
	waitUntil(t, "a workflow to run", func() error {
		run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: temporal.TaskQueue}, "Nothing")
		if err != nil {
			return err
		}
		return run.Get(t.Context(), nil)
	})
}

func waitUntil(t *testing.T, what string, try func() error) {
	t.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(deadline)
	for {
		last := try()
		if last == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatalf("waited %s for %s: %v", deadline, what, last)
		}
	}
}
