package router

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// batchRows bounds what one look at a queue moves.
	batchRows = 100
	// drainTimeout bounds one look at a queue, so that a group whose rows are held does not keep the others from theirs.
	drainTimeout = 10 * time.Second
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
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if !change.span.IsValid() {
		return r.drain(ctx, change.group)
	}
	ctx, span := r.tracer.Start(trace.ContextWithSpanContext(ctx, change.span), "router queue",
		trace.WithAttributes(attribute.String("yingda.skill_group", change.group)))
	defer span.End()
	return r.drain(ctx, change.group)
}

// drain opens what waited for the opening, assigns while seats are free, lets another group take who waits too long, and
// tells the others that they wait; of a closed group it sends those who wait home. A step that fails does not keep the next from being tried.
func (r *Router) drain(ctx context.Context, name string) error {
	snapshot := r.Catalog.Snapshot()
	group, ok := snapshot.Group(name)
	if !ok {
		return nil
	}
	if !group.Open(r.Now()) {
		return r.closeWaiting(ctx, snapshot, group)
	}
	return errors.Join(r.sort(ctx, group), r.openWaiting(ctx, snapshot, group), r.assign(ctx, group),
		r.overflow(ctx, snapshot, group), r.tellWaiting(ctx, snapshot, group))
}

func (r *Router) assign(ctx context.Context, group *catalog.Group) error {
	for {
		assigned, err := r.Store.AssignNext(ctx, r.scope(), group.Assignment)
		if err != nil {
			return fmt.Errorf("assigning: %w", err)
		}
		if !assigned {
			return nil
		}
		r.Metrics.assigned.Inc()
	}
}

// closeWaiting keeps those who still wait when a group closes for its next opening, and tells them. They keep their places.
func (r *Router) closeWaiting(ctx context.Context, snapshot *catalog.Snapshot, group *catalog.Group) error {
	ids, err := r.Store.Queries().ConversationsInGroup(ctx, group.Name, []string{store.StateQueued}, batchRows)
	if err != nil {
		return fmt.Errorf("finding who waits in a closed group: %w", err)
	}
	return r.each(ctx, ids, func(ctx context.Context, u *store.Unit, c db.Conversation) error {
		if c.State != store.StateQueued || c.SkillGroup != group.Name {
			return nil
		}
		t := &turn{Unit: u, router: r, snapshot: snapshot, channel: channelOf(snapshot, c.Channel)}
		return t.closeOne(ctx, c)
	})
}

// each changes conversations, each locked in a transaction of its own: one that fails does not keep the others.
func (r *Router) each(ctx context.Context, ids []uuid.UUID, change func(context.Context, *store.Unit, db.Conversation) error) error {
	var failed []error
	for _, id := range ids {
		err := r.Store.Do(ctx, r.scope(), func(ctx context.Context, u *store.Unit) error {
			c, err := u.ConversationForUpdate(ctx, id)
			if err != nil {
				return fmt.Errorf("locking a conversation: %w", err)
			}
			return change(ctx, u, c)
		})
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// openWaiting queues the conversations that waited for the group's opening, oldest first.
func (r *Router) openWaiting(ctx context.Context, snapshot *catalog.Snapshot, group *catalog.Group) error {
	for {
		var moved int
		err := r.Store.Do(ctx, r.scope(), func(ctx context.Context, u *store.Unit) error {
			waiting, err := u.OpenWaiting(ctx, group.Name, batchRows)
			if err != nil {
				return fmt.Errorf("finding who waits for the opening: %w", err)
			}
			moved = len(waiting)
			for _, c := range waiting {
				// When it closes again, that is to be told again.
				c, c.OffHoursTold = queued(u, snapshot, c, group), false
				if _, err := u.Save(ctx, c); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if moved < batchRows {
			return nil
		}
	}
}

func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }
