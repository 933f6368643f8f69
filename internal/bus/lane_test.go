package bus

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

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
	p := NewProducer([]string{"127.0.0.1:1"})
	p.writer.Transport = broker
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
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	p := NewProducer([]string{"127.0.0.1:1"})
	p.writer.Transport = lameBroker{func() error { <-never; return errRefused }}
	envelopes, odd := spread()
	stuck, cancel := context.WithCancel(t.Context())
	var hanging sync.WaitGroup
	hanging.Go(func() { _ = p.Publish(stuck, "inbound", envelopes...) })
	for i := range envelopes {
		if odd[i] {
			continue
		}
		if err := p.Publish(t.Context(), "inbound", envelopes[i]); err != nil {
			t.Errorf("an envelope for a partition that answers: %v", err)
		}
	}
	cancel()
	hanging.Wait()
}

func TestAnEnvelopeThatIsTooLargeFailsAlone(t *testing.T) {
	p := NewProducer([]string{"127.0.0.1:1"})
	p.writer.Transport = lameBroker{func() error { return nil }}
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
