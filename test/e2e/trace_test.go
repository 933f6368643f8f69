//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/hack/traces"
)

// The spans of the way in, which every way out begins with.
func wayIn() []string { return []string{"webhook", "keep message", "router dev.yingda.inbound.v1"} }

// TestStoryTraces follows messages through the processes: one trace from the platform's call to the agent's frame, one from
// the agent's answer to the platform, and the promises in the trace of the message that called for them.
func TestStoryTraces(t *testing.T) {
	stack := open(t)
	if stack.env["TRACES_URL"] == "" {
		t.Fatal("there is no TRACES_URL in .run/env: run make up")
	}
	stack.staffed(t)
	s := &story{stack, t, stack.agent.listen(t, fromNow)}
	// A stream that has just begun reads the first frames from Postgres, where they have no trace.
	s.meets(t, s.customer("before"), "先来一句")
	c := s.customer("traced")

	began := time.Now()
	given := s.meets(t, c, "第一句的秘密")
	first := s.traced(t, "webhook", began, "desk frame")
	pathIs(t, first, "desk frame", append(wayIn(), "router queue", "outbox kafka", "desk frame"))

	began = time.Now()
	c.writes(t, "第二句的秘密")
	s.stream.shows(t, given.ID, "第二句的秘密")
	second := s.traced(t, "webhook", began, "desk frame")
	pathIs(t, second, "desk frame", append(wayIn(), "outbox kafka", "desk frame"))
	if diff := cmp.Diff([]string{"yingda-connector", "yingda-desk", "yingda-router"}, second.Services); diff != "" {
		t.Errorf("services of a customer's message (-want +got):\n%s", diff)
	}

	began = time.Now()
	s.agent.replies(t, c, given.ID, "回答的秘密")
	answer := s.traced(t, "desk POST", began, "deliver", "router dev.yingda.delivery.v1")
	pathIs(t, answer, "router dev.yingda.delivery.v1",
		[]string{"desk POST /api/conversations/{id}/messages", "outbox kafka", "deliver", "router dev.yingda.delivery.v1"})

	began = time.Now()
	c.writes(t, "我要投诉")
	complained := s.traced(t, "webhook", began, "StartWorkflow:Complaint", "RunActivity:complaint.Acknowledge", "deliver")
	pathIs(t, complained, "StartWorkflow:Complaint", append(wayIn(), "outbox temporal", "StartWorkflow:Complaint"))
	// The workflow's own span arrives when the workflow ends, hours from now; what it has done so far hangs in the same trace.
	pathIs(t, complained, "RunActivity:complaint.Acknowledge", []string{"StartActivity:complaint.Acknowledge", "RunActivity:complaint.Acknowledge"})
	// The router says it, before anything else: the process sees that it was said.
	pathIs(t, complained, "deliver", append(wayIn(), "outbox kafka", "deliver"))

	must(t, s.supervisor.resolve(t.Context(), given.ID, "已致歉"))

	for _, one := range []traces.Trace{first, second, answer, complained} {
		silent(t, one, c.openid, "秘密", "投诉")
	}
}

// traced waits for a trace that began since a moment and holds spans of all these names.
func (s *stack) traced(t *testing.T, root string, since time.Time, names ...string) traces.Trace {
	t.Helper()
	base := s.env["TRACES_URL"] + "/api/traces"
	query := url.Values{"name": {root}, "since": {since.UTC().Format(time.RFC3339Nano)}, "limit": {"10"}}
	var found traces.Trace
	await(t, "a trace of "+root+" with "+strings.Join(names, ", "), soon, func(ctx context.Context) ([]traces.Trace, error) {
		var list struct {
			Traces []traces.Summary `json:"traces"`
		}
		if err := call(ctx, http.MethodGet, base+"?"+query.Encode(), "", nil, &list); err != nil {
			return nil, err
		}
		all := make([]traces.Trace, len(list.Traces))
		for i, summary := range list.Traces {
			if err := call(ctx, http.MethodGet, base+"/"+summary.ID, "", nil, &all[i]); err != nil {
				return nil, err
			}
		}
		return all, nil
	}, func(all []traces.Trace) bool {
		i := slices.IndexFunc(all, func(one traces.Trace) bool { return whole(one, names) })
		if i >= 0 {
			found = all[i]
		}
		return i >= 0
	})
	return found
}

// whole says that the trace has come to its end in all processes: it has what is waited for, and no parent is missing but
// the workflow's.
func whole(one traces.Trace, names []string) bool {
	for _, name := range names {
		if !slices.ContainsFunc(one.Spans, func(span traces.Span) bool { return span.Name == name }) {
			return false
		}
	}
	for _, span := range one.Spans {
		root := one.Path(span.ID)[0]
		if root.Parent != "" && !strings.HasPrefix(root.Name, "StartActivity:") {
			return false
		}
	}
	return true
}

// pathIs looks at the names from the root to the first span of a name, and at their times.
func pathIs(t *testing.T, one traces.Trace, name string, want []string) {
	t.Helper()
	i := slices.IndexFunc(one.Spans, func(span traces.Span) bool { return span.Name == name })
	var got []string
	var before time.Time
	for _, span := range one.Path(one.Spans[i].ID) {
		got = append(got, span.Name)
		if span.Start.Before(before) {
			t.Errorf("%s began before what it comes from: %s", span.Name, describe(one))
		}
		before = span.Start
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the way to %s (-want +got):\n%s\n%s", name, diff, describe(one))
	}
}

// silent fails when a trace tells anything of what customers said or who they are.
func silent(t *testing.T, one traces.Trace, secrets ...string) {
	t.Helper()
	text := describe(one)
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("a trace holds %q: %s", secret, text)
		}
	}
}
