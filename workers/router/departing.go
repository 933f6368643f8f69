package router

import (
	"context"
	"time"

	"github.com/yingda-dev/yingda/internal/configz"
)

const (
	// departingInterval is how often the messages of Channels that are being deleted are counted.
	departingInterval = 500 * time.Millisecond
	// departingTimeout bounds a count: it looks at all that was said to anybody in untakenFor.
	departingTimeout = 20 * time.Second
	// untakenFor is how long a message may be on its way to a connector. What no connector has taken over by then is not
	// waited for.
	untakenFor = 15 * time.Minute
)

// departure is how many messages to a Channel's customers are not settled, counted when its deletion was in force.
type departure struct {
	generation int64
	messages   int64
}

// Departing says of each Channel that is being deleted how many messages to its customers are not settled. The operator
// asks, and lets go of the Channel when there is none.
func (r *Router) Departing() map[string]configz.Channel {
	snapshot, counted := r.Catalog.Snapshot(), *r.departures.Load()
	departing := map[string]configz.Channel{}
	for _, name := range snapshot.Departing() {
		channel, _ := snapshot.Channel(name)
		if d, ok := counted[name]; ok && d.generation == channel.Generation {
			departing[name] = configz.Channel{OnTheWay: &d.messages}
		}
	}
	return departing
}

// watchDepartures counts until ctx ends.
func (r *Router) watchDepartures(ctx context.Context) {
	ticker := time.NewTicker(departingInterval)
	defer ticker.Stop()
	for {
		r.countDepartures(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (r *Router) countDepartures(ctx context.Context) {
	snapshot := r.Catalog.Snapshot()
	counted := map[string]departure{}
	for _, name := range snapshot.Departing() {
		channel, _ := snapshot.Channel(name)
		messages, err := r.onTheWay(ctx, name)
		if err != nil {
			if ctx.Err() == nil {
				r.Logger.Warn("Cannot count the messages on their way of a Channel that is being deleted", "Channel", name, "error", err)
			}
			continue
		}
		counted[name] = departure{channel.Generation, messages}
	}
	r.departures.Store(&counted)
}

func (r *Router) onTheWay(ctx context.Context, channel string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, departingTimeout)
	defer cancel()
	return r.Store.Queries().MessagesOnTheWay(ctx, channel, r.Now().UTC().Add(-untakenFor))
}
