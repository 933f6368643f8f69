package outbox

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// kafkaSender publishes rows.
type kafkaSender struct {
	publisher Publisher
	source    string
}

// ofTopic are the rows of one topic.
type ofTopic struct {
	rows      []db.Outbox
	envelopes []message.Envelope
	err       error
}

// send publishes the rows of each topic in one call, all topics at once: a topic that is missing holds up no other.
func (s *kafkaSender) send(ctx context.Context, rows []db.Outbox) (sent result) {
	topics := map[string]*ofTopic{}
	for i := range rows {
		t := topics[rows[i].Target]
		if t == nil {
			t = &ofTopic{}
			topics[rows[i].Target] = t
		}
		t.rows = append(t.rows, rows[i])
		t.envelopes = append(t.envelopes, s.envelope(&rows[i]))
	}
	var publishing sync.WaitGroup
	for topic, t := range topics {
		publishing.Go(func() { t.err = s.publisher.Publish(ctx, topic, t.envelopes...) })
	}
	publishing.Wait()
	for topic, t := range topics {
		t.judge(topic, &sent)
	}
	return sent
}

// judge adds what became of a topic's rows. A call has at most one batch a partition, so that a key's rows are taken or
// refused together.
func (t *ofTopic) judge(topic string, sent *result) {
	var partial *bus.PartialError
	if t.err != nil && !errors.As(t.err, &partial) {
		sent.targets = append(sent.targets, topic)
	}
	sent.cause = cmp.Or(sent.cause, t.err)
	for i := range t.rows {
		if bus.Taken(t.err, i) {
			sent.done = append(sent.done, t.rows[i].ID)
		} else {
			// Beside its target too: these may all be of one silent partition, and the next of the topic get their turn first.
			sent.stuck = append(sent.stuck, t.rows[i])
		}
	}
}

// envelope is the same on every retry, but for the span that it comes from.
func (s *kafkaSender) envelope(row *db.Outbox) message.Envelope {
	return message.Envelope{
		ID: row.EventID, Type: message.Type(row.EventType), Source: s.source, Subject: row.Subject, Time: row.CreatedAt,
		Key: row.Key, TraceParent: row.Traceparent, TraceState: row.Tracestate, Data: row.Payload,
	}
}
