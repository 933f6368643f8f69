package temporal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/yingda-dev/yingda/internal/wait"
)

const (
	startBackoffMin = 200 * time.Millisecond
	startBackoffMax = 5 * time.Second
	checkTimeout    = 2 * time.Second
)

// Worker polls TaskQueue. A service or a namespace that is not there yet is waited for.
type Worker struct {
	client   client.Client
	register func(worker.Registry)
	logger   *slog.Logger
	started  atomic.Bool
}

// NewWorker returns a worker; register is called once for each try to start. Run starts it.
func NewWorker(c client.Client, logger *slog.Logger, register func(worker.Registry)) *Worker {
	return &Worker{client: c, register: register, logger: logger}
}

// Run works until ctx ends, and then until the activities that run have ended, at most some seconds.
func (w *Worker) Run(ctx context.Context) error {
	for backoff := startBackoffMin; ; backoff = min(2*backoff, startBackoffMax) {
		failed := make(chan error, 1)
		options := WorkerOptions()
		// A worker that was refused while it ran (the namespace was deleted, say) is replaced by a new one.
		options.OnFatalError = func(err error) { failed <- err }
		running := worker.New(w.client, TaskQueue, options)
		w.register(running)
		err := running.Start()
		if err == nil {
			w.started.Store(true)
			backoff = startBackoffMin
			select {
			case <-ctx.Done():
				w.started.Store(false)
				running.Stop()
				return nil
			case err = <-failed:
				w.started.Store(false)
				running.Stop()
			}
		}
		w.logger.Warn("The workflow worker cannot work yet", "error", err)
		if !wait.For(ctx, backoff) {
			return nil
		}
	}
}

// Ready returns nil while the worker polls and the service answers.
func (w *Worker) Ready(ctx context.Context) error {
	if !w.started.Load() {
		return errors.New("the workflow worker has not reached Temporal yet")
	}
	checkCtx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if _, err := w.client.CheckHealth(checkCtx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("asking Temporal for its health: %w", err)
	}
	return nil
}
