package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/hack/traces"
)

func TestAJourneyIsReadFromATrace(t *testing.T) {
	began := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	span := func(id, parent string, name int, startMs int, durationMs float64) traces.Span {
		return traces.Span{ID: id, Parent: parent, Name: journeySpans()[name], Start: began.Add(time.Duration(startMs) * time.Millisecond), DurationMs: durationMs}
	}
	whole := []traces.Span{
		span("a", "", 0, 0, 6), span("b", "a", 1, 1, 4), span("c", "b", 2, 8, 7), span("d", "c", 3, 20, 9), span("e", "d", 4, 31, 2),
	}
	want := make(journey, len(journeyStages()))
	for i, milliseconds := range []int{1, 4, 3, 7, 5, 9, 2, 2, 33} {
		want[i] = time.Duration(milliseconds) * time.Millisecond
	}
	got, ok := journeyOf(traces.Trace{Spans: whole})
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("journey (-want +got):\n%s", diff)
	}
	if len(want) != len(journeyStages()) {
		t.Errorf("%d times for %d stages", len(want), len(journeyStages()))
	}
	for missing := range whole {
		var part []traces.Span
		for i, s := range whole {
			if i != missing {
				part = append(part, s)
			}
		}
		if got, ok := journeyOf(traces.Trace{Spans: part}); ok {
			t.Errorf("without %q the trace was taken for whole: %v", whole[missing].Name, got)
		}
	}
}
