package bus_test

import (
	"context"
	"log/slog"
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

func TestConsumerReadsATopicThatWasMadeAnewFromItsStart(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 2)
	client := w.client()
	before := newLedger()
	stop := w.consume(before.handle)
	w.publishNumbers(customers(3), 1, 5)
	before.await(t, customers(3), 5)
	stop()

	after := newLedger()
	w.consume(after.handle)
	if _, err := client.DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{w.topic}}); err != nil {
		t.Fatal(err)
	}
	w.makeTopics(4)
	w.publishNumbers(customers(8), 1, 3)
	after.await(t, customers(8), 3)
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
		return bus.Tail(ctx, []string{w.broker}, w.topic, slog.New(slog.DiscardHandler), func() { close(started) }, func(e message.Envelope) {
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
