package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// narrative is the heading from which on the report is written by hand; what is below it is kept.
const narrative = "## What this says"

// report is what a run measured.
type report struct {
	options
	setup setup
	// pooled holds the rounds of each size.
	pooled    [][]pooled
	dedicated isolated
}

// write replaces the figures in the report's file.
func (r *report) write(o options) error {
	var text strings.Builder
	r.header(&text)
	r.speed(&text)
	r.costs(&text)
	r.quiet(&text)
	r.isolation(&text)
	fmt.Println(text.String())
	if o.out == "" {
		return nil
	}
	before, err := os.ReadFile(o.out)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("reading the last report: %w", err)
	}
	if _, below, found := strings.Cut(string(before), narrative); found {
		text.WriteString(narrative + below)
	}
	if err := os.WriteFile(o.out, []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func (r *report) header(w *strings.Builder) {
	fmt.Fprintf(w, `# Performance of the operator

Printed by `+"`make bench-operator`"+` on %s, on a machine with %d processors that runs everything: load, API server, etcd (which
syncs to disk), controller manager, scheduler, kwok for kubelets, the operator, and the loader, which follows the API server with the
data plane's own configuration loader and answers for all pods. Each of %d Brands has a namespace of its own; before anything is
measured each has one Ready Channel, so that its pool runs. The Channels of a measurement are spread over the Brands evenly, each with
a Secret of its own that exists before.

Floor: a bare client with %d workers and no limits creates the Channels while no operator runs, and then patches the status of each
once with that of a Ready one. Product: the same client creates them, and the operator brings them to Ready. The time is from the
first create until the last is Ready. Floor and product alternate; of several rounds the medians are shown.

From nothing: %d Brands are Ready after %s, and the first Channel of each, with its pool, after another %s.

`, time.Now().Format(time.DateOnly), runtime.NumCPU(), r.brands, workers, r.brands, seconds(r.setup.brands), seconds(r.setup.pools))
}

func (r *report) speed(w *strings.Builder) {
	w.WriteString(`## Speed

| Channels in pools | rounds | floor | product | ratio (at least 0.5 asked) | created to Ready p50 | p99 |
|---|---|---|---|---|---|---|
`)
	for _, rounds := range r.pooled {
		of := func(pick func(pooled) time.Duration) string { return seconds(medianOf(rounds, pick)) }
		fmt.Fprintf(w, "| %d | %d | %s | %s | **%.2f** | %s | %s |\n", rounds[0].size, len(rounds),
			of(func(p pooled) time.Duration { return p.floor.sum() }), of(func(p pooled) time.Duration { return p.ready.took }),
			medianOf(rounds, pooled.ratio),
			of(func(p pooled) time.Duration { return p.ready.waits.p50 }), of(func(p pooled) time.Duration { return p.ready.waits.p99 }))
	}
	w.WriteString("\nProcessor seconds, and the slowest hundredth (last round):\n\n")
	for _, rounds := range r.pooled {
		p := rounds[len(rounds)-1]
		fmt.Fprintf(w, "- %d, floor: %s\n- %d, product: %s; from created to Ready %s\n",
			p.size, describeProcessors(p.floor.processors), p.size, describeProcessors(p.processors), p.ready.slowest)
	}
	w.WriteString("\n")
}

func (r *report) costs(w *strings.Builder) {
	w.WriteString(`## Requests, passes, memory and queues

| Channels in pools | writes a Channel (at most 2 asked) | events | reads | passes | operator's processor | heap a Channel (at most 12 KB asked) | p99 in a queue (at most 1 s asked) | over 1 s |
|---|---|---|---|---|---|---|---|---|
`)
	for _, rounds := range r.pooled {
		each := func(pick func(pooled) int) float64 {
			return medianOf(rounds, func(p pooled) float64 { return float64(pick(p)) / float64(p.size) })
		}
		fmt.Fprintf(w, "| %d | **%.2f** | %.2f | %.2f | %.2f | %.1f ms | **%.1f KB** | **at most %.2g s** | %.2f %% |\n", rounds[0].size,
			each(func(p pooled) int { writes, _ := p.during.writes(); return writes }),
			each(func(p pooled) int { _, events := p.during.writes(); return events }),
			each(func(p pooled) int { return p.during.reads() }),
			medianOf(rounds, pooled.passesEach), medianOf(rounds, pooled.processorEach), medianOf(rounds, pooled.heapEach),
			medianOf(rounds, func(p pooled) float64 { bound, _ := p.during.waited(allQueues); return bound }),
			medianOf(rounds, func(p pooled) float64 { _, over := p.during.waited(allQueues); return over }))
	}
	w.WriteString(`
All figures are for each Channel. Writes are all requests of the operator that change something, those for pools and Brands
included; events are counted for themselves. Reads are those that ask the API server and not the cache; a pass is a look at the
Channel; the processor time is that until all were Ready. The heap is what lives after a collection, less what lived before there were the Channels and their Secrets. The queue
time is the metric workqueue_queue_duration_seconds of all controllers, whose buckets are powers of ten.

`)
	for _, rounds := range r.pooled {
		p := rounds[len(rounds)-1]
		fmt.Fprintf(w, "- %d: writes %s; reads %s; reconciles %s; over a second in a queue: %s\n", p.size,
			describeRequests(p.during.Writes), describeRequests(p.during.Reads), describeReconciles(p.during.Reconciles), p.during.describeWaits())
	}
	w.WriteString("\n")
}

func (r *report) quiet(w *strings.Builder) {
	fmt.Fprintf(w, `## An edit that concerns everybody, and a restart

The SkillGroup that all Channels of a Brand name in their routing is edited: that of one Brand, then those of all %d at once. Then the
operator is stopped and started, with everything Ready; it is at rest once it has looked at every Channel and its queues are empty.
The reconciles include those by which the replicas of every pool are asked again all 30 s.

| Channels in pools | | writes | reconciles |
|---|---|---|---|
`, r.brands)
	for _, rounds := range r.pooled {
		p := rounds[len(rounds)-1]
		fmt.Fprintf(w, "| %d | one group | %s | %s |\n", p.size, describeRequests(p.one.Writes), describeReconciles(p.one.Reconciles))
		fmt.Fprintf(w, "| | all groups | %s | %s |\n", describeRequests(p.all.Writes), describeReconciles(p.all.Reconciles))
		fmt.Fprintf(w, "| | restart, at rest after %s | **%s** (0 asked) | %s |\n", seconds(p.restartTook), describeRequests(p.restart.Writes), describeReconciles(p.restart.Reconciles))
	}
	w.WriteString("\n")
}

func (r *report) isolation(w *strings.Builder) {
	d := r.dedicated
	if d.missing != "" || d.size == 0 {
		if d.missing != "" {
			fmt.Fprintf(w, "## Channels with a pool of their own\n\nNot measured: %s.\n\n", d.missing)
		}
		return
	}
	writes, events := d.during.writes()
	bound, _ := d.during.waited(allQueues)
	fmt.Fprintf(w, `## Channels with a pool of their own

%d Channels with isolation Dedicated. The floor creates the same objects: for each Channel the %d that there are with its pool's, the
Deployments without pods, and patches the status of the Channel. The product has pods made, bound, run and asked as well, which is
the work of Kubernetes: so there is a second floor, whose Deployments have their pods, and which patches when these run.

| floor, Channels alone | floor, all objects | floor, with pods | product | ratio to all objects (at least 0.5 asked) | ratio to those with pods | writes a Channel | events a Channel | heap a Channel | p99 in a queue |
|---|---|---|---|---|---|---|---|---|---|
| %s | %s | %s | %s | **%.2f** | %.2f | %.2f | %.2f | %.1f KB | at most %.2g s |

- processor seconds, floor with all objects: %s
- processor seconds, floor with pods: %s
- processor seconds, product: %s
- writes: %s
- reads: %s
- reconciles: %s

`, d.size, d.objects, seconds(d.bare.sum()), seconds(d.floor.sum()), seconds(d.running.sum()), seconds(d.ready.took), d.ratio(), d.ratioRunning(),
		float64(writes)/float64(d.size), float64(events)/float64(d.size), (float64(d.during.Heap)-float64(d.before))/float64(d.size)/1024, bound,
		describeProcessors(d.floor.processors), describeProcessors(d.running.processors), describeProcessors(d.processors), describeRequests(d.during.Writes), describeRequests(d.during.Reads), describeReconciles(d.during.Reconciles))
}
