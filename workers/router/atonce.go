package router

import (
	"context"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// comes says whether a customer who does this comes to the chat, and is greeted.
func comes(kind message.Kind) bool {
	return kind == message.KindEntered || kind == message.KindFollowed || kind == message.KindScanned
}

// tapsInVain says whether the customer tapped a button of the menu of which the Playbook says nothing.
func (t *turn) tapsInVain() bool {
	if t.in.Content.Kind != message.KindMenuTap || t.in.Reply != nil {
		return false
	}
	_, vain := t.channel.Decide(t.in.Content).(bot.NoMatch)
	return vain
}

// endDoubt decides who says what there is to say to a message of which its connector does not know.
func (t *turn) endDoubt(ctx context.Context) (err error) {
	if t.in.InDoubt == uuid.Nil || t.in.Reply != nil {
		return nil
	}
	t.in.Reply, err = t.Doubted(ctx, t.in)
	return err
}

// replied shows in the transcript what the connector has said at once.
func (t *turn) replied(ctx context.Context, c db.Conversation) error {
	if t.in.Reply == nil {
		return nil
	}
	return t.Replied(ctx, c, t.channel.Pool, *t.in.Reply)
}

// saidAtOnce says whether the connector has said already what is to be said for a reason.
func (t *turn) saidAtOnce(reason message.ReplyReason) bool {
	return t.in.Reply != nil && t.in.Reply.Reason == reason
}

// unfollowed ends the conversation of a customer whom nothing reaches any more. One that an agent has is theirs to end: they
// see what happened, and may have something to write down. Who has written since is back. A wait that was too long until then is looked at.
func (t *turn) unfollowed(ctx context.Context) error {
	c, open := t.intake.Conversation(t.who())
	if !open {
		return nil
	}
	if err := t.Hear(ctx, c, t.in); err != nil || c.State == store.StateAssigned || c.LastMessageAt.After(t.in.SentAt) {
		return err
	}
	group, _ := t.snapshot.Group(c.SkillGroup)
	waits := store.Waits{Over: t.snapshot.Clocks(c.Channel).Reply.ReviewAfter, Passed: group.Passed}
	if err := t.LeftWaiting(ctx, c, waits); err != nil {
		return err
	}
	_, err := t.Close(ctx, c)
	return err
}
