// Command benchcases measures cases on Temporal against their floor, on a Temporal server and a Postgres of its own. The
// floor is a workflow with the same timers, signals and activities without our logic: it goes through the history that one
// of the product's own cases left, and its activities do nothing. Floor and product take turns on the same server; it writes
// what it measured as Markdown.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are how a run was asked for.
type options struct {
	out       string
	stack     string
	persisted string
	rounds    int
	cases     int
	deadlines int
	spread    time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	flag.StringVar(&o.out, "out", "docs/performance-cases.md", "the Markdown file to write; empty for none")
	flag.StringVar(&o.stack, "stack", "bin/stack", "the program that serves Temporal and Postgres")
	flag.StringVar(&o.persisted, "on", "sqlite", "what Temporal keeps its data in: sqlite or postgres")
	flag.IntVar(&o.rounds, "rounds", 3, "how often floor and product take turns")
	flag.IntVar(&o.cases, "cases", 400, "cases of one turn")
	flag.IntVar(&o.deadlines, "deadlines", 10_000, "deadlines that are open at once; 0 to measure none")
	flag.DurationVar(&o.spread, "spread", 10*time.Minute, "over what time the deadlines are spread")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "benchcases:", err)
		stop()
		os.Exit(1)
	}
}
