package host

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// steadyLog logs the first failure of something that is tried over and over, and its recovery, not every try.
type steadyLog struct {
	logger *slog.Logger
	what   string

	mu      sync.Mutex
	failing bool
}

func newSteadyLog(logger *slog.Logger, what string) *steadyLog {
	return &steadyLog{logger: logger, what: what}
}

func (s *steadyLog) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil && !s.failing:
		s.logger.Warn("A task fails and is tried on", "task", s.what, "error", err)
	case err == nil && s.failing:
		s.logger.Info("A task works again", "task", s.what)
	}
	s.failing = err != nil
}

// poll makes passes until ctx ends: the next one at once while there is more to do, otherwise at its time.
func poll(ctx context.Context, interval time.Duration, log *steadyLog, pass func(context.Context) (more bool, err error)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		more, err := pass(ctx)
		if ctx.Err() != nil {
			return
		}
		log.note(err)
		if more {
			continue
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
