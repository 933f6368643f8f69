package router

import (
	"context"
	"fmt"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

// remind tells agents of the customers whom they let wait. What is due is claimed with the news of it: of several routers one
// tells, and nothing is lost with any of them. A brand in which nobody waits for too long costs one statement.
func (c *clock) remind(ctx context.Context) error {
	due, err := c.Store.Queries().ClocksDue(ctx, c.Now().UTC())
	if err != nil {
		return fmt.Errorf("asking who waits for too long: %w", err)
	}
	if !due {
		return nil
	}
	var reminded map[string]float64
	err = c.Store.Do(ctx, c.scope(), func(ctx context.Context, u *store.Unit) error {
		reminded = map[string]float64{} // The unit may run again.
		rows, err := u.RemindClaim(ctx, u.Now, batchRows)
		for _, row := range rows {
			u.Tell(ctx, *row.Agent, message.FrameLate, store.Late(row, store.PromiseReply, *row.AskedSince))
			reminded[row.SkillGroup]++
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("telling who waits for too long: %w", err)
	}
	for group, count := range reminded {
		c.Metrics.reminders.WithLabelValues(group, string(store.PromiseReply)).Add(count)
	}
	return nil
}
