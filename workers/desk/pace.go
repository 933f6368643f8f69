package desk

import (
	"context"
	"math"
	"time"

	"github.com/yingda-dev/yingda/internal/catalog"
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
	if err := u.Waited(ctx, *c, waits(snapshot, *c)); err != nil {
		return p, err
	}
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

// waits says what wait of a conversation's customer is too long.
func waits(snapshot *catalog.Snapshot, c db.Conversation) store.Waits {
	group, _ := snapshot.Group(c.SkillGroup)
	return store.Waits{Over: snapshot.Clocks(c.Channel).Reply.ReviewAfter, Passed: group.Passed}
}
