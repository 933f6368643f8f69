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
	for _, text := range []string{table.String(), markdown(messagesHeading, "kfake", aboutMessages, []outcome{one})} {
		for _, want := range []string{"kills", "out of order", "1.2s", "QuotaSpent 1"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in:\n%s", want, text)
			}
		}
	}
	if len(one.row()) != len(one.columns()) {
		t.Errorf("%d cells for %d columns", len(one.row()), len(one.columns()))
	}
}

func TestCountingCases(t *testing.T) {
	whole := func() caseEnd {
		return caseEnd{
			Customer: "a", Script: "refund", Ended: true, Late: true, States: []string{"review", "done"},
			Steps: []string{"apply", "breach/0", "remind/0"}, Told: map[string]int{"xiaomei apply": 1},
			Moved: map[string]int{"refund/1": 1}, Read: map[string]int{"退款199元": 1},
		}
	}
	all := caseCounts{Cases: 1, Ended: 1, Deadlines: 2, News: 1, Orders: 1, Texts: 1}
	for name, c := range map[string]struct {
		happens func(*caseEnd)
		want    func(*caseCounts)
	}{
		"the same as without a fault":             {func(*caseEnd) {}, func(*caseCounts) {}},
		"what took long was announced as well":    {func(e *caseEnd) { e.Read["审核中"] = 1 }, func(c *caseCounts) { c.Texts = 2 }},
		"the time in a text is another":           {func(e *caseEnd) { e.Read = map[string]int{"退款200元": 1} }, func(*caseCounts) {}},
		"it has not ended":                        {func(e *caseEnd) { e.Ended = false }, func(c *caseCounts) { c.Ended, c.Lost = 0, 1 }},
		"it went another way":                     {func(e *caseEnd) { e.States = []string{"review", "rejected"} }, func(c *caseCounts) { c.Different = 1 }},
		"it was not marked as late":               {func(e *caseEnd) { e.Late = false }, func(c *caseCounts) { c.Different = 1 }},
		"a deadline was never taken":              {func(e *caseEnd) { e.Steps = e.Steps[:2] }, func(c *caseCounts) { c.Deadlines, c.MissedDeadlines = 1, 1 }},
		"a deadline was taken twice":              {func(e *caseEnd) { e.Steps = append(e.Steps, "remind/0") }, func(c *caseCounts) { c.Deadlines, c.Different = 3, 1 }},
		"a desk was never told":                   {func(e *caseEnd) { e.Told = nil }, func(c *caseCounts) { c.News, c.MissedNews = 0, 1 }},
		"a desk was told twice":                   {func(e *caseEnd) { e.Told["xiaomei apply"]++ }, func(c *caseCounts) { c.News, c.DoubledNews = 2, 1 }},
		"money never moved":                       {func(e *caseEnd) { e.Moved = nil }, func(c *caseCounts) { c.Orders, c.MissedOrders = 0, 1 }},
		"money moved under another attempt's key": {func(e *caseEnd) { e.Moved["refund/2"] = 1 }, func(c *caseCounts) { c.Orders, c.DoubledOrders = 2, 1 }},
		"the customer never read of it":           {func(e *caseEnd) { e.Read = nil }, func(c *caseCounts) { c.Texts, c.MissedTexts = 0, 1 }},
		"the customer read it twice":              {func(e *caseEnd) { e.Read["退款199元"]++ }, func(c *caseCounts) { c.Texts, c.DoubledTexts = 2, 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			end, want := whole(), all
			c.happens(&end)
			c.want(&want)
			got := auditCases(map[string]caseEnd{"refund": whole()}, []caseEnd{end})
			if got.failed() != (len(got.Findings) > 0) {
				t.Errorf("failed is %t, the findings are %q", got.failed(), got.Findings)
			}
			got.Findings = nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
	twice := auditCases(map[string]caseEnd{"refund": whole()}, []caseEnd{whole(), whole()})
	if twice.Surplus != 1 || !twice.failed() {
		t.Errorf("a second case of one customer: %+v", twice)
	}
}

func TestStepsOfCasesAreTheSameByName(t *testing.T) {
	got := stepsAlike([]string{"enter/1", "told/1", "begin/after-sales/lumi/lumi/0199c7a4-51d0-7d34-9a5c-0c6f6a8b1c11/refund/1"})
	if diff := cmp.Diff([]string{"begin/after-sales/lumi/lumi/*/refund/1", "enter/1"}, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestAChapterOfTheReportReplacesItsOwnAlone(t *testing.T) {
	old := "# What faults cost\n\nMeasured long ago, without chapters.\n"
	first := withChapter(old, casesHeading, casesHeading+"\n\nten\n")
	second := withChapter(first, messagesHeading, messagesHeading+"\n\na hundred\n")
	third := withChapter(second, casesHeading, casesHeading+"\n\ntwenty\n")
	for got, want := range map[string]string{
		first:  "# What faults cost\n\n## Cases\n\nten\n",
		second: "# What faults cost\n\n## Messages\n\na hundred\n\n## Cases\n\nten\n",
		third:  "# What faults cost\n\n## Messages\n\na hundred\n\n## Cases\n\ntwenty\n",
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("report (-want +got):\n%s", diff)
		}
	}
}
