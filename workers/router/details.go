package router

import (
	"context"
	"fmt"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/intake"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// leftToOthers is how many messages the question leaves of those that the platform lets through: one for the place in the
// queue, one for the agent.
const leftToOthers = 2

// askDetails asks, once a conversation, who is given to a human for what the Playbook wants to know and they have not told. The
// caller saves c.
func (t *turn) askDetails(ctx context.Context, c *db.Conversation) (err error) {
	if len(t.channel.Intake) == 0 || c.Intake != nil {
		return nil
	}
	card := &intake.Card{Fields: t.channel.Intake}
	card.Note(t.text())
	if missing := card.Missing(); len(missing) > 0 {
		if card.Asked, err = t.askFor(ctx, *c, missing); err != nil {
			return err
		}
	}
	c.Intake, err = card.Encode()
	return err
}

// askFor asks for details, if the platform lets enough through once all that is on its way has gone out.
func (t *turn) askFor(ctx context.Context, c db.Conversation, missing []yingdav1.IntakeField) (asked bool, err error) {
	pledged, err := t.Pledged(ctx, t.who())
	if err != nil {
		return false, err
	}
	if left, _ := quota.Left(quota.SpendMany(t.intake.Quota(t.who()), pledged), t.Now); left <= leftToOthers {
		return false, nil
	}
	v := t.snapshot.Vars(t.channel, c.SkillGroup, t.Now)
	v.IntakeFields = intake.Names(missing)
	text, err := t.channel.Playbook.Intake(v)
	if err != nil {
		return false, fmt.Errorf("writing the question for details: %w", err)
	}
	return t.sayText(ctx, c, "intake/"+c.ID.String(), text)
}

// hearDetails reads what somebody writes who waits for a human, or for the first words of one.
func (t *turn) hearDetails(ctx context.Context, c db.Conversation) (db.Conversation, error) {
	card, err := intake.Decode(c.Intake)
	if err != nil || card == nil || card.Closed || t.text() == "" {
		return c, nil //nolint:nilerr // a card of a later version is left to it, and holds up nobody's messages
	}
	if card.Asked {
		card.Answer(t.text())
	} else {
		card.Note(t.text())
	}
	if c.Intake, err = card.Encode(); err != nil {
		return c, err
	}
	return t.Save(ctx, c)
}

// text is what the customer wrote; "" when they sent something else.
func (t *turn) text() string {
	if t.in.Content.Kind != message.KindText {
		return ""
	}
	return t.in.Content.Text
}
