package bus

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/produce"

	"github.com/yingda-dev/yingda/internal/message"
)

// countingBroker takes everything and counts the requests to write.
type countingBroker struct {
	lameBroker
	writes atomic.Int64
}

func (b *countingBroker) RoundTrip(ctx context.Context, address net.Addr, request kafka.Request) (kafka.Response, error) {
	if _, ok := request.(*produce.Request); ok {
		b.writes.Add(1)
	}
	return b.lameBroker.RoundTrip(ctx, address, request)
}

// newTestProducer writes to the broker, and is closed before the test ends.
func newTestProducer(t *testing.T, broker kafka.RoundTripper) *Producer {
	t.Helper()
	p := NewProducer(Cluster{Brokers: []string{"127.0.0.1:1"}})
	p.writer.Transport = broker
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// together publishes one envelope each from as many goroutines, all at once, and returns their errors.
func together(p *Producer, envelopes []message.Envelope) []error {
	errs := make([]error, len(envelopes))
	var start, callers sync.WaitGroup
	start.Add(1)
	for i := range envelopes {
		callers.Go(func() {
			start.Wait()
			errs[i] = p.Publish(context.Background(), "inbound", envelopes[i])
		})
	}
	start.Done()
	callers.Wait()
	return errs
}

func TestCallsOfTheSameTimeShareRequests(t *testing.T) {
	const calls = 200
	broker := &countingBroker{lameBroker: lameBroker{func() error { return nil }}}
	p := newTestProducer(t, broker)
	envelopes := make([]message.Envelope, calls)
	for i := range envelopes {
		envelopes[i] = message.Envelope{ID: strconv.Itoa(i), Key: "one customer"}
	}
	for i, err := range together(p, envelopes) {
		if err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if got := broker.writes.Load(); got >= calls/2 {
		t.Errorf("%d calls took %d requests", calls, got)
	}
}

func TestAPartitionThatNeverAnswersHoldsUpNoOther(t *testing.T) {
	never, hangs := make(chan struct{}), make(chan struct{})
	var once sync.Once
	p := newTestProducer(t, lameBroker{func() error {
		once.Do(func() { close(hangs) })
		<-never
		return errRefused
	}})
	t.Cleanup(func() { close(never) })
	envelopes, odd := spread()
	stuck, cancel := context.WithCancel(t.Context())
	var hanging sync.WaitGroup
	hanging.Go(func() { _ = p.Publish(stuck, "inbound", envelopes...) })
	<-hangs
	// All at once, so that they go out with others that hang.
	var calls sync.WaitGroup
	for i := range envelopes {
		calls.Go(func() {
			// Well below what the producer waits for a partition; it is not what is measured.
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			began := time.Now()
			err := p.Publish(ctx, "inbound", envelopes[i])
			if waited := ctx.Err() != nil; waited != odd[i] || (err != nil) != odd[i] {
				t.Errorf("envelope %d for a partition that hangs (%t): %v after %s", i, odd[i], err, time.Since(began))
			}
		})
	}
	calls.Wait()
	cancel()
	hanging.Wait()
}

func TestARefusalReachesTheCallsOfItsPartitionAlone(t *testing.T) {
	p := newTestProducer(t, lameBroker{func() error { return kafka.NotEnoughReplicas }})
	envelopes, odd := spread()
	for i, err := range together(p, envelopes) {
		if got := errors.Is(err, kafka.NotEnoughReplicas); got != odd[i] || (err != nil) != odd[i] {
			t.Errorf("call %d for a partition that refuses (%t): %v", i, odd[i], err)
		}
	}
}

func TestAClosedProducerRefuses(t *testing.T) {
	p := NewProducer(Cluster{Brokers: []string{"127.0.0.1:1"}})
	p.writer.Transport = lameBroker{func() error { return nil }}
	envelopes, _ := spread()
	if err := p.Publish(t.Context(), "inbound", envelopes...); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{"inbound", "another"} {
		if err := p.Publish(t.Context(), topic, envelopes...); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("publishing to %s: %v, want %v", topic, err, io.ErrClosedPipe)
		}
	}
}

func TestAnEnvelopeThatIsTooLargeFailsAlone(t *testing.T) {
	p := newTestProducer(t, lameBroker{func() error { return nil }})
	envelopes := make([]message.Envelope, 20)
	for i := range envelopes {
		envelopes[i] = message.Envelope{ID: strconv.Itoa(i), Key: strconv.Itoa(i)}
	}
	const large = 7
	envelopes[large].Data = make([]byte, 2<<20)
	for i, err := range together(p, envelopes) {
		var tooLarge kafka.MessageTooLargeError
		if got := errors.As(err, &tooLarge); got != (i == large) || (err != nil) != (i == large) {
			t.Errorf("call %d: %v", i, err)
		}
	}
}
