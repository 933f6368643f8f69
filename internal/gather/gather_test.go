package gather

import (
	"testing"
	"time"
)

// gatherer is one that spaces by one to three seconds, at a time that the test sets.
func gatherer(now *time.Time) *Gatherer[string] {
	return New[string](func() time.Time { return *now }, time.Second, 3*time.Second)
}

func TestAfter(t *testing.T) {
	const ms = time.Millisecond
	for name, tt := range map[string]struct {
		// changes are when the object changed, want how long after the start it is woken for each.
		changes, want []time.Duration
	}{
		"a change alone wakes soon":                      {[]time.Duration{0}, []time.Duration{200 * ms}},
		"what comes at the same time is one pass":        {[]time.Duration{0, 10 * ms, 199 * ms}, []time.Duration{200 * ms, 200 * ms, 200 * ms}},
		"a change after the pass waits for the next one": {[]time.Duration{0, 200 * ms, 210 * ms}, []time.Duration{200 * ms, 1200 * ms, 1200 * ms}},
		"a stream of changes is spaced more and more": {
			[]time.Duration{0, 600 * ms, 1300 * ms, 3100 * ms, 3300 * ms, 6300 * ms},
			[]time.Duration{200 * ms, 1200 * ms, 3200 * ms, 3200 * ms, 6200 * ms, 9200 * ms},
		},
		"a trickle is spaced as before": {
			[]time.Duration{0, 300 * ms, 3100 * ms, 3400 * ms},
			[]time.Duration{200 * ms, 1200 * ms, 3300 * ms, 5300 * ms},
		},
		"a change after a pause wakes soon again":  {[]time.Duration{0, 5000 * ms}, []time.Duration{200 * ms, 5200 * ms}},
		"a change late in the pause still settles": {[]time.Duration{0, 1100 * ms}, []time.Duration{200 * ms, 1300 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Unix(0, 0)
			now := start
			g := gatherer(&now)
			for i, at := range tt.changes {
				now = start.Add(at)
				if got := now.Add(g.after("pool")).Sub(start); got != tt.want[i] {
					t.Errorf("change at %s: woken at %s, want %s", at, got, tt.want[i])
				}
			}
		})
	}
}

func TestRequestsDoNotWaitForOneAnother(t *testing.T) {
	now := time.Unix(0, 0)
	g := gatherer(&now)
	g.after("one")
	now = now.Add(settle)
	if got := g.after("other"); got != settle {
		t.Errorf("waits %s, want %s", got, settle)
	}
}

func TestWhatDoesNotChangeAnyMoreIsForgotten(t *testing.T) {
	now := time.Unix(0, 0)
	g := gatherer(&now)
	g.after("gone")
	now = now.Add(time.Minute)
	g.after("here")
	if len(g.wakes) != 1 {
		t.Errorf("knows of %d requests, want 1", len(g.wakes))
	}
}
