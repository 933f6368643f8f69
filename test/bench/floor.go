package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/bus"
)

// floorLinger is for many writers at once. The product gathers what they write before its Writer, which waits for nothing;
// with that setting alone the bare client would write each message for itself, and be no floor.
const floorLinger = 2 * time.Millisecond

// floor is the bare client: one topic of its own on the same broker, the product's Writer and Reader settings.
type floor struct {
	topic  string
	client *kafka.Client
	writer *kafka.Writer
	// lingering is writer with floorLinger.
	lingering *kafka.Writer
}

func newFloor(ctx context.Context, brokers string, partitions int) (*floor, error) {
	var suffix [4]byte
	_, _ = rand.Read(suffix[:]) // crypto/rand's Read never fails.
	f := &floor{
		topic:  "bench." + hex.EncodeToString(suffix[:]),
		client: &kafka.Client{Addr: kafka.TCP(strings.Split(brokers, ",")...), Timeout: 10 * time.Second},
		writer: bus.NewWriter(bus.Cluster{Brokers: strings.Split(brokers, ",")}), lingering: bus.NewWriter(bus.Cluster{Brokers: strings.Split(brokers, ",")}),
	}
	resp, err := f.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: f.topic, NumPartitions: partitions, ReplicationFactor: 1}}})
	if err == nil {
		err = resp.Errors[f.topic]
	}
	if err != nil {
		return nil, fmt.Errorf("making the floor's topic: %w", err)
	}
	f.writer.Topic, f.lingering.Topic = f.topic, f.topic
	f.lingering.BatchTimeout = floorLinger
	return f, nil
}

func write(ctx context.Context, writer *kafka.Writer, key, value string) error {
	if err := writer.WriteMessages(ctx, kafka.Message{Key: []byte(key), Value: []byte(value)}); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// fetchAll joins a consumer group and hands each value to seen, until ctx ends. joined is called once it reads.
func (f *floor) fetchAll(ctx context.Context, joined func(), seen func(value string, at time.Time)) error {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: f.topic, Brokers: []string{f.client.Addr.String()}, Topics: []string{f.topic}, StartOffset: kafka.LastOffset,
		JoinGroupBackoff: 500 * time.Millisecond,
	})
	if err != nil {
		return fmt.Errorf("joining the floor's group: %w", err)
	}
	defer group.Close()
	generation, err := group.Next(ctx)
	if err != nil {
		return fmt.Errorf("joining the floor's group: %w", err)
	}
	for _, assigned := range generation.Assignments[f.topic] {
		generation.Start(func(genCtx context.Context) {
			reader := kafka.NewReader(bus.ReaderConfig(bus.Cluster{Brokers: []string{f.client.Addr.String()}}, f.topic, assigned.ID))
			defer reader.Close()
			if err := reader.SetOffset(assigned.Offset); err != nil {
				return
			}
			for {
				m, err := reader.FetchMessage(genCtx)
				if err != nil {
					return
				}
				seen(string(m.Value), time.Now())
			}
		})
	}
	joined()
	<-ctx.Done()
	return nil
}

func (f *floor) close(ctx context.Context) error {
	_, err := f.client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{f.topic}})
	err = errors.Join(err, f.writer.Close(), f.lingering.Close())
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
