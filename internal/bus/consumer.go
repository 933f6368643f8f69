package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/message"
)

const (
	sessionTimeout   = 10 * time.Second
	heartbeat        = 2 * time.Second
	joinBackoff      = 500 * time.Millisecond
	fetchMaxWait     = 250 * time.Millisecond
	commitInterval   = 100 * time.Millisecond
	retryBackoffMin  = 50 * time.Millisecond
	retryBackoffMax  = 5 * time.Second
	partitionBacklog = 4 * MaxBatch
)

// MaxBatch is the largest number of envelopes that a Handler gets at once.
const MaxBatch = 200

// Handler processes envelopes of one partition, in order. It must be idempotent: after a crash or a rebalance it sees
// envelopes again. Returning
//   - nil: the batch is done, its offsets are committed;
//   - a *PoisonError: the named envelope can never be processed; it goes to the dead-letter topic, and the handler is
//     called again with the others;
//   - any other error: the batch is tried again after a back-off, and the partition waits.
type Handler func(ctx context.Context, partition int, batch []message.Envelope) error

// PoisonError says that one envelope of a batch can never be processed.
type PoisonError struct {
	// Index in the batch.
	Index int
	// Reason goes into a header of the dead letter: no customer data.
	Reason string
}

func (e *PoisonError) Error() string {
	return fmt.Sprintf("envelope %d can never be processed: %s", e.Index, e.Reason)
}

// ConsumerConfig says what a Consumer reads.
type ConsumerConfig struct {
	Brokers []string
	// Group is the consumer group; Topic is read from the start when the group is new.
	Group string
	Topic string
	// DeadLetter is the topic for poison; its producer is Producer.
	DeadLetter string
	Producer   *Producer
	Handler    Handler
	Logger     *slog.Logger
	// OnAssigned and OnRevoked bracket the ownership of partitions; both may be nil.
	OnAssigned func(partitions []int)
	OnRevoked  func()
}

// Consumer is a member of a consumer group which runs one Handler per owned partition.
//
//	JoinGroup -> Generation{partitions} -> per partition: fetch -> batch -> Handler -> mark
//	                 |                                                        |
//	                 +--- ends on a rebalance: workers stop, marks are --------+
//	                      committed by this generation or not at all
type Consumer struct {
	cfg ConsumerConfig
}

// NewConsumer returns a consumer; Run starts it.
func NewConsumer(cfg ConsumerConfig) *Consumer { return &Consumer{cfg: cfg} }

// Run consumes until ctx ends. Brokers that are away are waited for.
func (c *Consumer) Run(ctx context.Context) error {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID:                c.cfg.Group,
		Brokers:           c.cfg.Brokers,
		Topics:            []string{c.cfg.Topic},
		StartOffset:       kafka.FirstOffset,
		HeartbeatInterval: heartbeat,
		SessionTimeout:    sessionTimeout,
		RebalanceTimeout:  sessionTimeout,
		JoinGroupBackoff:  joinBackoff,
	})
	if err != nil {
		return fmt.Errorf("making the consumer group %s: %w", c.cfg.Group, err)
	}
	defer group.Close()
	for {
		generation, err := group.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			c.cfg.Logger.Warn("Cannot join the consumer group yet", "group", c.cfg.Group, "error", err)
			if !pause(ctx, joinBackoff) {
				return nil
			}
			continue
		}
		c.serve(ctx, generation)
	}
}

// serve runs one generation to its end. Generation.Start ties each worker to the generation: group.Next returns the
// next one only after all of them stopped, so that no partition has two workers in this process.
func (c *Consumer) serve(ctx context.Context, generation *kafka.Generation) {
	assigned := generation.Assignments[c.cfg.Topic]
	partitions := make([]int, len(assigned))
	for i, a := range assigned {
		partitions[i] = a.ID
	}
	if c.cfg.OnAssigned != nil {
		c.cfg.OnAssigned(partitions)
	}
	marks := newMarks(c.cfg.Topic)
	var workers sync.WaitGroup
	workers.Add(len(assigned))
	for _, a := range assigned {
		generation.Start(func(genCtx context.Context) {
			defer workers.Done()
			workCtx, cancel := mergeDone(genCtx, ctx)
			defer cancel()
			c.work(workCtx, a.ID, a.Offset, marks)
		})
	}
	generation.Start(func(genCtx context.Context) {
		workCtx, cancel := mergeDone(genCtx, ctx)
		defer cancel()
		marks.commitEvery(workCtx, commitInterval, generation, c.cfg.Logger)
		workers.Wait()
		// The last word of a generation: refused when a newer one exists, and that is right.
		marks.commit(generation, c.cfg.Logger)
		if c.cfg.OnRevoked != nil {
			c.cfg.OnRevoked()
		}
	})
}

// work fetches one partition and calls the handler with all that has arrived meanwhile.
func (c *Consumer) work(ctx context.Context, partition int, offset int64, marks *marks) {
	reader := newReader(c.cfg.Brokers, c.cfg.Topic, partition)
	defer reader.Close()
	if err := reader.SetOffset(offset); err != nil {
		c.cfg.Logger.Error("Cannot set the partition's offset", "topic", c.cfg.Topic, "partition", partition, "error", err)
		return
	}
	fetched := make(chan kafka.Message, partitionBacklog)
	var fetcher sync.WaitGroup
	fetcher.Add(1)
	go func() {
		defer fetcher.Done()
		defer close(fetched)
		fetch(ctx, reader, fetched, c.cfg.Logger)
	}()
	defer fetcher.Wait()
	for {
		batch := nextBatch(ctx, fetched)
		if len(batch) == 0 {
			return
		}
		if !c.handle(ctx, partition, batch) {
			return
		}
		marks.set(partition, batch[len(batch)-1].Offset+1)
	}
}

// handle calls the handler until the batch is done or ctx ends (false).
func (c *Consumer) handle(ctx context.Context, partition int, records []kafka.Message) bool {
	envelopes := make([]message.Envelope, 0, len(records))
	kept := make([]kafka.Message, 0, len(records))
	for i := range records {
		e, err := envelope(&records[i])
		if err != nil {
			if !c.bury(ctx, &records[i], err.Error()) {
				return false
			}
			continue
		}
		envelopes = append(envelopes, e)
		kept = append(kept, records[i])
	}
	backoff := retryBackoffMin
	for len(envelopes) > 0 {
		err := c.cfg.Handler(ctx, partition, envelopes)
		var poison *PoisonError
		switch {
		case err == nil:
			return true
		case ctx.Err() != nil:
			return false
		case errors.As(err, &poison):
			if !c.bury(ctx, &kept[poison.Index], poison.Reason) {
				return false
			}
			envelopes = append(envelopes[:poison.Index:poison.Index], envelopes[poison.Index+1:]...)
			kept = append(kept[:poison.Index:poison.Index], kept[poison.Index+1:]...)
		default:
			c.cfg.Logger.Warn("Handling a batch failed, trying again", "topic", c.cfg.Topic, "partition", partition, "error", err)
			if !pause(ctx, backoff) {
				return false
			}
			backoff = min(2*backoff, retryBackoffMax)
		}
	}
	return true
}

// bury writes a record to the dead-letter topic as it came, with the reason and where it was. It tries until it
// succeeds or ctx ends (false): a poison record may wait, but not vanish.
func (c *Consumer) bury(ctx context.Context, m *kafka.Message, reason string) bool {
	dead := kafka.Message{Topic: c.cfg.DeadLetter, Key: m.Key, Value: m.Value, Headers: append(m.Headers[:len(m.Headers):len(m.Headers)],
		kafka.Header{Key: "yingda-reason", Value: []byte(reason)},
		kafka.Header{Key: "yingda-source", Value: fmt.Appendf(nil, "%s/%d/%d", m.Topic, m.Partition, m.Offset)})}
	for backoff := retryBackoffMin; ; backoff = min(2*backoff, retryBackoffMax) {
		err := c.cfg.Producer.writer.WriteMessages(ctx, dead)
		if err == nil {
			c.cfg.Logger.Error("Moved a record to the dead-letter topic", "topic", m.Topic, "partition", m.Partition, "offset", m.Offset, "reason", reason)
			return true
		}
		if !pause(ctx, backoff) {
			return false
		}
	}
}

// fetch reads until ctx ends; errors of a broker that is away are waited out.
func fetch(ctx context.Context, reader *kafka.Reader, out chan<- kafka.Message, logger *slog.Logger) {
	for backoff := retryBackoffMin; ; {
		m, err := reader.FetchMessage(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			logger.Warn("Fetching failed, trying again", "topic", reader.Config().Topic, "partition", reader.Config().Partition, "error", err)
			if !pause(ctx, backoff) {
				return
			}
			backoff = min(2*backoff, retryBackoffMax)
			continue
		}
		backoff = retryBackoffMin
		select {
		case out <- m:
		case <-ctx.Done():
			return
		}
	}
}

// nextBatch waits for one record and takes all others that are there already: a lone message waits for nobody, and a
// backlog is worked off in large transactions.
func nextBatch(ctx context.Context, in <-chan kafka.Message) []kafka.Message {
	var batch []kafka.Message
	select {
	case m, ok := <-in:
		if !ok {
			return nil
		}
		batch = append(batch, m)
	case <-ctx.Done():
		return nil
	}
	for len(batch) < MaxBatch {
		select {
		case m, ok := <-in:
			if !ok {
				return batch
			}
			batch = append(batch, m)
		default:
			return batch
		}
	}
	return batch
}

func newReader(brokers []string, topic string, partition int) *kafka.Reader {
	return kafka.NewReader(ReaderConfig(brokers, topic, partition))
}

// ReaderConfig returns the product's settings of a kafka-go Reader of one partition.
func ReaderConfig(brokers []string, topic string, partition int) kafka.ReaderConfig {
	return kafka.ReaderConfig{
		Brokers:          brokers,
		Topic:            topic,
		Partition:        partition,
		MinBytes:         1,
		MaxBytes:         4 << 20,
		MaxWait:          fetchMaxWait,
		ReadBatchTimeout: 5 * time.Second,
		ReadBackoffMin:   20 * time.Millisecond,
		ReadBackoffMax:   500 * time.Millisecond,
		QueueCapacity:    MaxBatch,
	}
}

// pause waits for d; it returns false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// mergeDone returns a context that ends when either does. It carries the values of parent.
func mergeDone(parent, other context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	stop := context.AfterFunc(other, cancel)
	return ctx, func() { stop(); cancel() }
}
