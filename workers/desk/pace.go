package desk

import (
	"context"
	"fmt"
	"math"
	"time"

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
	snapshot := d.Catalog.Snapshot()
	clocks := snapshot.Clocks(c.Channel)
	p.group = c.SkillGroup
	if c.AskedSince != nil {
		took, err := d.review(ctx, u, *c)
		if err != nil {
			return p, err
		}
		p.reply = &held{took, took <= clocks.Reply.Target}
	}
	if c.AnsweredAt == nil && c.OfferedAt != nil {
		group, _ := snapshot.Group(c.SkillGroup)
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

// review has a conversation looked at whose customer has waited too long for its agent's answer, and says for how long they have
// waited while the group was open.
func (d *Desk) review(ctx context.Context, u *store.Unit, c db.Conversation) (waited time.Duration, err error) {
	snapshot := d.Catalog.Snapshot()
	group, _ := snapshot.Group(c.SkillGroup)
	waited = group.Passed(*c.AskedSince, u.Now)
	if waited <= snapshot.Clocks(c.Channel).Reply.ReviewAfter || c.Agent == nil {
		return waited, nil
	}
	if err := u.ReviewMark(ctx, c.ID, *c.Agent, int32(min(waited.Seconds(), math.MaxInt32)), u.Now); err != nil {
		return waited, fmt.Errorf("marking a conversation for review: %w", err)
	}
	return waited, nil
}
