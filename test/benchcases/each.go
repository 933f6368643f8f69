package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// taken is how long n cases took.
type taken struct {
	n int
	// started is when all were started, whole when all had ended.
	started, whole time.Duration
}

func (t taken) rate() float64 { return float64(t.n) / t.whole.Seconds() }

// each calls f for the numbers below n, some at once.
func each(n int, f func(i int) error) error {
	var group errgroup.Group
	group.SetLimit(parallel)
	for i := range n {
		group.Go(func() error { return f(i) })
	}
	return group.Wait()
}

// await asks every so often until done says yes.
func await(ctx context.Context, often time.Duration, done func() (bool, error)) error {
	ticker := time.NewTicker(often)
	defer ticker.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
