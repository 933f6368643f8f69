package workflowtest

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/temporal"
)

// A worker that is to be killed is the test binary again, started with this variable, which says how it dies; its arguments are the
// addresses of Temporal and Postgres, the namespace, and what the test gave.
const asWorker = "WORKFLOWTEST_WORKER"

// atOnce is how many tests of a package run at once that say they may: they wait far more than they compute.
const atOnce = "12"

// Registration has a worker serve what a package has, on a brand's store. Arguments are those of StartWorker or Under.
type Registration func(r worker.Registry, s *store.Store, arguments ...string)

// Main is the TestMain of a package whose workers are to be killed: it runs the tests, or is the worker that one of them started.
func Main(m *testing.M, register Registration) {
	if death := os.Getenv(asWorker); death != "" {
		if err := work(register, death, os.Args[1], os.Args[2], os.Args[3], os.Args[4:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// Before the command line is read, so that it has the last word.
	if err := flag.Set("test.parallel", atOnce); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	m.Run()
}

// work serves until it is killed, or the test process is gone.
func work(register Registration, death, address, namespace, url string, arguments []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	s, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	defer s.Close()
	c, err := temporal.Dial(connection(address, namespace))
	if err != nil {
		return err
	}
	defer c.Close()
	if death != natural {
		// Each task replays its workflow from the start, and none waits for the worker before.
		worker.SetStickyWorkflowCacheSize(0)
		if c, err = client.NewClientFromExistingWithContext(ctx, c, mortal(death, namespace)); err != nil {
			return err
		}
		defer c.Close()
	}
	return temporal.NewWorker(c, slog.New(slog.DiscardHandler), func(r worker.Registry) { register(r, s, arguments...) }).Run(ctx)
}

// process starts a worker in a process of its own that dies as said, and ends with the test process at the latest.
func (b *Brand) process(ctx context.Context, death string, arguments []string) (*exec.Cmd, error) {
	command := exec.CommandContext(ctx, os.Args[0], append([]string{b.address, b.namespace, b.url}, arguments...)...)
	command.Env = append(os.Environ(), asWorker+"="+death)
	command.Stderr = os.Stderr
	if _, err := command.StdinPipe(); err != nil {
		return nil, err
	}
	return command, command.Start()
}

// StartWorker starts a worker in a process of its own and returns how to kill it, with SIGKILL.
func (b *Brand) StartWorker(arguments ...string) (kill func()) {
	b.T.Helper()
	command, err := b.process(b.T.Context(), natural, arguments)
	if err != nil {
		b.T.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		if err := command.Process.Kill(); err != nil {
			b.T.Error(err)
		}
		_ = command.Wait() // Killed, as was asked.
	})
	b.T.Cleanup(kill)
	return kill
}

// Work serves in the test's own process until the test ends.
func (b *Brand) Work(register func(worker.Registry)) {
	b.Run(temporal.NewWorker(b.Client, slog.New(slog.DiscardHandler), register).Run)
}
