package host

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	reachInterval = 2 * time.Second
	reachTimeout  = time.Second
	// reachedFor is how long a success counts.
	reachedFor = 15 * time.Second
)

// reach keeps an eye on Kafka and Postgres. With either of them a replica can keep messages; with none it must be given none.
type reach struct {
	cluster bus.Cluster
	store   *store.Store
	clock   func() time.Time
	last    atomic.Int64
}

var errNothingReached = errors.New("neither Kafka nor Postgres can be reached")

func (r *reach) run(ctx context.Context) {
	ticker := time.NewTicker(reachInterval)
	defer ticker.Stop()
	for {
		if r.cluster.Reach(ctx, reachTimeout) || r.postgres(ctx) {
			r.last.Store(r.clock().UnixNano())
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (r *reach) ready() error {
	if r.clock().Sub(time.Unix(0, r.last.Load())) > reachedFor {
		return errNothingReached
	}
	return nil
}

func (r *reach) postgres(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	return r.store.Ping(ctx) == nil
}
