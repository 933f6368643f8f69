package router

import (
	"context"
	"fmt"
	"slices"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// lateness is of which promise how many were late, by group.
type lateness struct {
	group   string
	promise store.Promise
}

// remind tells desks of the customers who wait for too long. What is due is claimed with the news of it: of several routers one
// tells, and nothing is lost with any of them. A brand in which nobody waits for too long costs one statement.
func (c *clock) remind(ctx context.Context, snapshot *catalog.Snapshot) error {
	due, err := c.Store.Queries().ClocksDue(ctx, c.Now().UTC())
	if err != nil {
		return fmt.Errorf("asking who waits for too long: %w", err)
	}
	if !due {
		return nil
	}
	var told map[lateness]float64
	err = c.Store.Do(ctx, c.scope(), func(ctx context.Context, u *store.Unit) error {
		told = map[lateness]float64{} // The unit may run again.
		slow, err := u.RemindClaim(ctx, u.Now, batchRows)
		if err != nil {
			return err
		}
		for _, row := range slow {
			u.Tell(ctx, *row.Agent, message.FrameLate, store.Late(row, store.PromiseReply))
			told[lateness{row.SkillGroup, store.PromiseReply}]++
		}
		late, err := u.LateClaim(ctx, u.Now, batchRows)
		if err != nil {
			return err
		}
		for _, row := range late {
			agents := snapshot.Supervisors(row.SkillGroup)
			if row.Agent != nil {
				agents = []string{*row.Agent}
			}
			for _, agent := range agents {
				u.Tell(ctx, agent, message.FrameLate, store.Late(row, store.PromiseFirstResponse))
			}
			told[lateness{row.SkillGroup, store.PromiseFirstResponse}]++
		}
		unsolved, err := u.ResolveClaim(ctx, u.Now, batchRows)
		for _, row := range unsolved {
			for _, agent := range solvers(snapshot, row) {
				u.Tell(ctx, agent, message.FrameLate, store.Late(row, store.PromiseResolution))
			}
			told[lateness{row.SkillGroup, store.PromiseResolution}]++
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("telling who waits for too long: %w", err)
	}
	for late, count := range told {
		c.Metrics.reminders.WithLabelValues(late.group, string(late.promise)).Add(count)
	}
	return nil
}

// solvers are who is told that a customer's question is not solved: the agent who has it, and the supervisors where that is nobody or
// the question is a hard one.
func solvers(snapshot *catalog.Snapshot, c db.Conversation) []string {
	var agents []string
	if c.Agent != nil {
		agents = append(agents, *c.Agent)
	}
	if c.Agent == nil || snapshot.Clocks(c.Channel).Resolution.Class(c.Topic) == yingdav1.ResolutionComplex {
		agents = append(agents, snapshot.Supervisors(c.SkillGroup)...)
	}
	slices.Sort(agents)
	return slices.Compact(agents)
}
