package schedule

import (
	"fmt"
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

// rotating is as many rotations as a schedule may have, two shifts a day of which are on.
func rotating(tb testing.TB) *Schedule {
	tb.Helper()
	spec := weekly("Europe/Berlin")
	for i := range maxWeeklyShifts {
		rule, anchor := fmt.Sprintf("FREQ=DAILY;INTERVAL=%d", maxWeeklyShifts/2), time.Date(2026, 1, 1+i/2, 0, 0, 0, 0, time.UTC)
		if i%4 == 0 {
			rule = "FREQ=MONTHLY;BYDAY=2MO,-1FR;BYMONTHDAY=-3,-2,-1,8,9,10"
		}
		sh := shiftOf(fmt.Sprintf("team-%d", i), []string{"06:00", "14:00"}[i%2], "8h", 1, peakOf("busy", []string{"10:00", "18:00"}[i%2], "3h", 2))
		spec.Shifts = append(spec.Shifts, rotation(rule, anchor.Format(time.DateOnly), sh))
	}
	return mustCompile(tb, spec).With(mustCompileCalendars(tb, china(tb))...)
}

func BenchmarkAt(b *testing.B) {
	b.Run("32-rotations", func(b *testing.B) {
		s, at := rotating(b), questions()["midseason"]
		b.ReportAllocs()
		for b.Loop() {
			s.At(at)
		}
	})
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

// BenchmarkYear expands a year into its States.
func BenchmarkYear(b *testing.B) {
	for name, s := range map[string]*Schedule{"weekly": asked(b), "32-rotations": rotating(b)} {
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, s.Location())
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range s.Spans(from, from.AddDate(1, 0, 0)) {
				}
			}
		})
	}
}

// BenchmarkGaps finds those of a fortnight, as the status shows them.
func BenchmarkGaps(b *testing.B) {
	s := asked(b)
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, s.Location())
	b.ReportAllocs()
	for b.Loop() {
		s.Gaps(from, from.AddDate(0, 0, 14))
	}
}
