package host

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	reportBacklog = 1024
	reportTimeout = 5 * time.Second
	// reportAgain is when a row that nobody has reported yet is anybody's to report.
	reportAgain = 3 * time.Second
	reportMost  = 200
)

// reporter tells the router what became of messages. What it cannot tell stays marked as unreported, and the sweep brings
// it back; the router may hear a state twice, and in any order: final states never change.
type reporter struct {
	names    bus.Names
	source   string
	producer publisher
	store    *store.Store
	queue    chan db.Delivery
	log      *steadyLog
}

func newReporter(names bus.Names, source string, producer publisher, s *store.Store, logger *slog.Logger) *reporter {
	return &reporter{
		names: names, source: source, producer: producer, store: s,
		queue: make(chan db.Delivery, reportBacklog), log: newSteadyLog(logger, "report deliveries"),
	}
}

func (r *reporter) offer(row db.Delivery) {
	select {
	case r.queue <- row:
	default:
		// The sweep reports it.
	}
}

// run reports until the queue is closed; with ctx it ends at once.
func (r *reporter) run(ctx context.Context) {
	for {
		batch, open := r.next(ctx)
		if len(batch) > 0 {
			r.log.note(r.report(ctx, batch))
		}
		if !open {
			return
		}
	}
}

// next waits for one row and takes all that are there with it.
func (r *reporter) next(ctx context.Context) (batch []db.Delivery, open bool) {
	select {
	case row, ok := <-r.queue:
		if !ok {
			return nil, false
		}
		batch = append(batch, row)
	case <-ctx.Done():
		return nil, false
	}
	for len(batch) < bus.BatchSize {
		select {
		case row, ok := <-r.queue:
			if !ok {
				return batch, false
			}
			batch = append(batch, row)
		default:
			return batch, true
		}
	}
	return batch, true
}

// sweep reports what nobody has reported.
func (r *reporter) sweep(ctx context.Context, pool string) error {
	rows, err := r.store.UnreportedDeliveries(ctx, pool, reportAgain, reportMost)
	if err != nil {
		return err
	}
	for len(rows) > 0 {
		n := min(len(rows), bus.BatchSize)
		if err := r.report(ctx, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func (r *reporter) report(ctx context.Context, rows []db.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	envelopes := make([]message.Envelope, len(rows))
	for i, row := range rows {
		e, err := r.envelope(row)
		if err != nil {
			return err
		}
		envelopes[i] = e
	}
	if err := r.producer.Publish(ctx, r.names.Inbound(), envelopes...); err != nil {
		return fmt.Errorf("reporting deliveries: %w", err)
	}
	return r.store.MarkReported(ctx, rows)
}

func (r *reporter) envelope(row db.Delivery) (message.Envelope, error) {
	// A repeated report of one change is the same event.
	id := connectors.StableID("delivery", row.MessageID.String(), row.State, row.UpdatedAt.UTC().Format(time.RFC3339Nano)).String()
	e, err := message.New(id, message.TypeDelivery, r.source, row.Channel, message.CustomerKey(row.Channel, row.ExternalID), row.UpdatedAt, message.Delivery{
		MessageID: row.MessageID, Channel: row.Channel, Customer: row.ExternalID, State: message.DeliveryState(row.State),
		Code: int(row.Code), Reason: row.Reason, At: row.UpdatedAt.UTC(),
	})
	if err != nil {
		return message.Envelope{}, fmt.Errorf("making a report: %w", err)
	}
	e.TraceParent = row.Traceparent
	return e, nil
}
