package testenv_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/testenv"
)

const patience = 30 * time.Second

// brokerClient is what a test says to a broker, with the calls and settings that the product uses.
type brokerClient struct {
	t      testing.TB
	addr   string
	client *kafka.Client
}

func newBrokerClient(t testing.TB, addr string) *brokerClient {
	t.Helper()
	transport := &kafka.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &brokerClient{t: t, addr: addr, client: &kafka.Client{Addr: kafka.TCP(addr), Timeout: patience, Transport: transport}}
}

func (b *brokerClient) createTopic(topic string) {
	b.t.Helper()
	response, err := b.client.CreateTopics(b.t.Context(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := response.Errors[topic]; err != nil {
		b.t.Fatal(err)
	}
}

func (b *brokerClient) produce(topic string, values ...string) {
	b.t.Helper()
	writer := &kafka.Writer{
		Addr: kafka.TCP(b.addr), Topic: topic, RequiredAcks: kafka.RequireAll, Balancer: &kafka.Hash{},
		BatchTimeout: time.Millisecond,
	}
	for _, value := range values {
		if err := writer.WriteMessages(b.t.Context(), kafka.Message{Key: []byte("customer"), Value: []byte(value)}); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		b.t.Fatal(err)
	}
}

// consume joins the group, reads that many messages of partition 0 from the committed offset on, and commits behind them.
func (b *brokerClient) consume(group, topic string, count int) []string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	member, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: group, Brokers: []string{b.addr}, Topics: []string{topic}, StartOffset: kafka.FirstOffset,
		SessionTimeout: 6 * time.Second, JoinGroupBackoff: 100 * time.Millisecond,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() {
		if err := member.Close(); err != nil {
			b.t.Error(err)
		}
	}()
	generation, err := member.Next(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	values, next := b.read(ctx, topic, generation.Assignments[topic][0].Offset, count)
	if err := generation.CommitOffsets(map[string]map[int]int64{topic: {0: next}}); err != nil {
		b.t.Fatal(err)
	}
	return values
}

func (b *brokerClient) read(ctx context.Context, topic string, offset int64, count int) (values []string, next int64) {
	b.t.Helper()
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{b.addr}, Topic: topic, Partition: 0, MaxWait: 100 * time.Millisecond})
	err := reader.SetOffset(offset)
	for err == nil && len(values) < count {
		var message kafka.Message
		if message, err = reader.FetchMessage(ctx); err == nil {
			values, next = append(values, string(message.Value)), message.Offset+1
		}
	}
	if err := errors.Join(err, reader.Close()); err != nil {
		b.t.Fatal(err)
	}
	return values, next
}

func kill(t *testing.T, server *testenv.Server) {
	t.Helper()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
}

func restart(t *testing.T, server *testenv.Server) {
	t.Helper()
	before := server.Address()
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if server.Address() != before {
		t.Errorf("the server came back on %s, and was on %s", server.Address(), before)
	}
}
