package schedule

import (
	"testing"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestDayKind(t *testing.T) {
	s := mustCompile(t, lumi()).With(mustCompileCalendars(t,
		calendarOf(off("2026-10-01"), workday("2026-10-10", yingdav1.Thursday), workday("2026-10-11", ""), off("2026-11-11")),
		calendarOf(sale("2026-11-11")),
	)...)
	for name, tt := range map[string]struct {
		date    string
		kind    yingdav1.CalendarDayKind
		follows time.Weekday
	}{
		"a date that none lists":      {"2026-10-05", "", 0},
		"a day off":                   {"2026-10-01", yingdav1.CalendarDayOff, 0},
		"a make-up workday":           {"2026-10-10", yingdav1.CalendarDayWorkday, time.Thursday},
		"one that says no more":       {"2026-10-11", yingdav1.CalendarDayWorkday, time.Monday},
		"of two calendars, the later": {"2026-11-11", yingdav1.CalendarDayPeak, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, clock := range []string{"00:00", "23:59"} {
				at, err := time.ParseInLocation("2006-01-02 15:04", tt.date+" "+clock, s.Location())
				if err != nil {
					t.Fatal(err)
				}
				if kind, follows := s.DayKind(at.UTC()); kind != tt.kind || follows != tt.follows {
					t.Errorf("at %s it is %q for %s, want %q for %s", clock, kind, follows, tt.kind, tt.follows)
				}
			}
		})
	}
}
