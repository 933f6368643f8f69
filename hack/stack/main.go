// Command stack runs what a service desk stands on, for development: Kafka, Temporal and PostgreSQL, each as one foreground
// process that keeps its data in a directory, survives kill -9 and stops on SIGTERM.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
)

// errAbandoned is why a server with --until-stdin-closes stopped: whoever started it is gone.
var errAbandoned = errors.New("standard input was closed")

func main() {
	// The kernel ties a child's parent-death signal to the thread that started the child: this one must live to the end.
	runtime.LockOSThread()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "stack:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	root := &cobra.Command{
		Use:           "stack",
		Short:         "Kafka, Temporal and PostgreSQL for development, one foreground process each",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(kafkaCommand(), temporalCommand(), postgresCommand(), postgresEnsureCommand(), apacheKafkaCommand())
	return root.ExecuteContext(ctx)
}

// lifetime is the flag that ties a server to the process that started it.
type lifetime struct{ untilStdinCloses string }

func (l *lifetime) register(command *cobra.Command) {
	command.Flags().StringVar(&l.untilStdinCloses, "until-stdin-closes", "",
		"stop when standard input closes, and delete this directory then: for tests, whose servers and data must not outlive them")
}

// serve runs a server until a signal comes, or its starter is gone.
func (l *lifetime) serve(ctx context.Context, run func(context.Context) error) error {
	if l.untilStdinCloses == "" {
		return run(ctx)
	}
	ctx, abandon := context.WithCancelCause(ctx)
	defer abandon(nil)
	go func() {
		// What arrives means nothing; that the pipe ends does, however its writer died.
		_, _ = io.Copy(io.Discard, os.Stdin)
		abandon(errAbandoned)
	}()
	err := run(ctx)
	if !errors.Is(context.Cause(ctx), errAbandoned) {
		return err
	}
	if err := os.RemoveAll(l.untilStdinCloses); err != nil {
		return fmt.Errorf("removing abandoned data: %w", err)
	}
	return err
}

// announce prints the one line of standard output: all else goes to standard error.
func announce(format string, args ...any) {
	fmt.Fprintf(os.Stdout, "ready "+format+"\n", args...)
}

func mustHave(command *cobra.Command, flags ...string) {
	for _, flag := range flags {
		if err := command.MarkFlagRequired(flag); err != nil {
			panic(err) // A flag that this program does not define: a fault in this file.
		}
	}
}
