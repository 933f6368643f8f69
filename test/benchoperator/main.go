// Command benchoperator measures the operator against its floor on an API server of its own: etcd that syncs to disk, the
// real controller manager and scheduler, and kwok in the place of kubelets. The floor is a bare client that creates the same
// objects on the same API server and patches the status of each once. It writes what it measured as Markdown.
//
// The program is three, each in a process of its own, so that each can be told from the others by what it uses: the load
// (this one), the operator, and the loader, which answers in the place of the data plane's pods with the data plane's own
// configuration loader. Ready is therefore earned: an object is served once a catalog has it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// The roles that the program has beside that of the load.
const (
	roleOperator = "operator"
	roleLoader   = "loader"
)

// options are how a run was asked for.
type options struct {
	out       string
	kwok      string
	assets    string
	logs      string
	profiles  string
	sizes     []int
	dedicated int
	brands    int
	rounds    int
	limit     time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := start(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "benchoperator:", err)
		stop()
		os.Exit(1)
	}
}

func start(ctx context.Context, args []string) error {
	ctrl.SetLogger(logr.Discard())
	if len(args) == 2 {
		switch args[0] {
		case roleOperator:
			return runOperator(ctx, args[1])
		case roleLoader:
			return runLoader(ctx, args[1])
		}
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	return run(ctx, o)
}

func parse(args []string) (options, error) {
	var o options
	var sizes string
	flags := flag.NewFlagSet("benchoperator", flag.ContinueOnError)
	flags.StringVar(&o.out, "out", "docs/performance-operator.md", "the Markdown file to write; empty for none")
	flags.StringVar(&o.assets, "assets", "bin/k8s", "the folder with etcd, kube-apiserver, kube-controller-manager and kube-scheduler")
	flags.StringVar(&o.kwok, "kwok", "bin/kwok", "the program that plays the kubelets")
	flags.StringVar(&o.logs, "logs", ".run/bench-operator", "the folder for the processes' logs")
	flags.StringVar(&o.profiles, "profiles", "", "the folder for profiles of the operator and the API server; empty for none")
	flags.StringVar(&sizes, "sizes", "100,1000,10000", "how many Channels in pools, measured one after the other")
	flags.IntVar(&o.dedicated, "dedicated", 500, "how many Channels with a pool of their own")
	flags.IntVar(&o.brands, "brands", 100, "how many Brands the Channels belong to, each in a namespace of its own")
	flags.IntVar(&o.rounds, "rounds", 3, "how often floor and product alternate at up to 1,000 Channels; above that they are measured once")
	flags.DurationVar(&o.limit, "limit", 10*time.Minute, "how long to wait for anything to become Ready")
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("reading the flags: %w", err)
	}
	for text := range strings.SplitSeq(sizes, ",") {
		size, err := strconv.Atoi(text)
		if err != nil || size < 1 {
			return o, fmt.Errorf("reading the flags: -sizes holds %q, want numbers of Channels with commas between", text)
		}
		o.sizes = append(o.sizes, size)
	}
	return o, nil
}
