package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yingda-dev/yingda/internal/configz"
)

const (
	// departingInterval is how often it is looked what is left of Channels that are being deleted.
	departingInterval = 500 * time.Millisecond
	// departingTimeout bounds a question to the database: the second one goes over all that was said to anybody in untakenFor.
	departingTimeout = 20 * time.Second
	// untakenFor is how long a message may be on its way to a connector. What no connector has taken over by then is not
	// waited for.
	untakenFor = 15 * time.Minute
)

// departure is what there is left to do for a Channel, looked at when its deletion was in force.
type departure struct {
	generation int64
	// messages to its customers that are not settled.
	messages int64
	// drained is since when its customers' messages are known to be in Kafka, none of them in the spool.
	drained time.Time
	// takenInUpTo is before which all that its customers wrote is taken in; zero while that is not known.
	takenInUpTo time.Time
}

// Departing says of each Channel that is being deleted what is left of it: messages of its customers that are not taken in, and
// messages to them that are not settled. The operator asks, and lets go of the Channel when there is nothing.
func (r *Router) Departing() map[string]configz.Channel {
	snapshot, known, now := r.Catalog.Snapshot(), *r.departures.Load(), r.Now()
	departing := map[string]configz.Channel{}
	for _, name := range snapshot.Departing() {
		channel, _ := snapshot.Channel(name)
		d, ok := known[name]
		if !ok || d.generation != channel.Generation {
			continue
		}
		report := configz.Channel{OnTheWay: &d.messages}
		if !d.takenInUpTo.IsZero() {
			report.UnreadSeconds = new(now.Sub(d.takenInUpTo).Seconds())
		}
		departing[name] = report
	}
	return departing
}

// watchDepartures looks until ctx ends.
func (r *Router) watchDepartures(ctx context.Context) {
	ticker := time.NewTicker(departingInterval)
	defer ticker.Stop()
	for failing := false; ; {
		err := r.lookAtDepartures(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			r.Logger.Warn("Cannot tell what is left of Channels that are being deleted", "error", err)
		}
		failing = err != nil
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// lookAtDepartures looks in the order in which a message travels, so that none slips from one place to the next unseen: the
// spool, the inbound topic, what is on its way to customers.
func (r *Router) lookAtDepartures(ctx context.Context) error {
	snapshot, before := r.Catalog.Snapshot(), *r.departures.Load()
	names := snapshot.Departing()
	if len(names) == 0 {
		r.departures.Store(&map[string]departure{})
		return nil
	}
	spooled, err := r.spooled(ctx, names)
	if err != nil {
		return err
	}
	empty := r.Now()
	// Without Kafka the messages on their way are counted all the same.
	errs := []error{r.reading.look(ctx)}
	known := make(map[string]departure, len(names))
	for _, name := range names {
		channel, _ := snapshot.Channel(name)
		d := departure{generation: channel.Generation, drained: before[name].drained}
		switch {
		case slices.Contains(spooled, name):
			d.drained = time.Time{}
		case d.drained.IsZero():
			d.drained = empty
		}
		// A mark that was set before the spool was empty says nothing of what came out of it later.
		if upTo := r.reading.upTo; !d.drained.IsZero() && !upTo.Before(d.drained) {
			d.takenInUpTo = upTo
		}
		if d.messages, err = r.onTheWay(ctx, name); err != nil {
			errs = append(errs, err)
			continue
		}
		known[name] = d
	}
	r.departures.Store(&known)
	return errors.Join(errs...)
}

// spooled are those of the Channels with messages in the spool.
func (r *Router) spooled(ctx context.Context, names []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, departingTimeout)
	defer cancel()
	spooled, err := r.Store.Queries().ChannelsSpooled(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("looking into the spool: %w", err)
	}
	return spooled, nil
}

func (r *Router) onTheWay(ctx context.Context, channel string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, departingTimeout)
	defer cancel()
	messages, err := r.Store.Queries().MessagesOnTheWay(ctx, channel, r.Now().UTC().Add(-untakenFor))
	if err != nil {
		return 0, fmt.Errorf("counting the messages on their way of Channel %s: %w", channel, err)
	}
	return messages, nil
}
