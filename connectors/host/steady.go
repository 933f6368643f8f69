package host

import (
	"log/slog"
	"sync"
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
