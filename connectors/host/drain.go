package host

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	drainInterval = time.Second
	// drainBatch is at most bus.BatchSize, or one customer's messages could change places within a call.
	drainBatch   = 100
	drainTimeout = 12 * time.Second
	// drainPublish is longer than a webhook may wait: nobody waits here, and a slow broker still takes what it is given.
	drainPublish = 8 * time.Second
	// keyPause is how long a customer is left out whose message was refused; keysPaused bounds them.
	keyPause   = 2 * time.Second
	keysPaused = 1000
)

// drain moves what is in the spool to Kafka as the only replica that does, each customer's messages in order. A customer
// whose partition takes nothing is left out for a while with all that is theirs, and the others go on.
type drain struct {
	pool     string
	topic    string
	producer publisher
	store    *store.Store
	wake     <-chan struct{}
	clock    func() time.Time
	metrics  *metrics
	logger   *slog.Logger
	log      *steadyLog
	// paused are the keys that are left out, and until when.
	paused map[string]time.Time
}

func newDrain(pool, topic string, producer publisher, s *store.Store, wake <-chan struct{}, clock func() time.Time, m *metrics, logger *slog.Logger) *drain {
	return &drain{
		pool: pool, topic: topic, producer: producer, store: s, wake: wake, clock: clock, metrics: m, logger: logger,
		log: newSteadyLog(logger, "drain the spool"), paused: map[string]time.Time{},
	}
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
		wake := d.wake
		if err != nil {
			// What keeps arriving would make this a busy loop.
			wake = nil
		}
		if err != nil && owned != nil && !d.healthy(ctx, owned) {
			// The connection is gone, and the right with it.
			release()
		}
		select {
		case <-ticker.C:
		case <-wake:
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
	batch, unreadable, err := (*owned).Next(ctx, d.leftOut(), drainBatch)
	if err != nil {
		return false, err
	}
	if len(unreadable) > 0 {
		if err := (*owned).SetAside(ctx, unreadable); err != nil {
			return false, err
		}
		d.metrics.unreadable.Add(float64(len(unreadable)))
		d.logger.ErrorContext(ctx, "Set rows of the spool aside that are no envelopes", "pool", d.pool, "rows", len(unreadable))
	}
	full := len(batch)+len(unreadable) == drainBatch
	if len(batch) == 0 {
		if len(d.paused) == 0 && !full {
			d.metrics.spoolDepth.Set(0)
		}
		return full, nil
	}
	taken, publishErr := d.publish(ctx, batch)
	if len(taken) > 0 {
		// Receivers dedupe what is published again because this failed.
		if err := (*owned).Done(ctx, taken); err != nil {
			return false, err
		}
	}
	return full && (publishErr == nil || unconfined(publishErr) == nil && len(d.paused) < keysPaused), publishErr
}

// publish returns what Kafka has, and leaves the keys of the rest out for a while.
func (d *drain) publish(ctx context.Context, batch []store.Spooled) (taken []store.Spooled, err error) {
	ctx, cancel := context.WithTimeout(ctx, drainPublish)
	defer cancel()
	envelopes := make([]message.Envelope, len(batch))
	for i, one := range batch {
		envelopes[i] = one.Envelope
	}
	if err = d.producer.Publish(ctx, d.topic, envelopes...); err != nil {
		err = fmt.Errorf("publishing from the spool: %w", err)
	}
	until := d.clock().Add(keyPause)
	for i, one := range batch {
		switch {
		case bus.Taken(err, i):
			taken = append(taken, one)
		case len(d.paused) < keysPaused:
			d.paused[one.Envelope.Key] = until
		}
	}
	return taken, err
}

// leftOut are the keys that are left out now.
func (d *drain) leftOut() []string {
	now := d.clock()
	maps.DeleteFunc(d.paused, func(_ string, until time.Time) bool { return !until.After(now) })
	return slices.Collect(maps.Keys(d.paused))
}
