package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// Waits says what wait is too long.
type Waits struct {
	// Over is from when on a conversation is looked at, Passed how long the group was open from one moment to another.
	Over   time.Duration
	Passed func(from, until time.Time) time.Duration
}

// LeftWaiting has a conversation looked at that ends although its customer waits for too long: for any answer of a human, or, where
// they had some, for one to more than their thanks.
func (u *Unit) LeftWaiting(ctx context.Context, c db.Conversation, w Waits) error {
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
	return u.Waited(ctx, c, w)
}

// Waited has a conversation looked at whose customer has waited too long for an answer while the group was open: for the first one of a
// human since they were queued, for any other since they asked.
func (u *Unit) Waited(ctx context.Context, c db.Conversation, w Waits) error {
	since := c.AskedSince
	if c.AnsweredAt == nil && c.OfferedAt != nil {
		since = c.OfferedAt
	}
	if since == nil {
		return nil
	}
	waited := w.Passed(*since, u.Now)
	if waited <= w.Over {
		return nil
	}
	agent := keptWaiting(c, w.Passed, *since, u.Now)
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
