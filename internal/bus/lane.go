package bus

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/message"
)

const (
	// maxLinger bounds how long a call waits for the writes under way: a partition that is slow to answer, or does not
	// answer at all, must not hold up the others.
	maxLinger = 5 * time.Millisecond
	// writeLimit ends a write that nobody answers. Callers have shorter deadlines of their own.
	writeLimit = 20 * time.Second
)

// lane gathers the calls of one topic (a group commit). A call that comes alone is written at once. Those that come while
// something is being written go out together when that is acknowledged, so that batches are as large as the brokers are
// slow: each costs them a request and a sync of the disk, whatever it holds.
//
//	call -> nothing is being written: write -> acknowledged, others wait: write them all -> ...
//	     -> waits, but not longer than maxLinger: write beside what hangs
type lane struct {
	writer *kafka.Writer

	mu      sync.Mutex
	waiting []*call
	// writing counts the writes under way.
	writing int
}

// call is one Publish.
type call struct {
	records []kafka.Message
	taken   []atomic.Bool
	// done has room for the result: a caller that is gone does not take it.
	done chan error
}

func newCall(topic string, envelopes []message.Envelope) *call {
	c := &call{records: make([]kafka.Message, len(envelopes)), taken: make([]atomic.Bool, len(envelopes)), done: make(chan error, 1)}
	for i := range envelopes {
		c.records[i] = record(topic, &envelopes[i])
		c.records[i].WriterData = &c.taken[i]
	}
	return c
}

// add takes a call in; its result comes to its channel. What is written belongs to several callers and does not end with one.
func (l *lane) add(ctx context.Context, c *call) {
	ctx = context.WithoutCancel(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, c)
	switch {
	case l.writing == 0:
		l.begin(ctx)
	case len(l.waiting) == 1:
		time.AfterFunc(maxLinger, func() { l.overtake(ctx, c) })
	}
}

// overtake writes what has waited for too long. first was the first to wait when the time began to run.
func (l *lane) overtake(ctx context.Context, first *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) > 0 && l.waiting[0] == first {
		l.begin(ctx)
	}
}

// begin writes all that waits. The caller holds the lock.
func (l *lane) begin(ctx context.Context) {
	calls := l.waiting
	l.waiting = nil
	l.writing++
	go l.write(ctx, calls)
}

func (l *lane) write(ctx context.Context, calls []*call) {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	writeTogether(limited, l.writer, calls)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writing--
	if l.writing == 0 && len(l.waiting) > 0 {
		l.begin(ctx)
	}
}

// writeTogether writes the records of all calls and tells each its result.
func writeTogether(ctx context.Context, writer *kafka.Writer, calls []*call) {
	if len(calls) == 1 {
		calls[0].done <- writer.WriteMessages(ctx, calls[0].records...)
		return
	}
	var records []kafka.Message
	for _, c := range calls {
		records = append(records, c.records...)
	}
	err := writer.WriteMessages(ctx, records...)
	if _, tooLarge := errors.AsType[kafka.MessageTooLargeError](err); tooLarge {
		// Nothing was written, and the others must not suffer for it.
		for _, c := range calls {
			writeTogether(ctx, writer, []*call{c})
		}
		return
	}
	each, perRecord := errors.AsType[kafka.WriteErrors](err)
	for _, c := range calls {
		result := err
		if perRecord {
			var own kafka.WriteErrors
			own, each = each[:len(c.records)], each[len(c.records):]
			if result = own; own.Count() == 0 {
				result = nil
			}
		}
		c.done <- result
	}
}
