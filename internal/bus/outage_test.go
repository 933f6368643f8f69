package bus_test

import (
	"context"
	"log/slog"
	"strconv"
	"testing"

	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/testenv"
)

func TestNothingAcknowledgedIsLostWhenTheBrokerCrashes(t *testing.T) {
	server := testenv.NewServer(t, testenv.StartKafka)
	w := newWorld(t, server.Address(), 4)
	keys := customers(10)
	l := newLedger()
	w.consume(l.handle)
	for round := range 2 {
		w.publishNumbers(keys, 20*round+1, 20*round+20)
		crash(t, server)
	}
	w.publishNumbers(keys, 41, 60)
	l.await(t, keys, 60)
}

func TestConsumerStopsWhileTheBrokerIsAway(t *testing.T) {
	server := testenv.NewServer(t, testenv.StartKafka)
	w := newWorld(t, server.Address(), 2)
	l := newLedger()
	stop := w.consume(l.handle)
	w.publishNumbers(customers(2), 1, 1)
	l.await(t, customers(2), 1)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	stop()
}

func TestConsumerWaitsForItsTopic(t *testing.T) {
	w := newWorldWithoutTopics(t, testenv.Kafka(t))
	l := newLedger()
	w.consume(l.handle)
	w.makeTopics(2)
	w.publishNumbers(customers(3), 1, 3)
	l.await(t, customers(3), 3)
}

func TestConsumerReadsPartitionsThatWereAdded(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 1)
	client := w.client()
	l := newLedger()
	w.consume(l.handle)
	w.publishNumbers(customers(1), 1, 1)
	l.await(t, customers(1), 1)
	answer, err := client.CreatePartitions(t.Context(), &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: w.topic, Count: 4}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Errors[w.topic]; err != nil {
		t.Fatal(err)
	}
	for partition := range 4 {
		w.writeTo(partition, numbered(t, "shop/added-"+strconv.Itoa(partition), 1))
	}
	for partition := range 4 {
		l.await(t, []string{"shop/added-" + strconv.Itoa(partition)}, 1)
	}
}

// writeTo writes an envelope to the named partition.
func (w *world) writeTo(partition int, e message.Envelope) {
	w.t.Helper()
	conn, err := kafka.DialLeader(w.t.Context(), "tcp", w.broker, w.topic, partition)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	record := kafka.Message{Key: []byte(e.Key), Value: e.Data}
	for _, h := range e.Headers() {
		record.Headers = append(record.Headers, kafka.Header{Key: h.Key, Value: []byte(h.Value)})
	}
	if _, err := conn.WriteMessages(record); err != nil {
		w.t.Fatal(err)
	}
}

func TestTailSeesWhatIsWrittenAfterItStartedAndOverACrash(t *testing.T) {
	server := testenv.NewServer(t, testenv.StartKafka)
	w := newWorld(t, server.Address(), 3)
	keys := customers(9)
	w.publishNumbers([]string{"shop/before"}, 1, 5)
	w.writeForeign("foreign")

	l := newLedger()
	started := make(chan struct{})
	w.run(func(ctx context.Context) error {
		return bus.Tail(ctx, w.cluster, w.topic, slog.New(slog.DiscardHandler), func() { close(started) }, func(e message.Envelope) {
			_ = l.handle(ctx, 0, []message.Envelope{e}) // It never fails.
		})
	})
	<-started
	w.publishNumbers(keys, 1, 5)
	l.await(t, keys, 5)
	crash(t, server)
	// Tail has not come back yet, or it has: what is written now must not be missed.
	w.publishNumbers(keys, 6, 10)
	l.await(t, keys, 10)
	if seen := l.seen()["shop/before"]; seen != 0 {
		t.Errorf("number %d was seen, which was written before", seen)
	}
}

func crash(t *testing.T, server *testenv.Server) {
	t.Helper()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
}
