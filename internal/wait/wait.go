// Package wait pauses goroutines that try again. It waits for time alone, and never longer than its context lives.
package wait

import (
	"context"
	"time"
)

// For waits for d; it returns false when ctx ended first.
func For(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
