package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// usage is what the processes of one kind have used so far.
type usage struct {
	cpuSeconds float64
	rssMiB     float64
}

const (
	clockTicks = 100 // USER_HZ is 100 on every Linux that Go runs on.
	mebibyte   = 1 << 20
)

// ownKind is this process: what the load itself costs.
const ownKind = "load"

// processKinds names the processes of the stack by a part of their command line.
func processKinds() map[string]string {
	return map[string]string{
		"connector": "/yingda\x00connector\x00", "router": "/yingda\x00router\x00", "desk": "/yingda\x00desk\x00",
		"kafka": "stack\x00kafka\x00", "apache kafka": "kafka.Kafka", "postgres": "bin/postgres\x00", "postgres session": "postgres: ",
	}
}

// usages reads /proc for all processes of the stack.
func usages() map[string]usage {
	found := map[string]usage{}
	entries, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, entry := range entries {
		cmdline, err := os.ReadFile(entry)
		if err != nil {
			continue
		}
		for kind, part := range processKinds() {
			if !strings.Contains(string(cmdline), part) || strings.Contains(string(cmdline), "bench") {
				continue
			}
			u, err := usageOf(filepath.Dir(entry))
			if err != nil {
				continue
			}
			sum := found[kind]
			found[kind] = usage{sum.cpuSeconds + u.cpuSeconds, sum.rssMiB + u.rssMiB}
		}
	}
	if own, err := usageOf("/proc/self"); err == nil {
		found[ownKind] = own
	}
	return found
}

func usageOf(proc string) (usage, error) {
	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return usage{}, fmt.Errorf("reading process status: %w", err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const utime, stime, rss = 11, 12, 21 // proc(5), counted from the state
	if len(fields) <= rss {
		return usage{}, fmt.Errorf("reading process status: %d fields", len(fields))
	}
	var values [3]float64
	for i, index := range []int{utime, stime, rss} {
		n, err := strconv.ParseInt(fields[index], 10, 64)
		if err != nil {
			return usage{}, fmt.Errorf("reading process status: %w", err)
		}
		values[i] = float64(n)
	}
	return usage{cpuSeconds: (values[0] + values[1]) / clockTicks, rssMiB: values[2] * float64(os.Getpagesize()) / mebibyte}, nil
}

// spent is the processor time between two readings, by kind.
func spent(before, after map[string]usage) map[string]float64 {
	out := map[string]float64{}
	for kind, u := range after {
		out[kind] = u.cpuSeconds - before[kind].cpuSeconds
	}
	return out
}
