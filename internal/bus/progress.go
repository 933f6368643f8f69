package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/segmentio/kafka-go"
)

// Progress tells how far a consumer group has come, by what the brokers say: no member knows of the others.
type Progress struct {
	topic *topicClient
	group string
}

// NewProgress makes a Progress of a group in a topic; Close ends it.
func NewProgress(cluster Cluster, group, topic string, logger *slog.Logger) *Progress {
	return &Progress{topic: newTopicClient(cluster, topic, logger), group: group}
}

// Close ends its connections.
func (p *Progress) Close() { p.topic.close() }

// Mark is what a topic held at a moment.
type Mark struct{ partitions map[int]bounds }

// Mark is what the topic holds now.
func (p *Progress) Mark(ctx context.Context) (Mark, error) {
	count, err := p.topic.count(ctx)
	if err != nil {
		return Mark{}, fmt.Errorf("looking at %s: %w", p.topic.name, err)
	}
	all := make([]kafka.PartitionAssignment, count)
	for id := range all {
		all[id].ID = id
	}
	held, err := p.topic.bounds(ctx, all)
	if err != nil {
		return Mark{}, err
	}
	if count == 0 || len(held) < count {
		return Mark{}, fmt.Errorf("asking for the ends of %s: %d of %d partitions answered", p.topic.name, len(held), count)
	}
	return Mark{held}, nil
}

// Passed says whether the group has handled all that the topic held then.
func (p *Progress) Passed(ctx context.Context, mark Mark) (bool, error) {
	request := &kafka.OffsetFetchRequest{GroupID: p.group, Topics: map[string][]int{p.topic.name: {}}}
	for id := range mark.partitions {
		request.Topics[p.topic.name] = append(request.Topics[p.topic.name], id)
	}
	answer, err := p.topic.client.OffsetFetch(ctx, request)
	if err == nil && !errors.Is(answer.Error, kafka.GroupIdNotFound) {
		// A group that nobody has joined yet is one that has committed nothing.
		err = answer.Error
	}
	if err != nil {
		return false, fmt.Errorf("asking how far %s has come: %w", p.group, err)
	}
	committed := make(map[int]int64, len(mark.partitions))
	for _, partition := range answer.Topics[p.topic.name] {
		if partition.Error != nil {
			return false, fmt.Errorf("asking how far %s has come: %w", p.group, partition.Error)
		}
		committed[partition.Partition] = partition.CommittedOffset
	}
	for id, held := range mark.partitions {
		// Who has committed nothing, which the brokers tell as -1, starts at the first record.
		if max(committed[id], held.start) < held.end {
			return false, nil
		}
	}
	return true, nil
}
