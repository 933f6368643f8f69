package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// percentiles of one measurement.
type percentiles struct{ p50, p99, max time.Duration }

func percentilesOf(took []time.Duration) percentiles {
	slices.Sort(took)
	return percentiles{took[len(took)/2], took[len(took)*99/100], took[len(took)-1]}
}

// since is what happened between two looks at the operator.
func (s stats) since(before stats) stats {
	d := stats{
		Writes: more(s.Writes, before.Writes), Reads: more(s.Reads, before.Reads), Heap: s.Heap,
		Reconciles: more(s.Reconciles, before.Reconciles), Waited: map[string][]bucket{},
	}
	for controller, buckets := range s.Waited {
		for _, b := range buckets {
			for _, was := range before.Waited[controller] {
				if was.Bound == b.Bound {
					b.Count -= was.Count
				}
			}
			d.Waited[controller] = addTo(d.Waited[controller], b)
			d.Waited[allQueues] = addTo(d.Waited[allQueues], b)
		}
	}
	return d
}

// more is by how much counts grew, where they did.
func more[V int | float64](counts, before map[string]V) map[string]V {
	grown := map[string]V{}
	for key, count := range counts {
		if count -= before[key]; count > 0 {
			grown[key] = count
		}
	}
	return grown
}

// allQueues stands for the queues of all controllers.
const allQueues = "all"

// writes are all but events, which are counted for themselves.
func (s stats) writes() (writes, events int) {
	for key, count := range s.Writes {
		if strings.HasSuffix(key, " events") {
			events += count
		} else {
			writes += count
		}
	}
	return writes, events
}

// reads are all requests that change nothing.
func (s stats) reads() int {
	reads := 0
	for _, count := range s.Reads {
		reads += count
	}
	return reads
}

// waited is the upper bound of what 99 of 100 items waited in a controller's queue, and the share of those, in a hundred, that
// waited over a second.
func (s stats) waited(controller string) (bound, overOneSecond float64) {
	buckets := slices.SortedFunc(slices.Values(s.Waited[controller]), func(a, b bucket) int { return cmp.Compare(a.Bound, b.Bound) })
	if len(buckets) == 0 {
		return 0, 0
	}
	all := float64(buckets[len(buckets)-1].Count)
	if all == 0 {
		return 0, 0
	}
	for _, b := range slices.Backward(buckets) {
		if float64(b.Count) >= 0.99*all {
			bound = b.Bound
		}
		if math.Abs(b.Bound-1) < 0.5 {
			overOneSecond = 100 * (1 - float64(b.Count)/all)
		}
	}
	return bound, overOneSecond
}

// describeWaits says of each queue how many of a hundred items waited in it for more than a second.
func (s stats) describeWaits() string {
	over := map[string]float64{}
	for controller := range s.Waited {
		if _, share := s.waited(controller); share > 0 {
			over[controller] = share
		}
	}
	return describe(over, func(a, b string) int { return cmp.Compare(over[b], over[a]) }, "%.1f %%")
}

func describeRequests(requests map[string]int) string {
	return describe(requests, func(a, b string) int { return cmp.Compare(requests[b], requests[a]) }, "%d")
}

func describeReconciles(reconciles map[string]float64) string {
	return describe(reconciles, func(a, b string) int { return cmp.Compare(reconciles[b], reconciles[a]) }, "%.0f")
}

func describeProcessors(used map[string]float64) string {
	return describe(used, func(a, b string) int { return cmp.Compare(used[b], used[a]) }, "%.1f s")
}

func describe[V any](values map[string]V, order func(a, b string) int, format string) string {
	if len(values) == 0 {
		return "none"
	}
	var parts []string
	for _, key := range slices.SortedStableFunc(maps.Keys(values), order) {
		parts = append(parts, key+" "+fmt.Sprintf(format, values[key]))
	}
	return strings.Join(parts, ", ")
}

func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// medianOf is the median of a figure over the rounds of a measurement.
func medianOf[T cmp.Ordered](rounds []pooled, figure func(pooled) T) T {
	values := make([]T, 0, len(rounds))
	for _, round := range rounds {
		values = append(values, figure(round))
	}
	return median(values)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
