package desk

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// pace is how quickly a customer was answered. It counts once the answer is committed.
type pace struct {
	group string
	// first is nil for what is not the first thing that a human says to who waited for one, reply for what answers nothing.
	first, reply *held
}

// held is a promise that was kept or not, after how long.
type held struct {
	took   time.Duration
	inTime bool
}

// answered stops the clocks that run for an answer of a human to a conversation that the unit has locked and saves afterwards.
func (d *Desk) answered(ctx context.Context, u *store.Unit, c *db.Conversation, by string) (p pace, err error) {
	if err := d.review(ctx, u, *c); err != nil {
		return p, err
	}
	snapshot := d.Catalog.Snapshot()
	clocks := snapshot.Clocks(c.Channel)
	group, _ := snapshot.Group(c.SkillGroup)
	p.group = c.SkillGroup
	if c.AskedSince != nil {
		took := group.Passed(*c.AskedSince, u.Now)
		p.reply = &held{took, took <= clocks.Reply.Target}
	}
	if c.AnsweredAt == nil && c.OfferedAt != nil {
		took := group.Passed(*c.OfferedAt, u.Now)
		p.first = &held{took, took <= clocks.FirstResponse.Target}
		c.AnsweredSeconds = new(int32(min(math.Ceil(took.Seconds()), math.MaxInt32)))
	}
	if c.AnsweredAt == nil {
		c.AnsweredAt = &u.Now
	}
	c.AskedSince, c.RemindAt, c.UnansweredSince, c.LateAt = nil, nil, nil, nil
	return p, u.AnsweredOffHours(ctx, c, by)
}

// leftWaiting has a conversation looked at that ends although its customer waits for too long: for any answer of a human, or, where
// they had some, for one to more than their thanks.
func (d *Desk) leftWaiting(ctx context.Context, u *store.Unit, c db.Conversation) error {
	if c.AnsweredAt != nil {
		if c.AskedSince == nil {
			return nil
		}
		said, err := u.QualityUnanswered(ctx, c.ID, *c.AskedSince)
		if err != nil {
			return fmt.Errorf("reading what nobody has answered: %w", err)
		}
		// A picture or a card is not looked into: who sends one wants it looked at.
		if !slices.ContainsFunc(said, func(text string) bool { return text == "" || quality.Asks(text) }) {
			return nil
		}
	}
	return d.review(ctx, u, c)
}

// review has a conversation looked at whose customer has waited too long for an answer while the group was open: for the first one of a
// human since they were queued, for any other since they asked.
func (d *Desk) review(ctx context.Context, u *store.Unit, c db.Conversation) error {
	since := c.AskedSince
	if c.AnsweredAt == nil && c.OfferedAt != nil {
		since = c.OfferedAt
	}
	if since == nil {
		return nil
	}
	snapshot := d.Catalog.Snapshot()
	group, _ := snapshot.Group(c.SkillGroup)
	waited := group.Passed(*since, u.Now)
	if waited <= snapshot.Clocks(c.Channel).Reply.ReviewAfter {
		return nil
	}
	agent := keptWaiting(c, group.Passed, *since, u.Now)
	if err := u.ReviewMark(ctx, c.ID, agent, int32(min(waited.Seconds(), math.MaxInt32)), u.Now); err != nil {
		return fmt.Errorf("marking a conversation for review: %w", err)
	}
	return nil
}

// keptWaiting is who let a customer wait the longest of those who did: the agent who has the conversation, or the one from whom it was
// taken because they did not answer; empty for the queue.
func keptWaiting(c db.Conversation, passed func(from, until time.Time) time.Duration, since, now time.Time) string {
	if c.Agent == nil || c.AskedSince == nil || c.AssignedAt == nil {
		return ""
	}
	asked, assigned := *c.AskedSince, *c.AssignedAt
	if assigned.Before(asked) {
		assigned = asked
	}
	queue, before, own := passed(since, asked), passed(asked, assigned), passed(assigned, now)
	switch {
	case own >= max(before, queue):
		return *c.Agent
	case len(c.PassedBy) > 0 && before >= queue:
		return c.PassedBy[len(c.PassedBy)-1]
	default:
		return ""
	}
}
