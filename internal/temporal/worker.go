package temporal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
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
	// version is nil for a worker without one.
	version *version
	started atomic.Bool
}

// NewWorker returns a worker; register is called once for each try to start. Run starts it.
func NewWorker(c client.Client, logger *slog.Logger, register func(worker.Registry)) *Worker {
	return &Worker{client: c, register: register, logger: logger}
}

// As has the worker run as a version, beside others. It is called before Run.
func (w *Worker) As(v Version) *Worker {
	w.version = &version{Version: v, client: w.client, logger: w.logger}
	return w
}

// Run works until ctx ends, and then until the activities that run have ended, at most some seconds.
func (w *Worker) Run(ctx context.Context) error {
	for backoff := startBackoffMin; ; backoff = min(2*backoff, startBackoffMax) {
		started, err := w.life(ctx)
		if err == nil {
			return nil
		}
		if started {
			backoff = startBackoffMin
		}
		w.logger.Warn("The workflow worker cannot work yet", "error", err)
		if !wait.For(ctx, backoff) {
			return nil
		}
	}
}

// life is that of one worker of the SDK's: until ctx ends, or with an error until it was refused.
func (w *Worker) life(ctx context.Context) (started bool, err error) {
	failed := make(chan error, 1)
	options := WorkerOptions()
	// A worker that was refused while it ran (the namespace was deleted, say) is replaced by a new one.
	options.OnFatalError = func(err error) { failed <- err }
	if w.version != nil {
		if options.DeploymentOptions, err = w.version.options(ctx); err != nil {
			return false, err
		}
	}
	running := worker.New(w.client, TaskQueue, options)
	w.register(running)
	if err := running.Start(); err != nil {
		return false, fmt.Errorf("starting the worker: %w", err)
	}
	w.started.Store(true)
	stopServing := func() {}
	if options.DeploymentOptions.UseVersioning {
		stopServing = inBackground(ctx, w.version.serve)
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	w.started.Store(false)
	stopServing()
	running.Stop()
	return true, err
}

// inBackground runs something until ctx ends or the function that it returns is called, which waits for its end.
func inBackground(ctx context.Context, run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// Ready returns nil while the worker polls and the service answers.
func (w *Worker) Ready(ctx context.Context) error {
	if !w.started.Load() {
		return errors.New("the workflow worker has not reached Temporal yet")
	}
	// Whoever rolls out replaces a worker that has the cases by this one, which has none before.
	if w.version != nil && !w.version.settled.Load() {
		return errors.New("the workflow worker's version is not the current one yet")
	}
	checkCtx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if _, err := w.client.CheckHealth(checkCtx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("asking Temporal for its health: %w", err)
	}
	return nil
}
