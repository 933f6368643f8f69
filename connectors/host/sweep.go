package host

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/yingda-dev/yingda/internal/store"
)

const (
	sweepInterval = time.Second
	sweepTimeout  = 10 * time.Second
	sweepMost     = 1000
	// queuedFor is when a queued message may have been left by a replica that is gone. Until then its own replica is at it.
	queuedFor = 2 * time.Second
	// orphanAfter is how long messages wait for a Channel that nobody serves before they fail.
	orphanAfter    = 10 * time.Minute
	orphanInterval = time.Minute
	// unheardFor is how long after the last call that ended without its answer a platform may still call again: it does at once.
	unheardFor = 10 * time.Second
	// stuckAfter is when a sweep that did not end says that the process is beyond help. It has only time-outs within.
	stuckAfter = time.Minute
)

// sweeper brings back what nobody is at: deferred messages that are due, messages of replicas that died, reports that did
// not get through, what was said in calls that ended before their answers, messages to deleted Channels.
type sweeper struct {
	pool       string
	table      *table
	synced     func() bool
	store      *store.Store
	dispatcher *dispatcher
	reporter   *reporter
	clock      func() time.Time
	log        *steadyLog
	last       atomic.Int64
	orphans    time.Time
}

func newSweeper(pool string, t *table, synced func() bool, s *store.Store, d *dispatcher, r *reporter, clock func() time.Time, logger *slog.Logger) *sweeper {
	return &sweeper{
		pool: pool, table: t, synced: synced, store: s, dispatcher: d, reporter: r, clock: clock, log: newSteadyLog(logger, "sweep deliveries"),
	}
}

func (s *sweeper) run(ctx context.Context) {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		s.last.Store(s.clock().UnixNano())
		err := s.sweep(ctx)
		if ctx.Err() != nil {
			return
		}
		s.log.note(err)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// alive says whether sweeps still come round.
func (s *sweeper) alive() error {
	if last := s.last.Load(); last != 0 && s.clock().Sub(time.Unix(0, last)) > stuckAfter {
		return fmt.Errorf("no sweep has ended for %s", stuckAfter)
	}
	return nil
}

func (s *sweeper) sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	now := s.clock()
	senders, known := s.table.ready()
	if len(senders) > 0 {
		contacts, err := s.store.DueContacts(ctx, senders, now, queuedFor, lostAfter, sweepMost)
		if err != nil {
			return err
		}
		s.dispatcher.wake(contacts...)
		unheard, err := s.store.SendUnheard(ctx, s.pool, senders, unheardFor, sweepMost)
		if err != nil {
			return err
		}
		s.dispatcher.wake(unheard...)
	}
	if s.synced() && now.Sub(s.orphans) > orphanInterval {
		if _, err := s.store.EndOrphans(ctx, s.pool, known, orphanAfter); err != nil {
			return err
		}
		s.orphans = now
	}
	return s.reporter.sweep(ctx, s.pool)
}
