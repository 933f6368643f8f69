package router

import (
	"context"
	"fmt"
	"time"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/complaint"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// stillTalking is for how long after their last words an agent who is off duty is believed to be there for the customer.
const stillTalking = 30 * time.Minute

// handOff gives a conversation that was with the bot to a human: into the queue of its group, or, while the group is
// closed, to its next opening.
func (t *turn) handOff(ctx context.Context, c db.Conversation, topic string) (changed string, err error) {
	c.Topic = topic
	t.route(&c)
	// Who complains hears first that they were heard, then that they have to wait.
	if err = t.startComplaint(ctx, &c); err != nil {
		return "", err
	}
	group, known := t.snapshot.Group(c.SkillGroup)
	if known && !group.Open(t.Now) {
		if c, err = t.awaitOpening(ctx, c, group); err != nil {
			return "", err
		}
	} else {
		c, c.OffHoursTold = queued(t.Unit, t.snapshot, c, group), false
		changed = c.SkillGroup
	}
	if err = t.askDetails(ctx, &c); err != nil {
		return "", err
	}
	_, err = t.Save(ctx, c)
	return changed, err
}

// route finds the group and the priority of a conversation.
func (t *turn) route(c *db.Conversation) {
	result := t.snapshot.Route(t.channel, t.intake.Contact(t.who()).SessionFrom, t.in.Content.Text, c.Topic)
	c.SkillGroup, c.RoutingRule, c.Priority = result.Group, result.Rule, 0
	if group, ok := t.snapshot.Group(result.Group); ok {
		c.Priority = group.Priority(c.Topic, c.Tier)
	}
}

// retopic gives a conversation that is on its way to a human, or with one, a new topic. It keeps its agent; one that
// still waits moves to where the topic belongs.
func (t *turn) retopic(ctx context.Context, c db.Conversation, topic string) (queued string, err error) {
	if c.State != store.StateAssigned {
		return t.handOff(ctx, c, topic)
	}
	c.Topic = topic
	if err = t.startComplaint(ctx, &c); err != nil {
		return "", err
	}
	_, err = t.Save(ctx, c)
	return "", err
}

// awaitOpening keeps the conversation for the group's next opening, tells the customer once a closed period, and notes by
// when they were promised an answer. Who was in the queue already keeps the place.
func (t *turn) awaitOpening(ctx context.Context, c db.Conversation, group *catalog.Group) (db.Conversation, error) {
	c.State = store.StateAwaitingOpening
	key := "off-hours/" + c.ID.String()
	if opening, ok := group.Schedule.NextOpening(t.Now); ok {
		due := servicelevel.OffHoursDue(opening, t.channel.ServiceLevel.OffHours)
		if c.DueAt == nil {
			if err := t.oweAnswer(ctx, c, due); err != nil {
				return c, err
			}
		}
		c.DueAt = &due
		key += "/" + opening.UTC().Format(time.RFC3339)
	}
	if c.OffHoursTold || t.saidAtOnce(message.ReplyOffHours) {
		c.OffHoursTold = true
		return c, nil
	}
	text, err := t.channel.Playbook.OffHours(t.varsOf(c, c.SkillGroup))
	if err != nil {
		return c, fmt.Errorf("writing the off-hours text: %w", err)
	}
	c.OffHoursTold = true
	return c, t.sayWaiting(ctx, c, key, text)
}

// takeBack takes a conversation from an agent who is off duty while its group is closed: the customer was told nothing, and nobody would owe
// them an answer before the agent comes again, whenever that is. The caller has it wait for the opening, as one that comes then.
func (t *turn) takeBack(ctx context.Context, c *db.Conversation) (taken bool, err error) {
	group, known := t.snapshot.Group(c.SkillGroup)
	if c.State != store.StateAssigned || c.Agent == nil || !known || group.Open(t.Now) {
		return false, nil
	}
	// An agent who has never come is off duty.
	presence, err := t.PresenceGet(ctx, *c.Agent)
	if err != nil && !isNoRows(err) {
		return false, fmt.Errorf("asking whether an agent is on duty: %w", err)
	}
	if presence.OnDuty {
		return false, nil
	}
	// Who goes off duty when the group closes takes nothing new, and ends what they are in the middle of.
	talking, err := t.SpokenSince(ctx, c.ID, *c.Agent, t.Now.Add(-stillTalking))
	if err != nil {
		return false, fmt.Errorf("asking when an agent has spoken last: %w", err)
	}
	if talking {
		return false, nil
	}
	from := *c.Agent
	if *c, err = t.Release(ctx, *c); err != nil {
		return false, err
	}
	c.State, c.OffHoursTold = store.StateAwaitingOpening, false
	t.Tell(ctx, from, message.FrameConversation, store.ConversationView(*c))
	return true, nil
}

// closeOne keeps a conversation for the next opening of its group, which is closed.
func (t *turn) closeOne(ctx context.Context, c db.Conversation) error {
	group, _ := t.snapshot.Group(c.SkillGroup)
	c, err := t.awaitOpening(ctx, c, group)
	if err != nil {
		return err
	}
	_, err = t.Save(ctx, c)
	return err
}

// complainAgain starts the next complaint process of a conversation whose topic is that already, if one is due.
func (t *turn) complainAgain(ctx context.Context, c db.Conversation) (db.Conversation, error) {
	before := c.Complaints
	if err := t.startComplaint(ctx, &c); err != nil || c.Complaints == before {
		return c, err
	}
	return t.Save(ctx, c)
}

// startComplaint begins the complaint of a conversation with that topic, unless the last one is still under way. The caller saves c.
func (t *turn) startComplaint(ctx context.Context, c *db.Conversation) error {
	if c.Topic != yingdav1.TopicComplaint {
		return nil
	}
	begun, err := complaint.Begin(ctx, t.Unit, c, complaint.Beginning{
		Names: t.router.Names, Snapshot: t.snapshot, Channel: t.channel, Outbound: t.router.Names.Outbound(t.channel.Pool), Step: "open",
	})
	if begun {
		t.done.complaints++
	}
	return err
}

// delivered tells the agent's desk what became of a message. The store's state is told, not the report's: reports can
// overtake one another. What was to tell of a case and did not arrive is told otherwise.
func (r *Router) delivered(ctx context.Context, u *store.Unit, snapshot *catalog.Snapshot, report message.Delivery) error {
	row, err := u.DeliveredConversation(ctx, report.MessageID)
	if isNoRows(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("finding the message's conversation: %w", err)
	}
	if message.DeliveryState(row.State) == message.DeliveryFailed {
		if err := tellingFailed(ctx, u, snapshot, row.Content); err != nil {
			return err
		}
	}
	if row.Agent == nil {
		return nil
	}
	u.Tell(ctx, *row.Agent, message.FrameDelivery, store.DeliveryOutcome{
		Message: report.MessageID, Conversation: row.ID, State: message.DeliveryState(row.State), Code: row.Code, Reason: row.Reason,
	})
	return nil
}
