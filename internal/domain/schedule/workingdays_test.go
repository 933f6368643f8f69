package schedule

import (
	"testing"
	"time"
)

func TestAddWorkingDays(t *testing.T) {
	national := mustCompile(t, lumi()).With(mustCompileCalendars(t, calendarOf(
		workday("2026-09-27", ""), off("2026-10-01"), off("2026-10-02"), off("2026-10-05"), off("2026-10-06"), off("2026-10-07"), workday("2026-10-10", ""), sale("2026-11-11"),
	))...)
	for name, tt := range map[string]struct {
		s    *Schedule
		from string
		n    int
		want string
	}{
		"the day itself does not count":              {Bare(), "2026-11-23 00:00", 1, "2026-11-25"},
		"three days of a week":                       {Bare(), "2026-11-23 23:59", 3, "2026-11-27"},
		"over a weekend":                             {Bare(), "2026-11-26 10:00", 3, "2026-12-02"},
		"from a weekend":                             {Bare(), "2026-11-28 10:00", 1, "2026-12-01"},
		"over the national holiday and its Saturday": {national, "2026-09-30 10:00", 3, "2026-10-11"},
		"a Sunday that is worked counts":             {national, "2026-09-25 10:00", 1, "2026-09-28"},
		"a sale is a working day like any other":     {national, "2026-11-10 10:00", 1, "2026-11-12"},
		"none is the end of the day":                 {Bare(), "2026-11-23 10:00", 0, "2026-11-24"},
	} {
		t.Run(name, func(t *testing.T) {
			from, err := time.ParseInLocation("2006-01-02 15:04", tt.from, tt.s.Location())
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.s.AddWorkingDays(from.UTC(), tt.n).Format("2006-01-02"); got != tt.want {
				t.Errorf("until %s, want %s", got, tt.want)
			}
		})
	}
}
