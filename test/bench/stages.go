package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/yingda-dev/yingda/hack/traces"
)

const (
	stagesRate = 50
	// tracedRate is less than what the product traces of them: a process begins at most 20 traces a second.
	tracedRate = 15
	// stagesLimit is how long the last traces may take to arrive: processes export every second.
	stagesLimit = 30 * time.Second
)

// stages says where the time goes between webhook and frame, from the traces of one more run.
func (b *bench) stages(ctx context.Context, report *strings.Builder) error {
	began := time.Now()
	if _, err := b.productFrame(ctx, stagesRate); err != nil {
		return err
	}
	var journeys []journey
	err := await(ctx, "the traces of the messages", stagesLimit, func() (bool, error) {
		var err error
		journeys, err = b.journeys(ctx, began)
		return len(journeys) >= tracedRate*int(b.length.Seconds()), err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(report, "## Where the time goes\n\nFrom the traces of %d messages at %d/s; medians, so that the lines do not add up exactly. Kafka hands a message\nto its readers before the writer hears that it is kept, so that a way through Kafka can be below zero.\n\n| stage | p50 |\n|---|---|\n", len(journeys), stagesRate)
	for i, name := range journeyStages() {
		var took []time.Duration
		for _, j := range journeys {
			took = append(took, j[i])
		}
		fmt.Fprintf(report, "| %s | %s |\n", name, ms(median(took)))
	}
	report.WriteString("\n")
	return nil
}

// The spans on the way of a message from webhook to frame, as the product names them.
func journeySpans() []string {
	return []string{"webhook", "keep message", "router dev.yingda.inbound.v1", "outbox kafka", "desk frame"}
}

// journeyStages are the lines of the table; a journey has a time for each.
func journeyStages() []string {
	return []string{
		"webhook: check, decrypt, read", "connector: write to Kafka", "Kafka to router, its turn in the batch", "router: transaction",
		"outbox: until the relay takes it", "outbox: write to Kafka", "Kafka to desk", "desk: write the frame", "**all of it**",
	}
}

// journey is how long one message spent in each stage.
type journey []time.Duration

// journeys reads the traces of whole ways that began since a moment.
func (b *bench) journeys(ctx context.Context, since time.Time) ([]journey, error) {
	query := url.Values{"name": {journeySpans()[0]}, "since": {since.UTC().Format(time.RFC3339Nano)}, "limit": {strconv.Itoa(2 * stagesRate * int(b.length.Seconds()))}}
	var list struct {
		Traces []traces.Summary `json:"traces"`
	}
	if err := b.trace(ctx, "?"+query.Encode(), &list); err != nil {
		return nil, err
	}
	var found []journey
	for _, summary := range list.Traces {
		var t traces.Trace
		if err := b.trace(ctx, "/"+summary.ID, &t); err != nil {
			return nil, err
		}
		if j, ok := journeyOf(t); ok {
			found = append(found, j)
		}
	}
	return found, nil
}

func (b *bench) trace(ctx context.Context, path string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.tracesURL+"/api/traces"+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking for traces: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("asking for traces: status %d", resp.StatusCode)
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("reading traces: %w", err)
	}
	return nil
}

// journeyOf follows a trace from its first frame back to the webhook; false while a part of the way is missing.
func journeyOf(t traces.Trace) (journey, bool) {
	names := journeySpans()
	for _, span := range t.Spans {
		if span.Name != names[len(names)-1] {
			continue
		}
		path := t.Path(span.ID)
		if len(path) != len(names) {
			return nil, false
		}
		for i := range names {
			if path[i].Name != names[i] {
				return nil, false
			}
		}
		webhook, keep, router, outbox, frame := path[0], path[1], path[2], path[3], path[4]
		return journey{
			keep.Start.Sub(webhook.Start), keep.End().Sub(keep.Start), router.Start.Sub(keep.End()), router.End().Sub(router.Start),
			outbox.Start.Sub(router.End()), outbox.End().Sub(outbox.Start), frame.Start.Sub(outbox.End()), frame.End().Sub(frame.Start),
			frame.End().Sub(webhook.Start),
		}, true
	}
	return nil, false
}
