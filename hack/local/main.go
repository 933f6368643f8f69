// Command local brings up Yingda on one machine: the cluster of hack/cluster, the Kafka, Temporal and Postgres of
// hack/stack, the WeChat simulator, the trace collector, the product by its own chart, and a sample brand. It is what make up
// and make down call.
//
// It only arranges: every part is a program in bin/ with a README of its own. Invariants: all state lies in .run; what is
// already running is left alone; what it did not start it does not end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("use: local up [--kafka=kfake|apache] | down [--purge] | stop NAME | start NAME | test-packages")
	}
	flags := flag.NewFlagSet("local "+args[0], flag.ContinueOnError)
	kafka := flags.String("kafka", kfake, "the broker: kfake or apache (kfake where Java 17 or Maven is missing)")
	purge := flags.Bool("purge", false, "also remove the data")
	if err := flags.Parse(args[1:]); err != nil {
		return fmt.Errorf("reading the flags: %w", err)
	}
	root, err := findRoot()
	if err != nil {
		return err
	}
	l := newLocal(root)
	switch args[0] {
	case "up":
		return l.up(ctx, *kafka)
	case "down":
		return l.down(ctx, downOptions{purge: *purge})
	case "stop":
		return l.onServer(flags.Arg(0), func(s server) error { return l.processes.kill(s.name) })
	case "start":
		return l.onServer(flags.Arg(0), func(s server) error { return l.startServer(ctx, s) })
	case "test-packages":
		return l.ensure(ctx, needsCompiler(), needsPostgres())
	default:
		return fmt.Errorf("there is no %q: use up, down, stop, start or test-packages", args[0])
	}
}

// findRoot is the checkout that this binary was built in: bin/local lies one folder below it.
func findRoot() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	root := filepath.Dir(filepath.Dir(self))
	if _, err := os.Stat(filepath.Join(root, "charts", "yingda", "Chart.yaml")); err != nil {
		return "", fmt.Errorf("%s is no checkout of Yingda: build this program as bin/local of one (make build)", root)
	}
	return root, nil
}
