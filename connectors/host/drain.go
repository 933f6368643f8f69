package host

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	drainInterval = time.Second
	// drainBatch is at most bus.BatchSize, or one customer's messages could change places within a call.
	drainBatch   = 100
	drainTimeout = 10 * time.Second
)

// drain moves what is in the spool to Kafka, in order, as the only replica that does.
type drain struct {
	pool     string
	topic    string
	producer publisher
	store    *store.Store
	wake     <-chan struct{}
	metrics  *metrics
	log      *steadyLog
}

func newDrain(pool, topic string, producer publisher, s *store.Store, wake <-chan struct{}, m *metrics, logger *slog.Logger) *drain {
	return &drain{pool: pool, topic: topic, producer: producer, store: s, wake: wake, metrics: m, log: newSteadyLog(logger, "drain the spool")}
}

// run drains until ctx ends.
func (d *drain) run(ctx context.Context) {
	var owned *store.SpoolDrain
	release := func() {
		if owned != nil {
			closeCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			owned.Close(closeCtx)
			owned = nil
			d.metrics.spoolDepth.Set(0)
		}
	}
	defer release()
	ticker := time.NewTicker(drainInterval)
	defer ticker.Stop()
	for {
		more, err := d.pass(ctx, &owned)
		if ctx.Err() != nil {
			return
		}
		d.log.note(err)
		if more {
			continue
		}
		if err != nil && owned != nil && !d.healthy(ctx, owned) {
			// The connection is gone, and the right with it.
			release()
		}
		select {
		case <-ticker.C:
		case <-d.wake:
		case <-ctx.Done():
			return
		}
	}
}

func (d *drain) healthy(ctx context.Context, owned *store.SpoolDrain) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	depth, err := owned.Depth(ctx)
	if err == nil {
		d.metrics.spoolDepth.Set(float64(depth))
	}
	return err == nil
}

// pass moves some of the spool if this replica may; more says that there may be others.
func (d *drain) pass(ctx context.Context, owned **store.SpoolDrain) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if *owned == nil {
		if *owned, err = d.store.OwnSpool(ctx, d.pool); err != nil || *owned == nil {
			return false, err
		}
	}
	batch, err := (*owned).Next(ctx, drainBatch)
	if err != nil || len(batch) == 0 {
		if err == nil {
			d.metrics.spoolDepth.Set(0)
		}
		return false, err
	}
	envelopes := make([]message.Envelope, len(batch))
	for i, one := range batch {
		envelopes[i] = one.Envelope
	}
	publishCtx, cancelPublish := context.WithTimeout(ctx, kafkaDeadline)
	defer cancelPublish()
	if err := d.producer.Publish(publishCtx, d.topic, envelopes...); err != nil {
		return false, fmt.Errorf("publishing from the spool: %w", err)
	}
	// Receivers dedupe what is published again because this failed.
	return true, (*owned).Done(ctx, batch)
}
