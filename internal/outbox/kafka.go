package outbox

import (
	"context"
	"errors"
	"sync"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// kafkaSender publishes rows.
type kafkaSender struct {
	publisher Publisher
	source    string
}

// send publishes the rows of each topic in one call, all topics at once: a topic that is missing holds up no other.
func (s *kafkaSender) send(ctx context.Context, rows []db.Outbox) (done []int64, err error) {
	type group struct {
		ids       []int64
		envelopes []message.Envelope
		err       error
	}
	groups := map[string]*group{}
	for i := range rows {
		g := groups[rows[i].Target]
		if g == nil {
			g = &group{}
			groups[rows[i].Target] = g
		}
		g.ids = append(g.ids, rows[i].ID)
		g.envelopes = append(g.envelopes, s.envelope(&rows[i]))
	}
	var publishing sync.WaitGroup
	for topic, g := range groups {
		publishing.Go(func() { g.err = s.publisher.Publish(ctx, topic, g.envelopes...) })
	}
	publishing.Wait()
	var errs []error
	for _, g := range groups {
		if g.err != nil {
			errs = append(errs, g.err)
			continue
		}
		done = append(done, g.ids...)
	}
	return done, errors.Join(errs...)
}

// envelope is the same on every retry, but for the span that it comes from.
func (s *kafkaSender) envelope(row *db.Outbox) message.Envelope {
	return message.Envelope{
		ID: row.EventID, Type: message.Type(row.EventType), Source: s.source, Subject: row.Subject, Time: row.CreatedAt,
		Key: row.Key, TraceParent: row.Traceparent, TraceState: row.Tracestate, Data: row.Payload,
	}
}
