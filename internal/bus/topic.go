package bus

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/wait"
)

const (
	lookTimeout = 5 * time.Second
	// watchInterval is how often a consumer looks whether its topic is still the one that it joined for.
	watchInterval = 5 * time.Second
	// newTopicRest lets all brokers hear of a topic that was just made: the one that is asked next may be behind.
	newTopicRest = 2 * time.Second
)

// topicClient asks the brokers about one topic, and never makes it by asking.
type topicClient struct {
	cluster   Cluster
	name      string
	logger    *slog.Logger
	client    *kafka.Client
	transport *kafka.Transport
}

func newTopicClient(cluster Cluster, name string, logger *slog.Logger) *topicClient {
	transport := cluster.transport(dialTimeout)
	transport.MetadataTTL, transport.MetadataTopics = watchInterval/2, []string{name}
	return &topicClient{
		cluster: cluster, name: name, logger: logger, transport: transport,
		client: &kafka.Client{Addr: kafka.TCP(cluster.Brokers...), Timeout: lookTimeout, Transport: transport},
	}
}

func (t *topicClient) close() { t.transport.CloseIdleConnections() }

// count is the topic's number of partitions, 0 when the brokers do not know it.
func (t *topicClient) count(ctx context.Context) (int, error) {
	made, err := layouts(ctx, t.client, []string{t.name})
	return made[t.name].partitions, t.cluster.explain(err)
}

// await returns the number of partitions once the topic is there; false when ctx ended first.
func (t *topicClient) await(ctx context.Context) (int, bool) {
	missed := false
	for backoff := retryBackoffMin; ; backoff = min(2*backoff, retryBackoffMax) {
		count, err := t.count(ctx)
		rest := backoff
		switch {
		case ctx.Err() != nil:
			return 0, false
		case count > 0 && !missed:
			return count, true
		case count > 0:
			missed, rest = false, newTopicRest
		default:
			missed = missed || err == nil
			t.logger.Warn("Waiting for the topic", "topic", t.name, "error", err)
		}
		if !wait.For(ctx, rest) {
			return 0, false
		}
	}
}

// watch returns when ctx ends or the topic has not that many partitions any more.
func (t *topicClient) watch(ctx context.Context, partitions int) {
	for wait.For(ctx, watchInterval) {
		if count, err := t.count(ctx); err == nil && count != partitions {
			t.logger.Warn("The topic has changed, joining its group anew", "topic", t.name, "partitionsBefore", partitions, "partitions", count)
			return
		}
	}
}

// end is the offset that the partition's next record will have.
func (t *topicClient) end(ctx context.Context, partition int) (int64, error) {
	answer, err := t.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{t.name: {kafka.LastOffsetOf(partition)}},
	})
	if err != nil {
		return 0, fmt.Errorf("asking for the end of %s/%d: %w", t.name, partition, err)
	}
	for _, p := range answer.Topics[t.name] {
		if p.Partition == partition {
			if p.Error != nil {
				return 0, fmt.Errorf("asking for the end of %s/%d: %w", t.name, partition, p.Error)
			}
			return p.LastOffset, nil
		}
	}
	return 0, fmt.Errorf("asking for the end of %s/%d: no answer", t.name, partition)
}

// bounds are the first offset that a partition still has, and that of its next record.
type bounds struct{ start, end int64 }

// bounds asks for those of the assigned partitions. One that nobody leads is left out.
func (t *topicClient) bounds(ctx context.Context, assigned []kafka.PartitionAssignment) (map[int]bounds, error) {
	var asked []kafka.OffsetRequest
	for _, a := range assigned {
		asked = append(asked, kafka.FirstOffsetOf(a.ID), kafka.LastOffsetOf(a.ID))
	}
	answer, err := t.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{t.name: asked}})
	if err != nil {
		return nil, fmt.Errorf("asking for the ends of %s: %w", t.name, err)
	}
	known := map[int]bounds{}
	for _, p := range answer.Topics[t.name] {
		if p.Error == nil {
			known[p.Partition] = bounds{max(p.FirstOffset, 0), p.LastOffset}
		}
	}
	return known, nil
}
