package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"

	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/wait"
)

// reasonPanic is why an envelope is buried that the handler panics of.
const reasonPanic = "panic"

// errPanic says that the handler panicked.
var errPanic = errors.New("the handler panicked")

// handle calls the handler until the batch is done or ctx ends (false).
func (c *Consumer) handle(ctx context.Context, partition int, records []kafka.Message) bool {
	envelopes := make([]message.Envelope, 0, len(records))
	kept := make([]kafka.Message, 0, len(records))
	for i := range records {
		e, err := envelope(&records[i])
		if err != nil {
			if !c.bury(ctx, &records[i], reasonForeign, err.Error()) {
				return false
			}
			continue
		}
		envelopes = append(envelopes, e)
		kept = append(kept, records[i])
	}
	return c.process(ctx, partition, kept, envelopes)
}

// process is handle for records that are envelopes.
func (c *Consumer) process(ctx context.Context, partition int, records []kafka.Message, envelopes []message.Envelope) bool {
	for backoff := retryBackoffMin; len(envelopes) > 0; {
		err := c.call(ctx, partition, envelopes)
		var poison *PoisonError
		switch {
		case err == nil:
			return true
		case ctx.Err() != nil:
			return false
		case errors.Is(err, errPanic) && len(envelopes) == 1:
			return c.bury(ctx, &records[0], reasonPanic, reasonPanic)
		case errors.Is(err, errPanic):
			// A process that ended here would meet the same record again, and after it the next replica.
			half := len(envelopes) / 2
			return c.process(ctx, partition, records[:half:half], envelopes[:half:half]) &&
				c.process(ctx, partition, records[half:], envelopes[half:])
		case errors.As(err, &poison) && poison.Index >= 0 && poison.Index < len(envelopes):
			if !c.bury(ctx, &records[poison.Index], reasonPoison, poison.Reason) {
				return false
			}
			envelopes = slices.Concat(envelopes[:poison.Index], envelopes[poison.Index+1:])
			records = slices.Concat(records[:poison.Index], records[poison.Index+1:])
		default:
			c.cfg.Metrics.retried(c.cfg.Topic)
			c.cfg.Logger.Warn("Handling a batch failed, trying again", "topic", c.cfg.Topic, "partition", partition, "error", err)
			if !wait.For(ctx, backoff) {
				return false
			}
			backoff = min(2*backoff, retryBackoffMax)
		}
	}
	return true
}

// call turns a panic of the handler into errPanic. What it panicked with may hold what a customer wrote, so only its type
// is logged, and where it was.
func (c *Consumer) call(ctx context.Context, partition int, envelopes []message.Envelope) (err error) {
	defer func() {
		if value := recover(); value != nil {
			c.cfg.Metrics.panicked(c.cfg.Topic)
			c.cfg.Logger.Error("The handler panicked", "topic", c.cfg.Topic, "partition", partition, "envelopes", len(envelopes),
				"type", fmt.Sprintf("%T", value), "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return c.cfg.Handler(ctx, partition, envelopes)
}

// bury writes a record to the dead-letter topic as it came, with the reason and where it was. It tries until it
// succeeds or ctx ends (false): a poison record may wait, but not vanish.
func (c *Consumer) bury(ctx context.Context, m *kafka.Message, class, reason string) bool {
	dead := kafka.Message{Topic: c.cfg.DeadLetter, Key: m.Key, Value: m.Value, Headers: append(slices.Clip(m.Headers),
		kafka.Header{Key: "yingda-reason", Value: []byte(reason)},
		kafka.Header{Key: "yingda-source", Value: fmt.Appendf(nil, "%s/%d/%d", m.Topic, m.Partition, m.Offset)})}
	for backoff := retryBackoffMin; ; backoff = min(2*backoff, retryBackoffMax) {
		err := c.cfg.Producer.writer.WriteMessages(ctx, dead)
		if err == nil {
			c.cfg.Metrics.buried(m.Topic, class)
			c.cfg.Logger.Error("Moved a record to the dead-letter topic", "topic", m.Topic, "partition", m.Partition, "offset", m.Offset, "reason", reason)
			return true
		}
		if tooLarge(err) && dead.Value != nil {
			// With the headers it grew past what a broker takes. The source says where the whole of it is.
			dead.Headers = append(dead.Headers, kafka.Header{Key: "yingda-omitted-bytes", Value: strconv.AppendInt(nil, int64(len(dead.Value)), 10)})
			dead.Value = nil
			continue
		}
		if ctx.Err() == nil {
			c.cfg.Logger.Warn("Cannot write to the dead-letter topic, trying again", "topic", c.cfg.DeadLetter, "error", err)
		}
		if !wait.For(ctx, backoff) {
			return false
		}
	}
}

func tooLarge(err error) bool {
	if each, ok := errors.AsType[kafka.WriteErrors](err); ok {
		return slices.ContainsFunc(each, func(err error) bool { return errors.Is(err, kafka.MessageSizeTooLarge) })
	}
	return errors.Is(err, kafka.MessageSizeTooLarge)
}
