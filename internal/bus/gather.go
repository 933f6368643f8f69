package bus

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/message"
)

const (
	// maxLinger bounds how long a call waits for the writes under way: a partition that is slow to answer, or does not
	// answer at all, must not hold up the others.
	maxLinger = 5 * time.Millisecond
	// writeLimit ends a write whose brokers cannot even be asked. It is above the three attempts of a Writer.
	writeLimit = 20 * time.Second
)

// gatherer collects the calls of one topic (a group commit). A call that comes alone is written at once. Those that come while
// something is being written go out together when that is acknowledged, so that batches are as large as the brokers are
// slow: each costs them a request and a sync of the disk, whatever it holds.
//
//	call -> nothing is being written: write -> acknowledged, others wait: write them all -> ...
//	     -> waits, but not longer than maxLinger: write beside what hangs
type gatherer struct {
	writer *kafka.Writer

	mu      sync.Mutex
	waiting []*call
	// writing counts the writes under way.
	writing int
	closed  bool
	writes  sync.WaitGroup
}

// add takes a call in, which is answered when all of its own records are, whatever becomes of those that go out with it.
func (g *gatherer) add(c *call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		c.end(io.ErrClosedPipe)
		return
	}
	g.waiting = append(g.waiting, c)
	switch {
	case g.writing == 0:
		g.begin()
	case len(g.waiting) == 1:
		time.AfterFunc(maxLinger, func() { g.overtake(c) })
	}
}

// overtake writes what has waited for too long. first was the first to wait when the time began to run.
func (g *gatherer) overtake(first *call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) > 0 && g.waiting[0] == first {
		g.begin()
	}
}

// begin writes all that waits. The caller holds the lock.
func (g *gatherer) begin() {
	calls := g.waiting
	g.waiting = nil
	g.writing++
	g.writes.Go(func() { g.write(calls) })
}

func (g *gatherer) write(calls []*call) {
	ctx, cancel := context.WithTimeout(context.Background(), writeLimit) //nolint:forbidigo // It belongs to several callers and does not end with one.
	defer cancel()
	writeTogether(ctx, g.writer, calls)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writing--
	if g.writing == 0 && len(g.waiting) > 0 {
		g.begin()
	}
}

// close lets no other call in and waits for the writes under way.
func (g *gatherer) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.writes.Wait()
}

// writeTogether writes the records of all calls. The writer's Completion answers each call; what it never came to is
// answered here.
func writeTogether(ctx context.Context, writer *kafka.Writer, calls []*call) {
	var records []kafka.Message
	for _, c := range calls {
		records = append(records, c.records...)
	}
	err := writer.WriteMessages(ctx, records...)
	if _, tooLarge := errors.AsType[kafka.MessageTooLargeError](err); tooLarge && len(calls) > 1 {
		// Nothing was written, and the others must not suffer for it.
		for _, c := range calls {
			writeTogether(ctx, writer, []*call{c})
		}
		return
	}
	for _, c := range calls {
		c.end(err)
	}
}

// call is one Publish.
type call struct {
	records []kafka.Message
	results []result
	// done has room for the one answer: a caller that is gone does not take it.
	done chan error

	mu   sync.Mutex
	left int
}

// result is what became of one record.
type result struct {
	call  *call
	known bool
	err   error
}

func newCall(topic string, envelopes []message.Envelope) *call {
	c := &call{
		records: make([]kafka.Message, len(envelopes)), results: make([]result, len(envelopes)), left: len(envelopes),
		done: make(chan error, 1),
	}
	for i := range envelopes {
		c.results[i].call = c
		c.records[i] = record(topic, &envelopes[i])
		c.records[i].WriterData = &c.results[i]
	}
	return c
}

// note is called by the writer for each batch that has its result, also after the caller has gone.
func note(records []kafka.Message, err error) {
	for i := range records {
		if r, ok := records[i].WriterData.(*result); ok {
			r.call.learn(r, err)
		}
	}
}

func (c *call) learn(r *result, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.known {
		return
	}
	r.known, r.err = true, err
	if c.left--; c.left == 0 {
		c.answer(nil)
	}
}

// end answers a call that has no answer yet.
func (c *call) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer(err)
}

// answer says what is known, with err for the records of which nothing is. The first answer counts.
func (c *call) answer(err error) {
	select {
	case c.done <- judge(c.results, err):
	default:
	}
}

// gaveUp is the answer for a caller that does not wait any longer.
func (c *call) gaveUp(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case known := <-c.done:
		return known
	default:
		return judge(c.results, err)
	}
}
