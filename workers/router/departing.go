package router

import (
	"context"
	"time"

	"github.com/yingda-dev/yingda/internal/configz"
)

const (
	// departingTimeout bounds the look at one Channel: the operator waits two seconds for the whole report.
	departingTimeout = time.Second
	// untakenFor is how long a message may be on its way to a connector. What no connector has taken over by then is not
	// waited for.
	untakenFor = time.Hour
)

// Departing says of each Channel that is being deleted how many messages to its customers are not settled. The operator
// asks, and lets go of the Channel when there is none.
func (r *Router) Departing(ctx context.Context) map[string]configz.Channel {
	departing := map[string]configz.Channel{}
	for _, name := range r.Catalog.Snapshot().Departing() {
		departing[name] = configz.Channel{OnTheWay: r.onTheWay(ctx, name)}
	}
	return departing
}

func (r *Router) onTheWay(ctx context.Context, channel string) *int64 {
	ctx, cancel := context.WithTimeout(ctx, departingTimeout)
	defer cancel()
	messages, err := r.Store.Queries().MessagesOnTheWay(ctx, channel, r.Now().UTC().Add(-untakenFor))
	if err != nil {
		r.Logger.Warn("Cannot count the messages on their way of a Channel that is being deleted", "Channel", channel, "error", err)
		return nil
	}
	return &messages
}
