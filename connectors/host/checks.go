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
	settle func(name string, connector connectors.Connector, failure *connectors.CallError)
	wake   chan struct{}

	mu      sync.Mutex
	pending []*check
}

type check struct {
	name      string
	connector connectors.Connector
	delay     time.Duration
	stopped   chan struct{}
}

func newChecks(settle func(string, connectors.Connector, *connectors.CallError)) *checks {
	return &checks{settle: settle, wake: make(chan struct{}, 1)}
}

// start begins to check after a delay; the returned function ends it.
func (c *checks) start(name string, connector connectors.Connector, delay time.Duration) (stop func()) {
	one := &check{name: name, connector: connector, delay: delay, stopped: make(chan struct{})}
	c.mu.Lock()
	c.pending = append(c.pending, one)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return sync.OnceFunc(func() { close(one.stopped) })
}

// run checks until ctx ends.
func (c *checks) run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		c.mu.Lock()
		started := c.pending
		c.pending = nil
		c.mu.Unlock()
		for _, one := range started {
			running.Go(func() { c.repeat(ctx, one) })
		}
		select {
		case <-c.wake:
		case <-ctx.Done():
			return
		}
	}
}

func (c *checks) repeat(ctx context.Context, one *check) {
	refusedDelay, unreachedDelay := recheckAfter, unreachedAfter
	for delay := one.delay; one.wait(ctx, delay); {
		err := one.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			c.settle(one.name, one.connector, nil)
			return
		}
		if failure := connectors.AsCallError(err); failure.Class == connectors.ClassCredentials {
			c.settle(one.name, one.connector, failure)
			delay, refusedDelay = refusedDelay, min(2*refusedDelay, recheckMost)
			continue
		}
		delay, unreachedDelay = unreachedDelay, min(2*unreachedDelay, recheckAfter)
	}
}

// wait is false when the check was stopped first. The result of one under way is ignored then: its connector is not in
// force any more.
func (one *check) wait(ctx context.Context, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-one.stopped:
		return false
	case <-ctx.Done():
		return false
	}
}

func (one *check) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return one.connector.Check(ctx)
}
