package bus

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	fetchMaxWait = 250 * time.Millisecond
	dialTimeout  = 3 * time.Second
	idleCheck    = 15 * time.Second
)

// feed reads one partition.
type feed struct {
	topic     *topicClient
	partition int
	// idle is how long the partition may be silent before it is asked whether that can be true.
	idle time.Duration
}

// run reads from offset on until ctx ends. Brokers that are away, and a partition that they do not know, are waited for.
func (f *feed) run(ctx context.Context, offset int64, out chan<- kafka.Message) {
	reader := kafka.NewReader(ReaderConfig(f.topic.cluster, f.topic.name, f.partition))
	defer reader.Close()
	// It fails for a closed reader and for one in a group alone.
	_ = reader.SetOffset(offset)
	for failures := 0; ctx.Err() == nil; {
		count, err := f.pass(ctx, reader, out)
		if count > 0 {
			failures = 0
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			// No pause: the reader makes one itself, and what it reports meanwhile waits in a queue before the records.
			if failures%failuresALine == 0 {
				f.topic.logger.Warn("Fetching failed, trying again", "topic", f.topic.name, "partition", f.partition, "error", err)
			}
			failures++
		case count == 0:
			f.recover(ctx, reader)
		}
	}
}

// pass reads for the time of one idle check, or to the first error.
func (f *feed) pass(ctx context.Context, reader *kafka.Reader, out chan<- kafka.Message) (count int, err error) {
	passCtx, cancel := context.WithTimeout(ctx, f.idle)
	defer cancel()
	for {
		m, err := reader.FetchMessage(passCtx)
		if err != nil {
			if passCtx.Err() != nil {
				return count, nil
			}
			return count, err
		}
		count++
		select {
		case out <- m:
		case <-ctx.Done():
			return count, nil
		}
	}
}

// recover reads the partition from its start when it ends before the position that is read from: it was made anew, or lost
// records with a broker. kafka-go would wait in silence for as many records and then skip them. What was handled before
// comes again, and handlers bear that. (A position before the partition's start is the reader's own matter: what retention
// has removed is gone.)
func (f *feed) recover(ctx context.Context, reader *kafka.Reader) {
	position := reader.Offset()
	end, err := f.topic.end(ctx, f.partition)
	if err != nil || position <= end {
		return
	}
	f.topic.logger.Error("The partition ends before what was read of it, reading it from the start",
		"topic", f.topic.name, "partition", f.partition, "position", position, "end", end)
	_ = reader.SetOffset(kafka.FirstOffset) // As in run.
}

// ReaderConfig returns the product's settings of a kafka-go Reader of one partition.
func ReaderConfig(cluster Cluster, topic string, partition int) kafka.ReaderConfig {
	return kafka.ReaderConfig{
		Brokers:          cluster.Brokers,
		Dialer:           cluster.dialer(),
		Topic:            topic,
		Partition:        partition,
		MinBytes:         1,
		MaxBytes:         4 << 20,
		MaxWait:          fetchMaxWait,
		ReadBatchTimeout: 5 * time.Second,
		// Nobody reads the reader's lag, which would cost a connection a minute.
		ReadLagInterval: -1,
		ReadBackoffMin:  20 * time.Millisecond,
		ReadBackoffMax:  500 * time.Millisecond,
		QueueCapacity:   MaxBatch,
	}
}
