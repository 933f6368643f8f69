package traces

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// collector is a running one.
type collector struct {
	endpoint string
	pages    *httptest.Server
}

func startCollector(t *testing.T, limits Limits) *collector {
	t.Helper()
	store := NewStore(limits)
	receiver := NewReceiver(store)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- receiver.Serve(listener) }()
	pages := httptest.NewServer(NewHandler(store))
	t.Cleanup(func() {
		pages.Close()
		receiver.Stop()
		if err := <-served; err != nil {
			t.Errorf("receiving: %v", err)
		}
	})
	return &collector{listener.Addr().String(), pages}
}

// provider exports to the collector as a service; what it is given arrives with its shutdown at the latest.
func (c *collector) provider(t *testing.T, service string) *sdktrace.TracerProvider {
	t.Helper()
	exporter, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpointURL("http://"+c.endpoint))
	if err != nil {
		t.Fatal(err)
	}
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", service))))
}

func stop(t *testing.T, provider *sdktrace.TracerProvider) {
	t.Helper()
	if err := provider.Shutdown(context.WithoutCancel(t.Context())); err != nil {
		t.Fatalf("exporting: %v", err)
	}
}

func (c *collector) get(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := http.Get(c.pages.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func getJSON[T any](t *testing.T, c *collector, path string) T {
	t.Helper()
	var value T
	status, body := c.get(t, path)
	if err := json.Unmarshal([]byte(body), &value); err != nil || status != http.StatusOK {
		t.Fatalf("%s: status %d, %v: %s", path, status, err, body)
	}
	return value
}

type list struct {
	Traces []Summary `json:"traces"`
}

func TestATraceOfTwoProcessesIsReadBackAsOne(t *testing.T) {
	c := startCollector(t, DefaultLimits())
	began := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	at := func(ms int) oteltrace.SpanEventOption {
		return oteltrace.WithTimestamp(began.Add(time.Duration(ms) * time.Millisecond))
	}
	connector, router := c.provider(t, "connector"), c.provider(t, "router")
	ctx, webhook := connector.Tracer("test").Start(t.Context(), "webhook", oteltrace.WithSpanKind(oteltrace.SpanKindServer), at(0),
		oteltrace.WithAttributes(attribute.String("channel", "<shop>"), attribute.Int("attempt", 2)))
	_, routed := router.Tracer("test").Start(ctx, "route", oteltrace.WithSpanKind(oteltrace.SpanKindConsumer), at(4))
	routed.SetStatus(codes.Error, "refused")
	routed.End(at(10))
	webhook.End(at(3))
	// The child arrives before its parent.
	stop(t, router)
	stop(t, connector)

	id := webhook.SpanContext().TraceID().String()
	summary := Summary{ID: id, Name: "webhook", Services: []string{"connector", "router"}, Start: began, DurationMs: 10, Spans: 2}
	want := Trace{Summary: summary, Spans: []Span{
		{
			ID: webhook.SpanContext().SpanID().String(), Name: "webhook", Service: "connector", Kind: "server", Start: began,
			DurationMs: 3, Attributes: map[string]string{"channel": "<shop>", "attempt": "2"},
		},
		{
			ID: routed.SpanContext().SpanID().String(), Parent: webhook.SpanContext().SpanID().String(), Name: "route", Service: "router",
			Kind: "consumer", Start: began.Add(4 * time.Millisecond), DurationMs: 6, Error: "refused",
		},
	}}
	got := getJSON[Trace](t, c, "/api/traces/"+id)
	want.Summary.Spans = 0 // In a trace the spans themselves stand for their number.
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("trace (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Summary{summary}, getJSON[list](t, c, "/api/traces?name=hook&limit=5").Traces); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	for path, want := range map[string][]string{
		"/":             {`href="/traces/` + id, "connector, router", "10.00 ms"},
		"/traces/" + id: {"left: 40.000%; width: 60.000%", "&lt;shop&gt;", "refused"},
	} {
		_, page := c.get(t, path)
		for _, part := range want {
			if !strings.Contains(page, part) {
				t.Errorf("%s does not hold %q:\n%s", path, part, page)
			}
		}
	}
}

func TestAListHoldsWhatItIsAskedFor(t *testing.T) {
	c := startCollector(t, DefaultLimits())
	began := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	provider := c.provider(t, "desk")
	for i, name := range []string{"webhook", "desk GET", "webhook", "desk POST"} {
		_, span := provider.Tracer("test").Start(t.Context(), name, oteltrace.WithTimestamp(began.Add(time.Duration(i)*time.Second)))
		span.End()
	}
	stop(t, provider)
	for name, tc := range map[string]struct {
		query string
		want  []string
	}{
		"everything, the newest first":     {"", []string{"desk POST", "webhook", "desk GET", "webhook"}},
		"a part of the name":               {"?name=desk", []string{"desk POST", "desk GET"}},
		"at most so many":                  {"?limit=1", []string{"desk POST"}},
		"what began no earlier than":       {"?since=2026-11-21T09:00:02Z", []string{"desk POST", "webhook"}},
		"a name that no trace begins with": {"?name=nothing", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, summary := range getJSON[list](t, c, "/api/traces"+tc.query).Traces {
				got = append(got, summary.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatCannotBeAnsweredIsSaid(t *testing.T) {
	c := startCollector(t, DefaultLimits())
	for path, want := range map[string]int{
		"/api/traces/" + strings.Repeat("0", 32): http.StatusNotFound,
		"/traces/" + strings.Repeat("0", 32):     http.StatusNotFound,
		"/api/traces/short":                      http.StatusBadRequest,
		"/api/traces?limit=none":                 http.StatusBadRequest,
		"/api/traces?since=yesterday":            http.StatusBadRequest,
		"/elsewhere":                             http.StatusNotFound,
		"/":                                      http.StatusOK,
	} {
		if got, body := c.get(t, path); got != want {
			t.Errorf("%s: status %d, want %d: %s", path, got, want, body)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		limits Limits
		traces []string
		// want are the traces that are left with their numbers of spans.
		want map[string]int
	}{
		"the oldest trace goes first":              {Limits{Traces: 2, Spans: 10, SpansPerTrace: 10}, []string{"a", "b", "a", "c"}, map[string]int{"b": 1, "c": 1}},
		"a trace that goes on for ever is cut":     {Limits{Traces: 2, Spans: 10, SpansPerTrace: 2}, []string{"a", "a", "a"}, map[string]int{"a": 2}},
		"many spans push out old traces":           {Limits{Traces: 9, Spans: 3, SpansPerTrace: 9}, []string{"a", "a", "b", "c"}, map[string]int{"b": 1, "c": 1}},
		"one trace may fill the whole store":       {Limits{Traces: 9, Spans: 2, SpansPerTrace: 9}, []string{"a", "a", "a"}, map[string]int{"a": 3}},
		"a trace that comes back begins once more": {Limits{Traces: 1, Spans: 9, SpansPerTrace: 9}, []string{"a", "a", "b", "a"}, map[string]int{"a": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			store := NewStore(tc.limits)
			for i, id := range tc.traces {
				store.add(id, Span{ID: string(rune('0' + i)), Name: id})
			}
			got := map[string]int{}
			for _, summary := range store.List(Query{Limit: 100}) {
				got[summary.ID] = summary.Spans
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("spans of traces (-want +got):\n%s", diff)
			}
		})
	}
}

func TestASpanThatArrivesTwiceIsKeptOnce(t *testing.T) {
	store := NewStore(DefaultLimits())
	for range 2 {
		store.add("a", Span{ID: "1"})
	}
	if got, _ := store.Get("a"); len(got.Spans) != 1 {
		t.Errorf("%d spans", len(got.Spans))
	}
}

func TestSpansWithoutIDsAreRejected(t *testing.T) {
	store := NewStore(DefaultLimits())
	resp, err := (&receiver{store: store}).Export(t.Context(), &collectorpb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{
		{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{Name: "nobody's"}}}}},
	}})
	if err != nil || resp.GetPartialSuccess().GetRejectedSpans() != 1 || len(store.List(Query{Limit: 1})) != 0 {
		t.Errorf("answer %v, error %v", resp, err)
	}
}

func TestTextsAreCutBetweenCharacters(t *testing.T) {
	if got, want := short(strings.Repeat("投", 100)), strings.Repeat("投", 85)+"…"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestAWaterfallShowsEverySpanOnce(t *testing.T) {
	begin := time.Unix(0, 0)
	spans := []Span{
		{ID: "root", Start: begin, DurationMs: 10},
		{ID: "child", Parent: "root", Start: begin.Add(2 * time.Millisecond), DurationMs: 5},
		{ID: "grandchild", Parent: "child", Start: begin.Add(3 * time.Millisecond), DurationMs: 1},
		{ID: "orphan", Parent: "has not arrived", Start: begin.Add(4 * time.Millisecond)},
	}
	var got []string
	for _, r := range rowsOf(Trace{Summary{Start: begin, DurationMs: 10}, spans}) {
		got = append(got, strings.Repeat(">", r.Depth)+r.ID)
	}
	if diff := cmp.Diff([]string{"root", ">child", ">>grandchild", "orphan"}, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestAPathEndsAtTheRoot(t *testing.T) {
	tr := Trace{Spans: []Span{{ID: "a"}, {ID: "b", Parent: "a"}, {ID: "c", Parent: "b"}, {ID: "o", Parent: "away"}, {ID: "x", Parent: "y"}, {ID: "y", Parent: "x"}}}
	for id, want := range map[string]int{"a": 1, "b": 2, "c": 3, "o": 1, "x": len(tr.Spans), "nobody": 0} {
		path := tr.Path(id)
		if len(path) != want || want > 0 && path[len(path)-1].ID != id {
			t.Errorf("the path to %s is %v", id, path)
		}
	}
}
