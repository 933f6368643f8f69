package bus_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/testenv"
)

func TestEnvelopeComesOutAsItWentIn(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 4)
	sent := numbered(t, "shop/o-1", 1)
	sent.TraceParent, sent.TraceState = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1"
	w.publish(sent)

	got := make(chan message.Envelope, 1)
	w.consume(func(_ context.Context, _ int, batch []message.Envelope) error {
		got <- batch[0]
		return nil
	})
	if diff := cmp.Diff(sent, <-got); diff != "" {
		t.Errorf("envelope (-sent +got):\n%s", diff)
	}
}

func TestEachCustomersMessagesStayInOrder(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 4)
	keys := customers(20)
	l := newLedger()
	w.consume(l.handle)
	w.publishNumbers(keys, 1, 50)
	l.await(t, keys, 50)
}

func TestFailedBatchIsTriedAgainInOrder(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 2)
	keys := customers(4)
	l := newLedger()
	var failures atomic.Int32
	w.consume(func(ctx context.Context, partition int, batch []message.Envelope) error {
		if failures.Add(1) <= 3 {
			return errors.New("the database is away")
		}
		return l.handle(ctx, partition, batch)
	})
	w.publishNumbers(keys, 1, 20)
	l.await(t, keys, 20)
}

func TestNothingIsCommittedBeforeItIsHandled(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 1)
	client := w.client()
	w.publishNumbers(customers(1), 1, 3)
	tried := make(chan struct{}, 100)
	stop := w.consume(func(context.Context, int, []message.Envelope) error {
		tried <- struct{}{}
		return errors.New("the database is away")
	})
	for range 3 {
		<-tried
	}
	stop()
	if diff := cmp.Diff(map[int]int64{0: -1}, committed(t, client, w.group, w.topic, 1)); diff != "" {
		t.Errorf("committed offsets (-want +got):\n%s", diff)
	}

	l := newLedger()
	w.consume(l.handle)
	l.await(t, customers(1), 3)
	eventually(t, func() bool { return committed(t, client, w.group, w.topic, 1)[0] == 3 })
}

func TestPoisonGoesToTheDeadLettersAndTheRestGoesOn(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 1)
	key := customers(1)
	bad := numbered(t, key[0], 2)
	bad.Data = json.RawMessage(`"poison"`)
	w.publish(numbered(t, key[0], 1), bad, numbered(t, key[0], 2), numbered(t, key[0], 3))

	l := newLedger()
	w.consume(func(ctx context.Context, partition int, batch []message.Envelope) error {
		if i := slices.IndexFunc(batch, func(e message.Envelope) bool { return string(e.Data) == `"poison"` }); i >= 0 {
			return &bus.PoisonError{Index: i, Reason: "not a number"}
		}
		return l.handle(ctx, partition, batch)
	})
	l.await(t, key, 3)
	dead := w.deadLetters(1)[0]
	got := []string{string(dead.Key), string(dead.Value), header(dead, "ce_id"), header(dead, "yingda-reason"), header(dead, "yingda-source")}
	if diff := cmp.Diff([]string{key[0], `"poison"`, bad.ID, "not a number", w.topic + "/0/1"}, got); diff != "" {
		t.Errorf("dead letter (-want +got):\n%s", diff)
	}
}

func TestRecordThatIsNoEnvelopeGoesToTheDeadLetters(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 1)
	l := newLedger()
	w.consume(l.handle)
	// The headers that a dead letter gets make this one larger than a broker takes.
	large := strings.Repeat("x", 1<<20-90)
	w.writeForeign("foreign", large)
	w.publishNumbers(customers(1), 1, 1)
	l.await(t, customers(1), 1)

	var got [][]string
	for _, dead := range w.deadLetters(2) {
		got = append(got, []string{string(dead.Value), header(dead, "yingda-source"), header(dead, "yingda-omitted-bytes"), header(dead, "yingda-reason")})
	}
	reason := "record is not a CloudEvents 1.0 envelope: ce_specversion is not 1.0"
	want := [][]string{{"foreign", w.topic + "/0/0", "", reason}, {"", w.topic + "/0/1", "1048486", reason}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

// writeForeign writes records as somebody would who knows nothing of envelopes.
func (w *world) writeForeign(values ...string) {
	w.t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	writer := bus.NewWriter(w.cluster)
	writer.Transport = transport
	for _, value := range values {
		if err := writer.WriteMessages(w.t.Context(), kafka.Message{Topic: w.topic, Value: []byte(value)}); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		w.t.Fatal(err)
	}
}

func TestPoisonThatIsNotInTheBatchIsTriedAgain(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 1)
	l := newLedger()
	var calls atomic.Int32
	w.consume(func(ctx context.Context, partition int, batch []message.Envelope) error {
		switch calls.Add(1) {
		case 1:
			return &bus.PoisonError{Index: -1, Reason: "a mistake"}
		case 2:
			return &bus.PoisonError{Index: len(batch), Reason: "a mistake"}
		}
		return l.handle(ctx, partition, batch)
	})
	w.publishNumbers(customers(1), 1, 1)
	l.await(t, customers(1), 1)
}

func TestConsumerStopsWhileAHandlerWaits(t *testing.T) {
	w := newWorld(t, testenv.Kafka(t), 2)
	entered := make(chan struct{}, 10)
	stop := w.consume(func(ctx context.Context, _ int, _ []message.Envelope) error {
		entered <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	w.publishNumbers(customers(4), 1, 1)
	<-entered
	stop()
}

func TestSecondConsumerSharesAndTheFirstOnesPartitionsAreTakenOver(t *testing.T) {
	const partitions = 4
	w := newWorld(t, testenv.Kafka(t), partitions)
	client := w.client()
	keys := customers(20)
	// One ledger for both: whoever handles a number, its predecessor was handled before.
	l := newLedger()
	var first, second atomic.Int32
	stop := w.consume(counted(&first, l))
	w.publishNumbers(keys, 1, 10)
	l.await(t, keys, 10)

	offsets := watchOffsets(t, func() map[int]int64 { return committed(t, client, w.group, w.topic, partitions) })
	w.consume(counted(&second, l))
	next := 11
	eventually(t, func() bool {
		w.publishNumbers(keys, next, next)
		next++
		return second.Load() > 0
	})
	l.await(t, keys, next-1)
	stop()
	byFirst := first.Load()
	w.publishNumbers(keys, next, next+9)
	l.await(t, keys, next+9)
	if got := first.Load(); got != byFirst {
		t.Errorf("the stopped consumer handled %d more batches", got-byFirst)
	}
	offsets()
}

func counted(calls *atomic.Int32, l *ledger) bus.Handler {
	return func(ctx context.Context, partition int, batch []message.Envelope) error {
		calls.Add(1)
		return l.handle(ctx, partition, batch)
	}
}

// watchOffsets looks at the committed offsets until the returned function is called, which says when one moved back.
func watchOffsets(t *testing.T, read func() map[int]int64) (check func()) {
	t.Helper()
	done := make(chan struct{})
	var watcher sync.WaitGroup
	highest := map[int]int64{}
	watcher.Go(func() {
		for {
			for partition, offset := range read() {
				if before, seen := highest[partition]; seen && offset < before {
					t.Errorf("partition %d: the committed offset moved back from %d to %d", partition, before, offset)
				}
				highest[partition] = offset
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	return func() {
		close(done)
		watcher.Wait()
		if len(highest) == 0 {
			t.Error("no offset was seen")
		}
	}
}
