package router

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	tickInterval = time.Second
	// strandedInterval is how often those are counted whose queue nobody works off.
	strandedInterval = time.Minute
	// upkeepInterval is how often partitions are made and old rows go.
	upkeepInterval = time.Hour
	// batchRows bounds what one transaction of the clock moves.
	batchRows = 100

	// processedKept is longer than any topic's retention (30 days), so that no replay counts twice.
	processedKept = 45 * 24 * time.Hour
	framesKept    = 7 * 24 * time.Hour
	// botIdle is after how long a conversation that only the bot took part in counts as over.
	botIdle = 24 * time.Hour
)

// queueChange says that the queue of a skill group is to be looked at, and which message's span was the reason, if one was.
type queueChange struct {
	group string
	span  trace.SpanContext
}

// groupSet holds groups until they are taken, each with the first message that was a reason.
type groupSet struct {
	mu      *sync.Mutex
	changes map[string]queueChange
	added   chan struct{}
}

func newGroupSet() groupSet {
	return groupSet{mu: &sync.Mutex{}, changes: map[string]queueChange{}, added: make(chan struct{}, 1)}
}

func (s groupSet) add(change queueChange) {
	s.mu.Lock()
	if !s.changes[change.group].span.IsValid() {
		s.changes[change.group] = change
	}
	s.mu.Unlock()
	select {
	case s.added <- struct{}{}:
	default:
	}
}

func (s groupSet) take() []queueChange {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := make([]queueChange, 0, len(s.changes))
	for _, change := range s.changes {
		changes = append(changes, change)
	}
	clear(s.changes)
	return changes
}

// drainGroups works off the queues of groups in which something changed, until ctx ends.
func (r *Router) drainGroups(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.groups.added:
		}
		for _, change := range r.groups.take() {
			if err := r.drainTraced(ctx, change); err != nil && ctx.Err() == nil {
				// The clock looks at every queue again within a second.
				r.Logger.Warn("Working off a queue failed, trying again", "skillGroup", change.group, "error", err)
			}
		}
	}
}

// drainTraced is drain in the trace of the message that was the reason; a look by the clock makes no trace.
func (r *Router) drainTraced(ctx context.Context, change queueChange) error {
	if !change.span.IsValid() {
		return r.drain(ctx, change.group)
	}
	ctx, span := r.tracer.Start(trace.ContextWithSpanContext(ctx, change.span), "router queue",
		trace.WithAttributes(attribute.String("yingda.skill_group", change.group)))
	defer span.End()
	return r.drain(ctx, change.group)
}

// drain opens what waited for the opening, assigns while seats are free, and tells the others that they wait.
func (r *Router) drain(ctx context.Context, name string) error {
	snapshot := r.Catalog.Snapshot()
	group, ok := snapshot.Group(name)
	if !ok || group.Schedule != nil && !group.Schedule.At(r.Now()).Open {
		return nil
	}
	if err := r.openWaiting(ctx, name); err != nil {
		return err
	}
	for {
		assigned, err := r.Store.AssignNext(ctx, r.scope(), name, group.Seats)
		if err != nil {
			return fmt.Errorf("assigning: %w", err)
		}
		if !assigned {
			break
		}
		r.Committed()
		r.Metrics.assigned.Inc()
	}
	return r.tellWaiting(ctx, snapshot, name)
}

// openWaiting queues the conversations that waited for the group's opening, oldest first.
func (r *Router) openWaiting(ctx context.Context, group string) error {
	for {
		var moved int
		err := r.Store.Do(ctx, r.scope(), func(ctx context.Context, u *store.Unit) error {
			waiting, err := u.OpenWaiting(ctx, group, batchRows)
			if err != nil {
				return fmt.Errorf("finding who waits for the opening: %w", err)
			}
			moved = len(waiting)
			for _, c := range waiting {
				opened := c.OpenedAt
				// Who wrote in the night waits since then, and so is first in the morning.
				c.State, c.QueuedAt = store.StateQueued, &opened
				if _, err := u.Save(ctx, c); err != nil {
					return err //nolint:wrapcheck // says what it was doing.
				}
			}
			return nil
		})
		if err != nil {
			return err //nolint:wrapcheck // says what it was doing.
		}
		if moved < batchRows {
			return nil
		}
	}
}

// tellWaiting sends the Playbook's text to those who found no free seat, once each.
func (r *Router) tellWaiting(ctx context.Context, snapshot *catalog.Snapshot, group string) error {
	rows, err := r.Store.Queries().QueuedUntold(ctx, group, batchRows)
	if err != nil {
		return fmt.Errorf("finding who waits: %w", err)
	}
	for _, row := range rows {
		err := r.Store.Do(ctx, r.scope(), func(ctx context.Context, u *store.Unit) error {
			c, err := u.ConversationForUpdate(ctx, row.ID)
			if err != nil {
				return fmt.Errorf("locking a conversation: %w", err)
			}
			if c.State != store.StateQueued || c.QueuedTold {
				return nil
			}
			channel := channelOf(snapshot, c.Channel)
			v := vars(snapshot, channel, group, u.Now)
			v.QueuePosition = int(row.Position) - 1
			text, err := channel.Playbook.Queued(v)
			if err != nil {
				return fmt.Errorf("writing the queue text: %w", err)
			}
			if text != "" {
				_, _, err = u.Say(ctx, c, store.Words{
					Key: "queued/" + c.ID.String(), Topic: r.Names.Outbound(channel.Pool), Sender: store.SenderBot,
					Content: message.Content{Kind: message.KindText, Text: text},
				})
				if err != nil {
					return err //nolint:wrapcheck // says what it was doing.
				}
			}
			c.QueuedTold = true
			_, err = u.Save(ctx, c)
			return err //nolint:wrapcheck // says what it was doing.
		})
		if err != nil {
			return err //nolint:wrapcheck // says what it was doing.
		}
	}
	return nil
}

// tick looks at every queue once a second: for openings that came with the clock, and for what a crash between a commit
// and its assignment left behind.
func (r *Router) tick(ctx context.Context) {
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	upkeep := time.NewTicker(upkeepInterval)
	defer upkeep.Stop()
	stranded := time.NewTicker(strandedInterval)
	defer stranded.Stop()
	r.upkeep(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.configured(r.Catalog.Snapshot())
		case <-stranded.C:
			r.countStranded(ctx, r.Catalog.Snapshot())
		case <-upkeep.C:
			r.upkeep(ctx)
		}
	}
}

// countStranded tells of the conversations that no group has: the Brand names no default group, or a group was deleted
// while customers waited in it. They stay where they are, and are served once there is a group of the name.
func (r *Router) countStranded(ctx context.Context, snapshot *catalog.Snapshot) {
	names := []string{} // None is an empty list to the database, not an unknown one.
	for _, group := range snapshot.Groups() {
		names = append(names, group.Name)
	}
	count, err := r.Store.Queries().Stranded(ctx, names)
	if err != nil {
		if ctx.Err() == nil {
			r.Logger.Warn("Counting the conversations without a skill group failed, trying again in a minute", "error", err)
		}
		return
	}
	r.Metrics.stranded.Set(float64(count))
	if count > 0 {
		r.Logger.Warn("Customers wait in no skill group, or in one that does not exist: name a default group in the Brand, or make the group again",
			"conversations", count)
	}
}

// upkeep makes the partitions ahead and lets go of what nothing asks for any more.
func (r *Router) upkeep(ctx context.Context) {
	now, queries := r.Now().UTC(), r.Store.Queries()
	prune := func(f func(context.Context, time.Time) (int64, error), before time.Time) error {
		_, err := f(ctx, before)
		return err
	}
	err := errors.Join(
		queries.EnsurePartitions(ctx, now),
		prune(queries.ProcessedPrune, now.Add(-processedKept)),
		prune(queries.FramesPrune, now.Add(-framesKept)),
		r.closeIdle(ctx, now.Add(-botIdle)),
	)
	if err != nil && ctx.Err() == nil {
		r.Logger.Warn("Upkeep of the database failed, trying again in an hour", "error", err)
	}
}

func (r *Router) closeIdle(ctx context.Context, before time.Time) error {
	for {
		var closed int
		err := r.Store.Do(ctx, r.scope(), func(ctx context.Context, u *store.Unit) error {
			idle, err := u.IdleBotConversations(ctx, before, batchRows)
			closed = len(idle)
			for _, c := range idle {
				if _, err := u.Close(ctx, c); err != nil {
					return err //nolint:wrapcheck // says what it was doing.
				}
			}
			return err //nolint:wrapcheck // joined and logged by the caller.
		})
		if err != nil || closed < batchRows {
			return err //nolint:wrapcheck // joined and logged by the caller.
		}
	}
}

func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }
