package host

import (
	"context"
	"sync"
	"time"

	"github.com/yingda-dev/yingda/connectors"
)

const checkTimeout = 10 * time.Second

// checks ask platforms in the background whether credentials are good, each until the platform says yes.
type checks struct {
	settle  func(name string, connector connectors.Connector, failure *connectors.Failure)
	ctx     context.Context //nolint:containedctx // The life of the checks, which outlives each call that starts one.
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newChecks(settle func(string, connectors.Connector, *connectors.Failure)) *checks {
	c := &checks{settle: settle}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// start begins to check after a delay; the returned function ends it.
func (c *checks) start(name string, connector connectors.Connector, delay time.Duration) context.CancelFunc {
	ctx, cancel := context.WithCancel(c.ctx)
	c.running.Go(func() {
		defer cancel()
		c.run(ctx, name, connector, delay)
	})
	return cancel
}

func (c *checks) close() {
	c.cancel()
	c.running.Wait()
}

func (c *checks) run(ctx context.Context, name string, connector connectors.Connector, delay time.Duration) {
	refusedDelay, unreachedDelay := recheckAfter, unreachedAfter
	for pause(ctx, delay) {
		err := checkOnce(ctx, connector)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			c.settle(name, connector, nil)
			return
		}
		if failure := connectors.AsFailure(err); failure.Class == connectors.ClassCredentials {
			c.settle(name, connector, failure)
			delay, refusedDelay = refusedDelay, min(2*refusedDelay, recheckMost)
			continue
		}
		delay, unreachedDelay = unreachedDelay, min(2*unreachedDelay, recheckAfter)
	}
}

func checkOnce(ctx context.Context, connector connectors.Connector) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return connector.Check(ctx) //nolint:wrapcheck // Read by its class.
}

// pause waits for d; it returns false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
