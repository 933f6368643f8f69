package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// perThousand is the processor time since a reading, by kind, for each 1,000 messages.
func perThousand(before map[string]usage, messages float64) map[string]float64 {
	out := map[string]float64{}
	for kind, seconds := range spent(before, usages()) {
		out[kind] = seconds / messages * 1000
	}
	return out
}

func memory() map[string]float64 {
	out := map[string]float64{}
	for kind, u := range usages() {
		out[kind] = u.rssMiB
	}
	return out
}

func medians(rounds []map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for kind := range rounds[0] {
		var values []float64
		for _, round := range rounds {
			values = append(values, round[kind])
		}
		out[kind] = median(values)
	}
	return out
}

func costOf(rounds []map[string]float64) string { return describe(medians(rounds), "%.2f s") }

func describe(values map[string]float64, format string) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, kind+" "+fmt.Sprintf(format, values[kind]))
	}
	return strings.Join(parts, ", ")
}

// percentiles of one measurement.
type percentiles struct{ p50, p99, max time.Duration }

func (p percentiles) String() string {
	return fmt.Sprintf("p50 %s p99 %s max %s", ms(p.p50), ms(p.p99), ms(p.max))
}

func percentilesOf(took []time.Duration) percentiles {
	slices.Sort(took)
	return percentiles{took[len(took)/2], took[len(took)*99/100], took[len(took)-1]}
}

func medianOf(rounds []percentiles) percentiles {
	pick := func(f func(percentiles) time.Duration) time.Duration {
		var values []time.Duration
		for _, r := range rounds {
			values = append(values, f(r))
		}
		return median(values)
	}
	return percentiles{
		pick(func(p percentiles) time.Duration { return p.p50 }), pick(func(p percentiles) time.Duration { return p.p99 }),
		pick(func(p percentiles) time.Duration { return p.max }),
	}
}

func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
