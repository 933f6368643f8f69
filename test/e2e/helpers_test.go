package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadingTheEnvironmentFile(t *testing.T) {
	got, err := parseEnv("# made by make up\nexport A=1\nexport B='postgres://u:p=w@h/d'\n\nC=\"x y\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"A": "1", "B": "postgres://u:p=w@h/d", "C": "x y"}, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if _, err := parseEnv("export nothing"); err == nil {
		t.Error("a line without a value was taken")
	}
}

func TestTheNextOpeningIsAFullMinuteAhead(t *testing.T) {
	for name, c := range map[string]struct{ now, want string }{
		"the coming minute is far enough": {"12:00:30", "12:01:00"},
		"the coming minute is too near":   {"12:00:55", "12:02:00"},
		"exactly the lead away":           {"12:00:50", "12:01:00"},
		"over the hour":                   {"12:59:20", "13:00:00"},
	} {
		t.Run(name, func(t *testing.T) {
			now, _ := time.Parse(time.TimeOnly, c.now)
			if got := nextOpening(now, 10*time.Second).Format(time.TimeOnly); got != c.want {
				t.Errorf("opening %s, want %s", got, c.want)
			}
		})
	}
}

func TestCountingMessages(t *testing.T) {
	three := []written{{"a", "1", 1, true}, {"a", "2", 2, true}, {"b", "3", 1, false}}
	for name, c := range map[string]struct {
		transcript []kept
		want       messageCounts
	}{
		"everything that got success is there": {
			[]kept{{"a", "1"}, {"a", "2"}},
			messageCounts{Written: 3, Success: 2, Kept: 2},
		},
		"a refused message may be there all the same": {
			[]kept{{"a", "1"}, {"b", "3"}, {"a", "2"}},
			messageCounts{Written: 3, Success: 2, Kept: 3},
		},
		"one is missing": {
			[]kept{{"a", "2"}},
			messageCounts{Written: 3, Success: 2, Kept: 1, Missing: 1},
		},
		"one is there twice": {
			[]kept{{"a", "1"}, {"a", "1"}, {"a", "2"}},
			messageCounts{Written: 3, Success: 2, Kept: 3, Repeated: 1},
		},
		"two are the wrong way round": {
			[]kept{{"a", "2"}, {"a", "1"}},
			messageCounts{Written: 3, Success: 2, Kept: 2, OutOfOrder: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := auditMessages(three, c.transcript)
			bad := got.Missing + got.Repeated + got.OutOfOrder
			if len(got.Findings) != bad {
				t.Errorf("%d findings for %d faults: %v", len(got.Findings), bad, got.Findings)
			}
			got.Findings = nil
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCountingReplies(t *testing.T) {
	for name, c := range map[string]struct {
		reply   reply
		shown   delivery
		arrived int
		want    replyCounts
	}{
		"delivered and arrived":           {reply{"x", true}, delivery{State: "delivered"}, 1, replyCounts{Delivered: 1}},
		"delivered and not arrived":       {reply{"x", true}, delivery{State: "delivered"}, 0, replyCounts{Delivered: 1, Wrong: 1}},
		"arrived twice":                   {reply{"x", true}, delivery{State: "delivered"}, 2, replyCounts{Delivered: 1, Twice: 1}},
		"failed and not arrived":          {reply{"x", true}, delivery{State: "failed", Reason: "QuotaSpent"}, 0, replyCounts{Failed: 1, Reasons: map[string]int{"QuotaSpent": 1}}},
		"failed and arrived":              {reply{"x", true}, delivery{State: "failed", Reason: "R"}, 1, replyCounts{Failed: 1, Wrong: 1, Reasons: map[string]int{"R": 1}}},
		"unknown and arrived":             {reply{"x", true}, delivery{State: "unknown", Reason: "R"}, 1, replyCounts{Unknown: 1, Reasons: map[string]int{"R": 1}}},
		"unknown and not arrived":         {reply{"x", true}, delivery{State: "unknown", Reason: "R"}, 0, replyCounts{Unknown: 1, Reasons: map[string]int{"R": 1}}},
		"neither arrived nor spoken of":   {reply{"x", true}, delivery{State: "sending"}, 0, replyCounts{Silent: 1}},
		"not taken by the desk, not sent": {reply{"x", false}, delivery{}, 0, replyCounts{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := auditReplies([]reply{c.reply}, map[string]delivery{"x": c.shown}, map[string]int{"x": c.arrived})
			c.want.Tried = 1
			if c.reply.accepted {
				c.want.Accepted = 1
			}
			if c.want.Reasons == nil {
				c.want.Reasons = map[string]int{}
			}
			got.Findings = nil
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReporting(t *testing.T) {
	one := outcome{
		Fault: "kills", Kills: 9, Settled: 1234 * time.Millisecond,
		Messages: messageCounts{Written: 10, Success: 9, Kept: 9},
		Replies:  replyCounts{Accepted: 3, Delivered: 2, Failed: 1, Reasons: map[string]int{"QuotaSpent": 1}},
	}
	if one.failed() {
		t.Error("a failed reply that is shown is no failure of the product")
	}
	var table strings.Builder
	if err := printTable(&table, []outcome{one}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{table.String(), markdown("kfake", []outcome{one})} {
		for _, want := range []string{"kills", "out of order", "1.2s", "QuotaSpent 1"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in:\n%s", want, text)
			}
		}
	}
	if len(one.row()) != len(columns()) {
		t.Errorf("%d cells for %d columns", len(one.row()), len(columns()))
	}
}
