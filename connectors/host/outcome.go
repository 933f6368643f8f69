package host

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// grantedWithin is how long the operator may take to widen the Role to a new Channel's Secret before it is an error.
const grantedWithin = 10 * time.Second

// outcomes returns what logs how calls for one resource end, and that only when it changes. An API server that is away is
// the same news for all resources; what it refuses is news of the one.
func (w *watcher) outcomes(resource, name string) func(context.Context, error) {
	o := &outcome{watcher: w, resource: resource, name: name}
	return o.note
}

type outcome struct {
	watcher        *watcher
	resource, name string

	// Guards what follows: a reflector lists and watches in goroutines of its own.
	mu      sync.Mutex
	refused time.Time // When it was refused first; zero while it is not.
	said    bool      // That it is refused for too long.
}

func (o *outcome) note(ctx context.Context, err error) {
	if err != nil && ctx.Err() != nil {
		return
	}
	if err != nil && !apierrors.IsForbidden(err) {
		o.watcher.reached.note(err)
		return
	}
	o.watcher.reached.note(nil)
	o.mu.Lock()
	defer o.mu.Unlock()
	logger := o.watcher.logger.With("resource", o.resource, "name", o.name)
	now := o.watcher.clock()
	switch {
	case err == nil && o.said:
		logger.Info("The Role grants the resource now")
		o.refused, o.said = time.Time{}, false
	case err == nil:
		o.refused = time.Time{}
	case o.refused.IsZero():
		o.refused = now
		logger.Info("The Role does not grant the resource yet")
	case !o.said && now.Sub(o.refused) >= grantedWithin:
		o.said = true
		logger.Error("The Role does not grant the resource", "error", err)
	}
}
