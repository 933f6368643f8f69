package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	tickInterval = time.Second
	// strandedInterval is how often the log tells of those whose queue nobody works off.
	strandedInterval = time.Minute
	// goneAfter is how long an Agent or a SkillGroup must be missing before what it had is given to others: another replica
	// may have heard of a new one earlier, and one that is deleted and made again is still there.
	goneAfter = 30 * time.Second
)

// clock is what looks at all conversations that wait or are served, once a second. Its owner is one goroutine.
type clock struct {
	*Router
	// missing is since when an Agent or SkillGroup of that name was not there.
	missing map[absentee]time.Time
	// shown are the queues in the metrics.
	shown  map[standing]struct{}
	warned time.Time
	// alerts are the queues whose agents were alerted, since when as far as this replica knows; recalled is when it learned of
	// those of others.
	alerts   map[string]time.Time
	recalled time.Time
	// absent is since when a Channel with open conversations was not there; talkingSeen is when it was looked for such ones.
	absent      map[string]time.Time
	talkingSeen time.Time
	// windowsSeen is when it was looked for windows that close.
	windowsSeen time.Time
}

// absentee is the name of what has conversations and does not exist.
type absentee struct{ kind, name string }

// standing is where conversations wait.
type standing struct{ group, state string }

func newClock(r *Router) *clock {
	return &clock{Router: r, missing: map[absentee]time.Time{}, shown: map[standing]struct{}{}, alerts: map[string]time.Time{}, absent: map[string]time.Time{}}
}

// tick looks at every queue once a second: for what came with the clock (openings, closings, agents and groups that are
// gone), and for what a crash between a commit and its assignment left behind.
func (r *Router) tick(ctx context.Context) {
	clock := newClock(r)
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	upkeep := time.NewTicker(upkeepInterval)
	defer upkeep.Stop()
	reminders := time.NewTicker(remindInterval)
	defer reminders.Stop()
	r.upkeep(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := clock.look(ctx, r.Catalog.Snapshot()); err != nil && ctx.Err() == nil {
				r.Logger.Warn("Looking at the queues failed, trying again in a second", "error", err)
			}
		case <-reminders.C:
			if err := r.remind(ctx); err != nil && ctx.Err() == nil {
				r.Logger.Warn("Asking customers once more how they were served failed, trying again in a minute", "error", err)
			}
		case <-upkeep.C:
			r.upkeep(ctx)
		}
	}
}

// look asks once where conversations stand, and has every queue worked off in which somebody waits: a brand in which nobody
// does costs two statements.
func (c *clock) look(ctx context.Context, snapshot *catalog.Snapshot) error {
	rows, err := c.Store.Queries().Standings(ctx)
	if err != nil {
		return fmt.Errorf("asking where conversations stand: %w", err)
	}
	for _, row := range rows {
		if _, known := snapshot.Group(row.Name); known && row.State != store.StateAssigned {
			c.groups.add(queueChange{group: row.Name})
		}
	}
	c.show(snapshot, rows)
	queues := c.report(rows)
	if brand := snapshot.Brand; brand == nil || brand.DeletionTimestamp != nil {
		// Nothing is known yet, or everything is on its way out.
		return nil
	}
	c.warn(snapshot, rows)
	return errors.Join(c.endGone(ctx, snapshot), c.alert(ctx, snapshot, queues), c.adopt(ctx, snapshot, rows), c.passOn(ctx, snapshot), c.remind(ctx, snapshot),
		c.warnOfWindows(ctx, snapshot), c.recognise(ctx))
}

// show sets the metrics of who waits.
func (c *clock) show(snapshot *catalog.Snapshot, rows []db.StandingsRow) {
	waiting, oldest := map[standing]float64{}, map[string]time.Time{}
	for _, group := range snapshot.Groups() {
		waiting[standing{group.Name, store.StateQueued}] = 0
		waiting[standing{group.Name, store.StateAwaitingOpening}] = 0
	}
	for _, row := range rows {
		if row.State != store.StateAssigned {
			waiting[standing{row.Name, row.State}] = float64(row.Conversations)
		}
		if row.State == store.StateQueued {
			oldest[row.Name] = row.Oldest
		}
	}
	for q, conversations := range waiting {
		c.Metrics.waiting.WithLabelValues(q.group, q.state).Set(conversations)
		c.shown[q] = struct{}{}
		if q.state == store.StateQueued {
			c.Metrics.oldest.WithLabelValues(q.group).Set(wait(oldest[q.group], c.Now()))
		}
	}
	for q := range c.shown {
		if _, still := waiting[q]; !still {
			c.Metrics.waiting.DeleteLabelValues(q.group, q.state)
			if q.state == store.StateQueued {
				c.Metrics.oldest.DeleteLabelValues(q.group)
			}
			delete(c.shown, q)
		}
	}
}

// wait is how long somebody has waited, in seconds; zero for nobody.
func wait(since, now time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(0, now.Sub(since).Seconds())
}

// warn counts the conversations that wait in no group, or in one that is gone, and tells of them once a minute while there
// is no default group that could take them.
func (c *clock) warn(snapshot *catalog.Snapshot, rows []db.StandingsRow) {
	var stranded int64
	for _, row := range rows {
		if _, known := snapshot.Group(row.Name); !known && row.State != store.StateAssigned {
			stranded += row.Conversations
		}
	}
	c.Metrics.stranded.Set(float64(stranded))
	_, rescued := snapshot.Group(snapshot.DefaultGroup())
	if stranded == 0 || rescued || c.Now().Sub(c.warned) < strandedInterval {
		return
	}
	c.warned = c.Now()
	c.Logger.Warn("Customers wait in no skill group, or in one that does not exist: name a default group in the Brand, or make the group again",
		"conversations", stranded)
}

// passOn has the queues worked off of groups in which an agent lets a customer wait for too long. A brand whose groups take
// nothing away from anybody costs no statement.
func (c *clock) passOn(ctx context.Context, snapshot *catalog.Snapshot) error {
	var groups []store.Assignment
	for _, group := range snapshot.Groups() {
		groups = append(groups, group.Assignment)
	}
	overdue, err := c.Store.OverdueGroups(ctx, c.Now().UTC(), groups)
	for _, name := range overdue {
		c.groups.add(queueChange{group: name})
	}
	return err
}

// adopt gives to others what agents and groups have who are gone for long enough.
func (c *clock) adopt(ctx context.Context, snapshot *catalog.Snapshot, rows []db.StandingsRow) error {
	missing := map[absentee]time.Time{}
	var failed []error
	for _, row := range rows {
		who := absentee{"SkillGroup", row.Name}
		_, known := snapshot.Group(row.Name)
		if row.State == store.StateAssigned {
			who.kind = "Agent"
			_, known = snapshot.Agent(row.Name)
		}
		if known {
			continue
		}
		since, before := c.missing[who]
		if !before {
			since = c.Now()
		}
		missing[who] = since
		if c.Now().Sub(since) < goneAfter {
			continue
		}
		if row.State == store.StateAssigned {
			failed = append(failed, c.requeue(ctx, snapshot, row.Name))
		} else {
			failed = append(failed, c.reroute(ctx, snapshot, row.Name))
		}
	}
	c.missing = missing
	return errors.Join(failed...)
}

// requeue puts the conversations of an Agent who is gone back into their queues.
func (c *clock) requeue(ctx context.Context, snapshot *catalog.Snapshot, agent string) error {
	ids, err := c.Store.Queries().ConversationsOfAgent(ctx, agent, batchRows)
	if err != nil {
		return fmt.Errorf("finding the conversations of a deleted agent: %w", err)
	}
	return c.each(ctx, ids, func(ctx context.Context, u *store.Unit, row db.Conversation) error {
		if row.State != store.StateAssigned || *row.Agent != agent {
			return nil
		}
		group, _ := snapshot.Group(row.SkillGroup)
		_, err := u.Requeue(ctx, row, rulesOf(group))
		return err
	})
}

// reroute gives who waits in a group that is gone, or in none, to the default group, where they keep their places.
func (c *clock) reroute(ctx context.Context, snapshot *catalog.Snapshot, group string) error {
	next, known := snapshot.Group(snapshot.DefaultGroup())
	if !known {
		return nil
	}
	states := []string{store.StateQueued, store.StateAwaitingOpening}
	ids, err := c.Store.Queries().ConversationsInGroup(ctx, group, states, batchRows)
	if err != nil {
		return fmt.Errorf("finding who waits in a deleted group: %w", err)
	}
	return c.each(ctx, ids, func(ctx context.Context, u *store.Unit, row db.Conversation) error {
		if row.SkillGroup != group || row.State != store.StateQueued && row.State != store.StateAwaitingOpening {
			return nil
		}
		row.SkillGroup, row.RoutingRule, row.Priority = next.Name, "", next.Priority(row.Topic, row.Tier)
		_, err := u.Save(ctx, queued(u, snapshot, row, next))
		return err
	})
}
