package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// windowWarning is how long before the platform takes no answer any more agents are told of a customer who waits for one.
	windowWarning = time.Hour
	// windowInterval is how often it is looked for such customers.
	windowInterval = time.Minute
)

// warnOfWindows tells agents of customers who wait and can soon be given no answer: each once a window, by whichever router
// looks first. A customer of whom nobody on duty could be told is looked at again.
func (c *clock) warnOfWindows(ctx context.Context, snapshot *catalog.Snapshot) error {
	now := c.Now().UTC()
	if now.Sub(c.windowsSeen) < windowInterval {
		return nil
	}
	closing, err := c.Store.Queries().WindowsClosing(ctx, now, now.Add(windowWarning), batchRows)
	if err != nil {
		return fmt.Errorf("looking for windows that close: %w", err)
	}
	c.windowsSeen = now
	if len(closing) == 0 {
		return nil
	}
	present, err := c.Store.Queries().PresenceAgents(ctx)
	if err != nil {
		return fmt.Errorf("asking who is on duty: %w", err)
	}
	var failed []error
	for _, one := range closing {
		if told := whoAnswers(snapshot, one, present); len(told) > 0 {
			failed = append(failed, c.warnOfWindow(ctx, one, told))
		}
	}
	return errors.Join(failed...)
}

func (c *clock) warnOfWindow(ctx context.Context, closing db.WindowsClosingRow, told []string) error {
	err := c.Store.Do(ctx, c.scope(), func(ctx context.Context, u *store.Unit) error {
		first, err := u.WindowWarned(ctx, closing.Channel, closing.ExternalID, closing.WindowEnds)
		if err != nil || first == 0 {
			return err
		}
		news := store.Window{
			Conversation: closing.ID, Customer: closing.ExternalID, SkillGroup: closing.SkillGroup, Until: closing.WindowEnds.UTC(),
		}
		for _, agent := range told {
			u.Tell(ctx, agent, message.FrameWindow, news)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("warning of a window that closes: %w", err)
	}
	return nil
}

// whoAnswers are those to be told of a customer: their agent, or, of one who has none, those on duty who serve the group or
// watch over it.
func whoAnswers(snapshot *catalog.Snapshot, closing db.WindowsClosingRow, present []db.PresenceAgentsRow) []string {
	if closing.Agent != nil {
		return []string{*closing.Agent}
	}
	answer := append(snapshot.WithRole(yingdav1.RoleSupervisor), snapshot.WithRole(yingdav1.RoleAdmin)...)
	if group, known := snapshot.Group(closing.SkillGroup); known {
		for _, seat := range group.Assignment.Seats {
			answer = append(answer, seat.Agent)
		}
	}
	var told []string
	for _, agent := range present {
		if agent.OnDuty && slices.Contains(answer, agent.Agent) {
			told = append(told, agent.Agent)
		}
	}
	return told
}
