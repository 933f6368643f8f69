package quality

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestDaysAndWeeksAreThoseOfTheTimeZone(t *testing.T) {
	t.Parallel()
	shanghai, berlin := location(t, "Asia/Shanghai"), location(t, "Europe/Berlin")
	at := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment.UTC()
	}
	for name, tc := range map[string]struct{ got, want Span }{
		"at four in the morning it is yesterday's": {
			DayBefore(at("2026-11-22T04:00:00+08:00"), shanghai),
			Span{"2026-11-21", at("2026-11-21T00:00:00+08:00"), at("2026-11-22T00:00:00+08:00")},
		},
		"the day on which clocks go back has 25 hours": {
			DayBefore(at("2026-10-26T04:00:00+01:00"), berlin),
			Span{"2026-10-25", at("2026-10-25T00:00:00+02:00"), at("2026-10-26T00:00:00+01:00")},
		},
		"on Monday it is the week that ended": {
			WeekBefore(at("2026-11-23T05:00:00+08:00"), shanghai),
			Span{"2026-W47", at("2026-11-16T00:00:00+08:00"), at("2026-11-23T00:00:00+08:00")},
		},
		"on Sunday too": {
			WeekBefore(at("2026-11-22T23:59:59+08:00"), shanghai),
			Span{"2026-W46", at("2026-11-09T00:00:00+08:00"), at("2026-11-16T00:00:00+08:00")},
		},
		"weeks at the turn of the year have the year of their Thursday": {
			WeekBefore(at("2027-01-04T05:00:00+08:00"), shanghai),
			Span{"2026-W53", at("2026-12-28T00:00:00+08:00"), at("2027-01-04T00:00:00+08:00")},
		},
		"thirteen weeks end with the last": {
			WeekBefore(at("2026-11-23T05:00:00+08:00"), shanghai).Last(13, shanghai),
			Span{"2026-W47-13w", at("2026-08-24T00:00:00+08:00"), at("2026-11-23T00:00:00+08:00")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, tc.got); diff != "" {
				t.Errorf("span (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWeeksHaveNames(t *testing.T) {
	t.Parallel()
	shanghai := location(t, "Asia/Shanghai")
	for moment := time.Date(2019, 12, 23, 12, 0, 0, 0, shanghai); moment.Year() < 2034; moment = moment.AddDate(0, 0, 1) {
		want := WeekBefore(moment, shanghai)
		got, err := Week(want.Name, shanghai)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("the week %s (-want +got), err %v:\n%s", want.Name, err, diff)
		}
	}
	for _, name := range []string{"", "W47", "2026-W54", "2026-W00", "2026-W4", "2026-W47x"} {
		if got, err := Week(name, shanghai); err == nil {
			t.Errorf("%q is the week %v", name, got)
		}
	}
}
