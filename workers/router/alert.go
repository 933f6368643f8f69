package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// alertKept is the least time between two alerts of a queue.
	alertKept = time.Minute
	// standingsKept is how long what was seen of the queues is reported: a replica that cannot look says nothing.
	standingsKept = 10 * time.Second
)

// standings is who waited in which group when somebody looked.
type standings struct {
	at     time.Time
	queues map[string]configz.Queue
}

// Queues is who waits for an agent of each SkillGroup; nil when nobody can say.
func (r *Router) Queues() map[string]configz.Queue {
	seen := r.standings.Load()
	if seen == nil || r.Now().Sub(seen.at) > standingsKept {
		return nil
	}
	return seen.queues
}

// report keeps who waits for an agent, for whoever asks.
func (c *clock) report(rows []db.StandingsRow) map[string]configz.Queue {
	queues := map[string]configz.Queue{}
	for _, row := range rows {
		if row.State == store.StateQueued && row.Name != "" {
			queues[row.Name] = configz.Queue{Waiting: row.Conversations, OldestSince: row.Oldest.UTC()}
		}
	}
	c.standings.Store(&standings{c.Now(), queues})
	return queues
}

// alert tells the agents of a queue that became too long or too slow, once: a row says that they know, and all routers see it.
//
//	healthy --too long or slow: a row, frames--> alerted --healthy, and a minute has passed: no row--> healthy
func (c *clock) alert(ctx context.Context, snapshot *catalog.Snapshot, queues map[string]configz.Queue) error {
	if err := c.recallAlerts(ctx); err != nil {
		return err
	}
	var failed []error
	for _, group := range snapshot.Groups() {
		waiting := queues[group.Name]
		since, alerted := c.alerts[group.Name]
		ill := group.Queue.Health(int(waiting.Waiting), waiting.OldestSince, c.Now()).Alert()
		switch {
		case ill && !alerted:
			failed = append(failed, c.raise(ctx, snapshot, group, waiting))
		case !ill && alerted && c.Now().Sub(since) > alertKept:
			if _, err := c.Store.Queries().QueueAlertEnd(ctx, group.Name, c.Now().UTC().Add(-alertKept)); err != nil {
				failed = append(failed, fmt.Errorf("ending an alert: %w", err))
				continue
			}
			delete(c.alerts, group.Name)
		}
	}
	return errors.Join(failed...)
}

// recallAlerts learns, at first and then once a minute, of alerts that others raised and may not live to end.
func (c *clock) recallAlerts(ctx context.Context) error {
	if c.Now().Sub(c.recalled) < alertKept {
		return nil
	}
	groups, err := c.Store.Queries().QueueAlerts(ctx)
	if err != nil {
		return fmt.Errorf("reading the alerts: %w", err)
	}
	c.recalled = c.Now()
	for _, group := range groups {
		if _, known := c.alerts[group]; !known {
			c.alerts[group] = c.Now()
		}
	}
	return nil
}

// raise tells those on duty who serve the group or watch over it, unless another router has.
func (c *clock) raise(ctx context.Context, snapshot *catalog.Snapshot, group *catalog.Group, waiting configz.Queue) error {
	err := c.Store.Do(ctx, c.scope(), func(ctx context.Context, u *store.Unit) error {
		first, err := u.QueueAlertRaise(ctx, group.Name, u.Now)
		if err != nil || first == 0 {
			return err
		}
		present, err := u.PresenceAgents(ctx)
		if err != nil {
			return err
		}
		told := append(snapshot.WithRole(yingdav1.RoleSupervisor), snapshot.WithRole(yingdav1.RoleAdmin)...)
		for _, seat := range group.Assignment.Seats {
			told = append(told, seat.Agent)
		}
		news := store.QueueAlert{SkillGroup: group.Name, Waiting: waiting.Waiting, OldestWaitingSince: waiting.OldestSince}
		for _, agent := range present {
			if agent.OnDuty && slices.Contains(told, agent.Agent) {
				u.Tell(ctx, agent.Agent, message.FrameQueue, news)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("alerting the agents of a queue: %w", err)
	}
	c.alerts[group.Name] = c.Now()
	return nil
}
