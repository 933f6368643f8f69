package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yingda-dev/yingda/internal/wait"
)

// progressInterval is how often it is looked how far something is that takes long.
const progressInterval = 2 * time.Second

// progress is what a step that takes long is at.
type progress struct{ words atomic.Pointer[string] }

// doing says in one line what is under way; empty while nothing takes long.
func (p *progress) doing() string {
	if words := p.words.Load(); words != nil {
		return *words
	}
	return ""
}

// follow looks how far it is until the function that it returns is called. What cannot be looked at is not told, and harms nothing.
func (p *progress) follow(ctx context.Context, logger *slog.Logger, look func(ctx context.Context) (string, error)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() {
		defer p.words.Store(nil)
		for wait.For(ctx, progressInterval) {
			words, err := look(ctx)
			if err != nil && ctx.Err() == nil {
				logger.Debug("Cannot tell how far it is", "error", err)
			}
			p.words.Store(&words)
		}
	})
	return func() {
		cancel()
		following.Wait()
	}
}
