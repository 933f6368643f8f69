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

// asked is a schedule with all that makes an answer longer: changes of clocks, overrides and calendars.
func asked(tb testing.TB) *Schedule {
	tb.Helper()
	spec := lumi()
	spec.TimeZone = "America/New_York"
	return mustCompile(tb, spec).With(mustCompileCalendars(tb, china(tb), calendarOf(sale("2026-06-18"), sale("2026-11-11")))...)
}

func BenchmarkAt(b *testing.B) {
	for name, at := range questions() {
		s := asked(b)
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
		s := asked(b)
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
	s := asked(t)
	for name, at := range questions() {
		if n := testing.AllocsPerRun(100, func() { s.At(at) }); n != 0 {
			t.Errorf("%s: At allocates %v times", name, n)
		}
	}
}
