package schedule

import (
	"testing"
	"time"
)

// questions are the moments that cost most and least: in the middle of a season, and on the day of a change of clocks.
func questions() map[string]time.Time {
	return map[string]time.Time{
		"midseason":       time.Date(2026, 7, 15, 16, 30, 0, 0, time.UTC),
		"change-of-clock": time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC),
	}
}

func BenchmarkAt(b *testing.B) {
	for name, at := range questions() {
		spec := lumi()
		spec.TimeZone = "America/New_York"
		s := mustCompile(b, spec)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.At(at)
			}
		})
	}
}

func BenchmarkNextTransition(b *testing.B) {
	for name, at := range questions() {
		spec := lumi()
		spec.TimeZone = "America/New_York"
		s := mustCompile(b, spec)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.NextTransition(at)
			}
		})
	}
}

// TestAtDoesNotAllocate holds what the benchmark shows: routing asks for every message.
func TestAtDoesNotAllocate(t *testing.T) {
	spec := lumi()
	spec.TimeZone = "America/New_York"
	s := mustCompile(t, spec)
	for name, at := range questions() {
		if n := testing.AllocsPerRun(100, func() { s.At(at) }); n != 0 {
			t.Errorf("%s: At allocates %v times", name, n)
		}
	}
}
