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
	"github.com/yingda-dev/yingda/internal/wait"
)

const (
	sessionTimeout   = 10 * time.Second
	heartbeat        = 2 * time.Second
	joinBackoff      = 500 * time.Millisecond
	commitInterval   = 100 * time.Millisecond
	retryBackoffMin  = 50 * time.Millisecond
	retryBackoffMax  = 5 * time.Second
	partitionBacklog = 4 * MaxBatch
	// failuresALine is how many failures in a row, each some half a second after the one before, are one line of the log.
	failuresALine = 20
)

// MaxBatch is the largest number of envelopes that a Handler gets at once.
const MaxBatch = 200

// Handler processes envelopes of one partition, in order. It must be idempotent: after a crash or a rebalance it sees
// envelopes again. Returning
//   - nil: the batch is done, its offsets are committed;
//   - a *PoisonError: the named envelope can never be processed; it goes to the dead-letter topic, and the handler is
//     called again with the others;
//   - any other error: the batch is tried again after a back-off, and the partition waits.
//
// A handler that panics gets the halves of the batch, down to the one envelope that it panics of, which is poison.
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
	Cluster Cluster
	// Group is the consumer group; Topic is read from the start when the group is new.
	Group string
	Topic string
	// DeadLetter is the topic for poison; its producer is Producer.
	DeadLetter string
	Producer   *Producer
	Handler    Handler
	Logger     *slog.Logger
	// Metrics may be nil.
	Metrics *Metrics
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

// Run consumes until ctx ends. Brokers that are away, and a topic that is not there yet, are waited for.
func (c *Consumer) Run(ctx context.Context) error {
	topic := newTopicClient(c.cfg.Cluster, c.cfg.Topic, c.cfg.Logger)
	defer topic.close()
	for {
		// A group whose topic is missing gets no partitions, and nobody tells it when there are some.
		partitions, ok := topic.await(ctx)
		if !ok {
			return nil
		}
		if err := c.join(ctx, topic, partitions); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// join is a member of the group until ctx ends or the topic is not the one of that many partitions any more.
func (c *Consumer) join(ctx context.Context, topic *topicClient, partitions int) error {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID:                c.cfg.Group,
		Brokers:           c.cfg.Cluster.Brokers,
		Dialer:            c.cfg.Cluster.dialer(),
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
	ctx, leave := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	defer watcher.Wait()
	defer leave()
	watcher.Go(func() {
		defer leave()
		topic.watch(ctx, partitions)
	})
	for failures := 0; ; {
		generation, err := group.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			failures++
			c.cfg.Logger.Log(ctx, joinFailureLevel(err, failures), "Cannot join the consumer group yet", "group", c.cfg.Group, "error", err)
			if !wait.For(ctx, joinBackoff) {
				return nil
			}
			continue
		}
		failures = 0
		c.serve(ctx, topic, generation)
	}
}

// joinFailureLevel keeps the log readable: a fresh cluster, or one that moves a coordinator, refuses for some seconds.
func joinFailureLevel(err error, failures int) slog.Level {
	passing := errors.Is(err, kafka.GroupCoordinatorNotAvailable) || errors.Is(err, kafka.GroupLoadInProgress) ||
		errors.Is(err, kafka.NotCoordinatorForGroup) || errors.Is(err, kafka.RebalanceInProgress)
	if failures%failuresALine == 0 || failures == 1 && !passing {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// serve runs one generation to its end, which is there when the last of its workers has stopped: kafka-go waits for those
// alone that began before a generation was over, and no partition may have two workers in this process.
func (c *Consumer) serve(ctx context.Context, topic *topicClient, generation *kafka.Generation) {
	assigned := generation.Assignments[c.cfg.Topic]
	marks := newMarks(c.cfg.Topic)
	// Start always runs what it is given, if only with a context that has ended: the counts below come down.
	var workers, committer sync.WaitGroup
	workers.Add(len(assigned))
	for _, a := range assigned {
		generation.Start(func(genCtx context.Context) {
			defer workers.Done()
			workCtx, cancel := mergeDone(genCtx, ctx)
			defer cancel()
			c.work(workCtx, &feed{topic: topic, partition: a.ID, idle: idleCheck}, a.Offset, marks)
		})
	}
	var lag sync.WaitGroup
	lag.Add(1)
	generation.Start(func(genCtx context.Context) {
		defer lag.Done()
		workCtx, cancel := mergeDone(genCtx, ctx)
		defer cancel()
		c.cfg.Metrics.watchLag(workCtx, topic, assigned, marks)
	})
	committer.Add(1)
	generation.Start(func(genCtx context.Context) {
		defer committer.Done()
		workCtx, cancel := mergeDone(genCtx, ctx)
		defer cancel()
		marks.commitEvery(workCtx, commitInterval, generation, c.cfg.Logger)
		workers.Wait()
		// The last word of a generation: refused when a newer one exists, and that is right.
		marks.commit(generation, c.cfg.Logger)
	})
	committer.Wait()
	lag.Wait()
}

// work fetches one partition and calls the handler with all that has arrived meanwhile. It ends with ctx and not before:
// a worker that stops ends its generation.
func (c *Consumer) work(ctx context.Context, source *feed, offset int64, marks *marks) {
	fetched := make(chan kafka.Message, partitionBacklog)
	var fetcher sync.WaitGroup
	defer fetcher.Wait()
	fetcher.Go(func() {
		defer close(fetched)
		source.run(ctx, offset, fetched)
	})
	for {
		batch := nextBatch(ctx, fetched)
		if len(batch) == 0 {
			return
		}
		if !c.handle(ctx, source.partition, batch) {
			return
		}
		marks.set(source.partition, batch[len(batch)-1].Offset+1)
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

// mergeDone returns a context that ends when either does. It carries the values of parent.
func mergeDone(parent, other context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	stop := context.AfterFunc(other, cancel)
	return ctx, func() { stop(); cancel() }
}
