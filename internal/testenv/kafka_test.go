package testenv_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/testenv"
)

func TestKafkaKeepsAcknowledgedMessagesAndOffsetsOverACrash(t *testing.T) {
	server := testenv.NewServer(t, testenv.StartKafka)
	broker := newBrokerClient(t, server.Address())

	broker.createTopic("inbound")
	broker.produce("inbound", "one", "two")
	if diff := cmp.Diff([]string{"one"}, broker.consume("group", "inbound", 1)); diff != "" {
		t.Fatalf("first read (-want +got):\n%s", diff)
	}
	kill(t, server)
	restart(t, server)

	broker.produce("inbound", "three")
	if diff := cmp.Diff([]string{"two", "three"}, broker.consume("group", "inbound", 2)); diff != "" {
		t.Errorf("read after the crash (-want +got):\n%s", diff)
	}
}

func TestKafkaIsSharedByTheTestsOfAProcess(t *testing.T) {
	if first, second := testenv.Kafka(t), testenv.Kafka(t); first != second {
		t.Errorf("two brokers, %s and %s, where one was wanted", first, second)
	}
}

func TestKafkaDoesNotMakeATopicByUsingIt(t *testing.T) {
	writer := &kafka.Writer{Addr: kafka.TCP(testenv.Kafka(t)), Topic: testenv.Unique("absent"), MaxAttempts: 1, BatchTimeout: time.Millisecond}
	defer writer.Close()
	if err := writer.WriteMessages(t.Context(), kafka.Message{Value: []byte("x")}); err == nil {
		t.Error("writing to a topic that nobody made succeeded")
	}
}
