// Package reach keeps an eye on the services that a replica works with, and says which of them it cannot reach.
//
// It repairs nothing and holds nobody up: every client goes on trying by itself. What is said here is for the operator, and so
// for whoever looks at the Brand.
package reach

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yingda-dev/yingda/internal/configz"
)

const (
	interval = 3 * time.Second
	timeout  = 2 * time.Second
	// lasts is how long a success counts: a broker that moves, or a call that was lost, is no outage.
	lasts = 15 * time.Second
)

// Probe asks a service for any answer.
type Probe func(ctx context.Context) error

// Watch probes services.
type Watch struct {
	clock    func() time.Time
	services map[configz.Dependency]*service
	// began is when Run started; 0 before.
	began atomic.Int64
}

type service struct {
	probe Probe
	// last is when it answered last; 0 for never.
	last atomic.Int64
}

// New makes a Watch; Run starts it.
func New(clock func() time.Time, probes map[configz.Dependency]Probe) *Watch {
	w := &Watch{clock: clock, services: make(map[configz.Dependency]*service, len(probes))}
	for name, probe := range probes {
		w.services[name] = &service{probe: probe}
	}
	return w
}

// Run probes until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	w.began.Store(w.clock().UnixNano())
	var running sync.WaitGroup
	defer running.Wait()
	for _, s := range w.services {
		running.Go(func() { w.watch(ctx, s) })
	}
}

func (w *Watch) watch(ctx context.Context, s *service) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		probeCtx, cancel := context.WithTimeout(ctx, timeout)
		err := s.probe(probeCtx)
		cancel()
		if err == nil {
			s.last.Store(w.clock().UnixNano())
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Reached says of each service whether it can be reached. One that has not answered yet, and had little time to, is left out.
func (w *Watch) Reached() map[configz.Dependency]bool {
	reached := make(map[configz.Dependency]bool, len(w.services))
	for name, s := range w.services {
		switch {
		case w.recent(s.last.Load()):
			reached[name] = true
		case w.began.Load() != 0 && !w.recent(w.began.Load()):
			reached[name] = false
		}
	}
	return reached
}

// Any says whether one of the services can be reached.
func (w *Watch) Any() bool {
	for _, s := range w.services {
		if w.recent(s.last.Load()) {
			return true
		}
	}
	return false
}

func (w *Watch) recent(at int64) bool { return w.clock().Sub(time.Unix(0, at)) <= lasts }
