package router

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/queue"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// rulesOf are the rules of a group's queue; in a group that is not known nobody has a head start.
func rulesOf(group *catalog.Group) queue.Rules {
	if group == nil {
		return queue.Rules{}
	}
	return group.Queue
}

// queued is a conversation as it waits for an agent of a group. When it does so for the first time, the clocks of a human's first words
// and of the solution start.
func queued(u *store.Unit, snapshot *catalog.Snapshot, c db.Conversation, group *catalog.Group) db.Conversation {
	if c.OfferedAt == nil && c.AnsweredAt == nil {
		clocks := snapshot.Clocks(c.Channel)
		c.LateAt = group.Due(u.Now, clocks.FirstResponse.Limit)
		c.ResolveAt = group.Due(u.Now, clocks.Resolution.Within(c.Topic))
	}
	return u.Queue(c, rulesOf(group))
}

// sort sorts a queue anew when what a point of priority is worth has changed, and when the router starts: nobody knows by
// which rules those were queued who wait then.
func (r *Router) sort(ctx context.Context, group *catalog.Group) error {
	point := group.Queue.Point()
	if r.sorted[group.Name] == point {
		return nil
	}
	err := r.Store.Do(ctx, r.scope(), func(ctx context.Context, u *store.Unit) error {
		_, err := u.QueueSort(ctx, point.Seconds(), group.Name)
		return err
	})
	if err != nil {
		return fmt.Errorf("sorting a queue anew: %w", err)
	}
	r.sorted[group.Name] = point
	return nil
}

// overflow gives who waits too long, or came when the queue was full, to the group that is named for it, as long as that one
// is open, has room and somebody is there. Each goes once and keeps their time of waiting.
func (r *Router) overflow(ctx context.Context, snapshot *catalog.Snapshot, group *catalog.Group) error {
	to, known := snapshot.Group(group.Queue.To)
	if !known || to.Name == group.Name || !to.Open(r.Now()) {
		return nil
	}
	ids, err := r.overflowing(ctx, group, to)
	if err != nil {
		return err
	}
	moved := map[uuid.UUID]bool{}
	err = r.each(ctx, ids, func(ctx context.Context, u *store.Unit, c db.Conversation) error {
		delete(moved, c.ID) // The unit may run again.
		if c.State != store.StateQueued || c.SkillGroup != group.Name || c.Overflowed {
			return nil
		}
		c.SkillGroup, c.Priority, c.Overflowed = to.Name, to.Priority(c.Topic, c.Tier), true
		moved[c.ID] = true
		_, err := u.Save(ctx, queued(u, snapshot, c, to))
		return err
	})
	if len(moved) > 0 {
		r.Metrics.overflowed.WithLabelValues(group.Name, to.Name).Add(float64(len(moved)))
		r.groups.add(queueChange{group: to.Name})
	}
	return err
}

// overflowing finds who is to go, no more than there is room for.
func (r *Router) overflowing(ctx context.Context, group, to *catalog.Group) ([]uuid.UUID, error) {
	var since time.Time // Nobody has waited since then.
	if group.Queue.After > 0 {
		since = r.Now().UTC().Add(-group.Queue.After)
	}
	ids, err := r.Store.Queries().QueueOver(ctx, group.Name, since, int64(group.Queue.MaxLength), batchRows)
	if err != nil {
		return nil, fmt.Errorf("finding who waits too long: %w", err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	agents := make([]string, len(to.Assignment.Seats))
	for i, seat := range to.Assignment.Seats {
		agents[i] = seat.Agent
	}
	there, err := r.Store.Queries().QueueStaffed(ctx, to.Name, agents)
	if err != nil {
		return nil, fmt.Errorf("looking at the queue of another group: %w", err)
	}
	room := int64(to.Queue.MaxLength) - there.Waiting
	if !there.Staffed || room <= 0 {
		return nil, nil
	}
	return ids[:min(int64(len(ids)), room)], nil
}

// tellWaiting sends the Playbook's text to those who found no free seat, once each.
func (r *Router) tellWaiting(ctx context.Context, snapshot *catalog.Snapshot, group *catalog.Group) error {
	queries := r.Store.Queries()
	rows, err := queries.QueuedUntold(ctx, group.Name, batchRows)
	if err != nil {
		return fmt.Errorf("finding who waits: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	now := r.Now().UTC()
	pace, err := queries.QueuePace(ctx, now.Add(-queue.MeasuredOver), group.Name)
	if err != nil {
		return fmt.Errorf("measuring how quickly conversations are taken: %w", err)
	}
	var ids []uuid.UUID
	places := map[uuid.UUID]int{}
	for _, row := range rows {
		ids = append(ids, row.ID)
		places[row.ID] = int(row.Position)
	}
	return r.each(ctx, ids, func(ctx context.Context, u *store.Unit, c db.Conversation) error {
		if c.State != store.StateQueued || c.SkillGroup != group.Name || c.QueuedTold {
			return nil
		}
		t := &turn{Unit: u, router: r, snapshot: snapshot, channel: channelOf(snapshot, c.Channel)}
		if err := t.tellPlace(ctx, c, group, places[c.ID], pace); err != nil {
			return err
		}
		c.QueuedTold = true
		_, err = u.Save(ctx, c)
		return err
	})
}

// tellPlace tells a customer their place in a queue. The last message that the platform lets through is the agent's, and what
// it would not let through is not said.
func (t *turn) tellPlace(ctx context.Context, c db.Conversation, group *catalog.Group, place int, pace db.QueuePaceRow) error {
	ledger, err := t.Unspent(ctx, store.Contact{Channel: c.Channel, ExternalID: c.ExternalID})
	if err != nil {
		return err
	}
	if remaining, _ := quota.Left(ledger, t.Now); remaining <= 1 {
		return nil
	}
	v := t.varsOf(c, group.Name)
	v.QueuePosition = place - 1
	v.ExpectedWait = queue.ExpectedWait(v.QueuePosition, int(pace.Taken), pace.Since, t.Now)
	text := t.channel.Playbook.Queued
	if place > group.Queue.MaxLength {
		text = t.channel.Playbook.QueueFull
	}
	said, err := text(v)
	if err != nil {
		return fmt.Errorf("writing the queue text: %w", err)
	}
	return t.sayWaiting(ctx, c, "queued/"+c.ID.String(), said)
}
