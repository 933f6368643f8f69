package bus

import (
	"context"
	"log/slog"
	"sync"

	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/wait"
)

// Tail reads every partition of a topic from its end, in no group, and calls handle for each envelope; concurrently
// for different partitions, in order within one. It returns when ctx ends. What was written before Tail began, and
// records that are no envelopes, are not seen: whoever needs all of them keeps them elsewhere.
// started is called once, when every partition is read from now on.
func Tail(ctx context.Context, cluster Cluster, topic string, logger *slog.Logger, started func(), handle func(message.Envelope)) error {
	client := newTopicClient(cluster, topic, logger)
	defer client.close()
	partitions, ok := client.await(ctx)
	if !ok {
		return nil
	}
	var workers, ready sync.WaitGroup
	ready.Add(partitions)
	for partition := range partitions {
		workers.Go(func() {
			source := &feed{topic: client, partition: partition, idle: idleCheck}
			tailPartition(ctx, source, logger, ready.Done, handle)
		})
	}
	ready.Wait()
	if ctx.Err() == nil {
		started()
	}
	workers.Wait()
	return nil
}

func tailPartition(ctx context.Context, source *feed, logger *slog.Logger, ready func(), handle func(message.Envelope)) {
	offset, ok := source.awaitEnd(ctx)
	ready()
	if !ok {
		return
	}
	fetched := make(chan kafka.Message, partitionBacklog)
	go func() {
		defer close(fetched)
		source.run(ctx, offset, fetched)
	}()
	// The fetcher ends with ctx and closes the channel: ranging over it is waiting for the fetcher.
	for m := range fetched {
		e, err := envelope(&m)
		if err != nil {
			logger.Warn("Skipped a record that is no envelope", "topic", m.Topic, "partition", m.Partition, "offset", m.Offset)
			continue
		}
		handle(e)
	}
}

// awaitEnd asks for the partition's end as a number: a reader told "the end" would look it up again after every
// lost connection and skip what was written meanwhile.
func (f *feed) awaitEnd(ctx context.Context) (int64, bool) {
	for backoff := retryBackoffMin; ; backoff = min(2*backoff, retryBackoffMax) {
		end, err := f.topic.end(ctx, f.partition)
		if err == nil {
			return end, true
		}
		if ctx.Err() == nil {
			f.topic.logger.Warn("Cannot find the partition's end yet", "topic", f.topic.name, "partition", f.partition, "error", err)
		}
		if !wait.For(ctx, backoff) {
			return 0, false
		}
	}
}
