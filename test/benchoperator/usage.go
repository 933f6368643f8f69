package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const clockTicks = 100 // USER_HZ is 100 on every Linux that Go runs on.

// processorSeconds reads /proc for this process and all that it started.
func processorSeconds() map[string]float64 {
	used := map[string]float64{}
	own := strconv.Itoa(os.Getpid())
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // It ended meanwhile.
		}
		head, rest, _ := cutLast(string(text), ")")
		fields := strings.Fields(rest)
		const parent, utime, stime = 1, 11, 12 // proc(5), counted from the state
		pid, _, _ := strings.Cut(head, " ")
		if len(fields) <= stime || fields[parent] != own && pid != own {
			continue
		}
		user, _ := strconv.ParseFloat(fields[utime], 64)
		system, _ := strconv.ParseFloat(fields[stime], 64)
		name := "load"
		if pid != own {
			name = processName(filepath.Dir(path))
		}
		used[name] += (user + system) / clockTicks
	}
	return used
}

// processName is the role of a process of this program, or the program's name.
func processName(proc string) string {
	cmdline, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	args := strings.Split(string(cmdline), "\x00")
	if err != nil || args[0] == "" {
		return "ended"
	}
	if len(args) > 1 && (args[1] == roleOperator || args[1] == roleLoader) {
		return args[1]
	}
	return filepath.Base(args[0])
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// spent is the processor time between two readings; what ended in between is left out.
func spent(before, after map[string]float64) map[string]float64 {
	used := map[string]float64{}
	for name, s := range after {
		if s -= before[name]; s >= 0.1 {
			used[name] = s
		}
	}
	return used
}
