// Command bench measures the running product (make up) against its floor: the raw Kafka client with the product's own
// settings on the same broker. Floor and product alternate in one run, five times, and medians are reported, so that a
// busy machine slows both. It writes what it measured as Markdown.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := flag.String("out", "docs/performance.md", "the Markdown file to write")
	rounds := flag.Int("rounds", 5, "how often floor and product alternate")
	seconds := flag.Int("seconds", 10, "length of one measurement")
	only := flag.String("only", "", "measure only the way into Kafka (ingest) or the one to the agent (desk), and write no file")
	flag.Parse()
	if !slices.Contains([]string{"", "ingest", "desk"}, *only) {
		fmt.Fprintln(os.Stderr, "bench: -only is ingest or desk")
		os.Exit(2)
	}
	if err := run(ctx, *out, *only, *rounds, time.Duration(*seconds)*time.Second); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, out, only string, rounds int, length time.Duration) (err error) {
	e, err := loadEnvironment(ctx)
	if err != nil {
		return err
	}
	b := &bench{environment: e, rounds: rounds, length: length}
	defer func() { err = errors.Join(err, b.close(context.WithoutCancel(ctx))) }()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	var report strings.Builder
	b.header(&report)
	var measures []func(context.Context, *strings.Builder) error
	if only != "desk" {
		measures = append(measures, b.stopRouter, b.ingestRate, b.ingestLatency, b.replyLatency, b.catchUp)
	}
	if only != "ingest" {
		measures = append(measures, b.deskLatency, b.stages)
	}
	for _, measure := range measures {
		if err := measure(ctx, &report); err != nil {
			return err
		}
	}
	if only != "" {
		fmt.Println(report.String())
		return nil
	}
	if err := os.WriteFile(out, []byte(report.String()), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	fmt.Println(report.String())
	return nil
}
