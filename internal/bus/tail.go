package bus

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/message"
)

// Tail reads every partition of a topic from its end, in no group, and calls handle for each envelope; concurrently
// for different partitions, in order within one. It returns when ctx ends. What was written before Tail began, and
// records that are no envelopes, are not seen: whoever needs all of them keeps them elsewhere.
// started is called once, when every partition is read from now on.
func Tail(ctx context.Context, brokers []string, topic string, logger *slog.Logger, started func(), handle func(message.Envelope)) error {
	partitions, err := awaitPartitions(ctx, brokers, topic, logger)
	if err != nil {
		return err
	}
	var workers, ready sync.WaitGroup
	workers.Add(len(partitions))
	ready.Add(len(partitions))
	for _, p := range partitions {
		go func() {
			defer workers.Done()
			tailPartition(ctx, brokers, topic, p.ID, logger, ready.Done, handle)
		}()
	}
	ready.Wait()
	if ctx.Err() == nil {
		started()
	}
	workers.Wait()
	return nil
}

func awaitPartitions(ctx context.Context, brokers []string, topic string, logger *slog.Logger) ([]kafka.Partition, error) {
	for backoff := retryBackoffMin; ; backoff = min(2*backoff, retryBackoffMax) {
		for _, broker := range brokers {
			partitions, err := kafka.DefaultDialer.LookupPartitions(ctx, "tcp", broker, topic)
			if err == nil && len(partitions) > 0 {
				return partitions, nil
			}
			logger.Warn("Cannot look up the partitions yet", "topic", topic, "error", err)
		}
		if !pause(ctx, backoff) {
			return nil, fmt.Errorf("looking up the partitions of %s: %w", topic, ctx.Err())
		}
	}
}

func tailPartition(ctx context.Context, brokers []string, topic string, partition int, logger *slog.Logger, ready func(), handle func(message.Envelope)) {
	signalled := sync.OnceFunc(ready)
	defer signalled()
	offset, ok := endOffset(ctx, brokers, topic, partition, logger)
	if !ok {
		return
	}
	reader := newReader(brokers, topic, partition)
	defer reader.Close()
	if err := reader.SetOffset(offset); err != nil {
		logger.Error("Cannot set the partition's offset", "topic", topic, "partition", partition, "error", err)
		return
	}
	signalled()
	fetched := make(chan kafka.Message, partitionBacklog)
	go func() {
		defer close(fetched)
		fetch(ctx, reader, fetched, logger)
	}()
	for m := range fetched {
		e, err := envelope(&m)
		if err != nil {
			logger.Warn("Skipped a record that is no envelope", "topic", topic, "partition", partition, "offset", m.Offset)
			continue
		}
		handle(e)
	}
}

// endOffset asks for the partition's end as a number: a reader told "the end" would look it up again after every
// lost connection and skip what was written meanwhile.
func endOffset(ctx context.Context, brokers []string, topic string, partition int, logger *slog.Logger) (int64, bool) {
	for backoff := retryBackoffMin; ; backoff = min(2*backoff, retryBackoffMax) {
		for _, broker := range brokers {
			conn, err := kafka.DefaultDialer.DialLeader(ctx, "tcp", broker, topic, partition)
			if err != nil {
				logger.Warn("Cannot reach the partition's leader yet", "topic", topic, "partition", partition, "error", err)
				continue
			}
			end, err := conn.ReadLastOffset()
			conn.Close()
			if err == nil {
				return end, true
			}
		}
		if !pause(ctx, backoff) {
			return 0, false
		}
	}
}
