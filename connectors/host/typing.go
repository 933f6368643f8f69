package host

import (
	"context"
	"sync"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	typingWorkers = 4
	typingBacklog = 256
	typingTimeout = 5 * time.Second
)

// typing shows customers that somebody types: while there is time, and if the platform may be called. What comes too late
// or too often is dropped.
type typing struct {
	table   *table
	store   *store.Store
	clock   func() time.Time
	metrics *metrics
	queue   chan message.Outbound
}

func newTyping(t *table, s *store.Store, clock func() time.Time, m *metrics) *typing {
	return &typing{table: t, store: s, clock: clock, metrics: m, queue: make(chan message.Outbound, typingBacklog)}
}

func (t *typing) offer(out message.Outbound) {
	select {
	case t.queue <- out:
	default:
		t.metrics.typing.WithLabelValues("dropped").Inc()
	}
}

func (t *typing) run(ctx context.Context) {
	var workers sync.WaitGroup
	for range typingWorkers {
		workers.Go(func() {
			for {
				select {
				case out := <-t.queue:
					t.metrics.typing.WithLabelValues(t.show(ctx, out)).Inc()
				case <-ctx.Done():
					return
				}
			}
		})
	}
	workers.Wait()
}

func (t *typing) show(ctx context.Context, out message.Outbound) (outcome string) {
	if !out.NotAfter.IsZero() && t.clock().After(out.NotAfter) {
		return "late"
	}
	connector, ok := t.table.sender(out.Channel)
	if !ok {
		return "stopped"
	}
	ctx, cancel := context.WithTimeout(ctx, typingTimeout)
	defer cancel()
	state, err := t.store.Quota(ctx, store.Contact{Channel: out.Channel, ExternalID: out.Customer})
	switch {
	case err != nil:
		return "failed"
	case quota.Check(state, t.clock()) == quota.WindowClosed:
		// It needs an open window, but takes nothing of its quota.
		return "windowClosed"
	case connector.Send(ctx, out) != nil:
		return "failed"
	default:
		return "shown"
	}
}
