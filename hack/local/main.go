// Command local brings up Yingda on one machine: the cluster of hack/cluster, the Kafka, Temporal and Postgres of
// hack/stack, the WeChat simulator, the trace collector, the product by its own chart, and a sample brand. It is what make up,
// make brand and make down call. With --cluster=current it brings the product alone, into a cluster that is not its own.
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
		return errors.New("use: local up [--kafka=kfake|apache] | up --cluster=current [--values=FILE] [--brand=FOLDER] | brand FOLDER | down [--purge] | stop NAME | start NAME | test-packages")
	}
	flags := flag.NewFlagSet("local "+args[0], flag.ContinueOnError)
	kafka := flags.String("kafka", kfake, "the broker: kfake or apache (kfake where Java 17 or Maven is missing)")
	where := flags.String("cluster", clusterLocal, "where to: local, or current for the cluster of the current KUBECONFIG")
	var current currentOptions
	flags.StringVar(&current.values, "values", "", "with --cluster=current: file with the chart's values; may be left out where the product is installed already")
	flags.StringVar(&current.brand, "brand", "", "with --cluster=current: folder of a brand to apply, in config/samples or anywhere")
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
		return bringUp(ctx, l, *where, *kafka, current)
	case "brand":
		return l.addBrand(ctx, flags.Arg(0))
	case "down":
		return l.down(ctx, downOptions{purge: *purge})
	case "stop":
		return l.onServer(flags.Arg(0), l.stopServer)
	case "start":
		return l.onServer(flags.Arg(0), func(s server) error { return l.startAgain(ctx, s) })
	case "test-packages":
		return l.ensure(ctx, needsCompiler(), needsPostgres())
	default:
		return fmt.Errorf("there is no %q: use up, brand, down, stop, start or test-packages", args[0])
	}
}

func bringUp(ctx context.Context, l *local, where, kafka string, current currentOptions) error {
	switch {
	case where == clusterCurrent:
		return l.upCurrent(ctx, current)
	case where != clusterLocal:
		return fmt.Errorf("there is no cluster %q: use local or current", where)
	case current != currentOptions{}:
		return errors.New("values and a brand to apply are for --cluster=current; the local cluster has its own values, and bin/local brand FOLDER")
	}
	return l.up(ctx, kafka)
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
