package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/intake"
	"github.com/yingda-dev/yingda/internal/domain/queue"
	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// State is where a conversation stands.
//
//	bot --> awaiting_opening <--> queued <--> assigned --> closed
//	  \------------------------->/
//
// Back to awaiting_opening goes who still waits when the group closes, back to queued whose agent is gone.
type State = string

// The states of a conversation.
const (
	StateBot             State = "bot"
	StateAwaitingOpening State = "awaiting_opening"
	StateQueued          State = "queued"
	StateAssigned        State = "assigned"
	StateClosed          State = "closed"
)

// CloseReasonChannelGone is why a conversation ended whose Channel was deleted; one that somebody ended, or that came to its end,
// has no reason.
const CloseReasonChannelGone = "ChannelGone"

// Sender is who wrote a message.
type Sender = string

// The senders of messages.
const (
	SenderCustomer Sender = "customer"
	SenderAgent    Sender = "agent"
	SenderBot      Sender = "bot"
	SenderSystem   Sender = "system"
)

// ErrWrongState says that a conversation is not in a state that allows what was asked.
var ErrWrongState = errors.New("the conversation is not in a state that allows this")

// Conversation is what desks see of a conversation; the payload of FrameConversation.
type Conversation struct {
	ID          uuid.UUID `json:"id"`
	Channel     string    `json:"channel"`
	Customer    string    `json:"customer"`
	State       State     `json:"state"`
	SkillGroup  string    `json:"skillGroup"`
	RoutingRule string    `json:"routingRule,omitempty"`
	Topic       string    `json:"topic,omitempty"`
	Priority    int32     `json:"priority"`
	// Tier is what sort of customer they are; missing for one like any other.
	Tier  string `json:"tier,omitempty"`
	Agent string `json:"agent,omitempty"`
	// PassedBy are the agents from whom it was taken because they did not answer in time.
	PassedBy   []string   `json:"passedBy,omitempty"`
	OpenedAt   time.Time  `json:"openedAt"`
	QueuedAt   *time.Time `json:"queuedAt,omitempty"`
	AssignedAt *time.Time `json:"assignedAt,omitempty"`
	ClosedAt   *time.Time `json:"closedAt,omitempty"`
	// CloseReason is ChannelGone where the Channel was deleted, and missing where somebody ended it.
	CloseReason string     `json:"closeReason,omitempty"`
	DueAt       *time.Time `json:"dueAt,omitempty"`
	// Intake is what the customer was asked for when they were given to a human, and has told.
	Intake        *intake.Card `json:"intake,omitempty"`
	LastMessageAt time.Time    `json:"lastMessageAt"`
	// AskedSince is since when the customer waits for an answer of the agent; missing while there is nothing to answer.
	AskedSince *time.Time `json:"askedSince,omitempty"`
	// Reminded says that the agent was reminded of it.
	Reminded bool `json:"reminded,omitempty"`
	// Late says that no human has said anything to the customer in time.
	Late    bool  `json:"late,omitempty"`
	Version int64 `json:"version"`
}

// ConversationView returns what desks see of a row.
func ConversationView(c db.Conversation) Conversation {
	view := Conversation{
		ID: c.ID, Channel: c.Channel, Customer: c.ExternalID, State: c.State, SkillGroup: c.SkillGroup,
		RoutingRule: c.RoutingRule, Topic: c.Topic, Priority: c.Priority, Tier: c.Tier, OpenedAt: c.OpenedAt, QueuedAt: c.QueuedAt,
		AssignedAt: c.AssignedAt, ClosedAt: c.ClosedAt, CloseReason: c.CloseReason, PassedBy: c.PassedBy, DueAt: c.DueAt, LastMessageAt: c.LastMessageAt,
		AskedSince: c.AskedSince, Reminded: c.State == StateAssigned && c.AskedSince != nil && c.RemindAt == nil,
		Late: c.OfferedAt != nil && c.AnsweredAt == nil && c.LateAt == nil && c.State != StateClosed, Version: c.Version,
	}
	if c.Agent != nil {
		view.Agent = *c.Agent
	}
	// What a later version wrote is not shown; the transcript has it.
	view.Intake, _ = intake.Decode(c.Intake)
	return view
}

// Message is what desks see of a message; the payload of FrameMessage.
type Message struct {
	ID           uuid.UUID        `json:"id"`
	Conversation uuid.UUID        `json:"conversation"`
	Direction    string           `json:"direction"`
	Sender       Sender           `json:"sender"`
	Agent        string           `json:"agent,omitempty"`
	Content      json.RawMessage  `json:"content"`
	SentAt       time.Time        `json:"sentAt"`
	Delivery     *DeliveryOutcome `json:"delivery,omitempty"`
}

// DeliveryOutcome is what became of an outbound message; with its message's id it is the payload of FrameDelivery.
type DeliveryOutcome struct {
	Message      uuid.UUID             `json:"message"`
	Conversation uuid.UUID             `json:"conversation"`
	State        message.DeliveryState `json:"state"`
	Code         int32                 `json:"code,omitempty"`
	Reason       string                `json:"reason,omitempty"`
}

// QueueAlert is what desks are told of a queue that became too long or too slow; the payload of FrameQueue.
type QueueAlert struct {
	SkillGroup         string    `json:"skillGroup"`
	Waiting            int64     `json:"waiting"`
	OldestWaitingSince time.Time `json:"oldestWaitingSince"`
}

// Lateness is what desks are told of a customer who waits for too long; the payload of FrameLate.
type Lateness struct {
	Conversation uuid.UUID `json:"conversation"`
	Channel      string    `json:"channel"`
	Customer     string    `json:"customer"`
	SkillGroup   string    `json:"skillGroup"`
	// Promise is which one is late.
	Promise Promise `json:"promise"`
	// Since is since when the customer waits.
	Since time.Time `json:"since"`
}

// Promise names a promise to customers that is kept or broken within minutes.
type Promise string

// The promises.
const (
	// PromiseReply is an agent's answer to what a customer wrote to them.
	PromiseReply Promise = "Reply"
	// PromiseFirstResponse is the first thing that a human says to a customer.
	PromiseFirstResponse Promise = "FirstResponse"
	// PromiseResolution is the end of a conversation: what the customer asked is solved.
	PromiseResolution Promise = "Resolution"
)

// Late says that a promise to the customer of a conversation is late.
func Late(c db.Conversation, promise Promise) Lateness {
	late := Lateness{Conversation: c.ID, Channel: c.Channel, Customer: c.ExternalID, SkillGroup: c.SkillGroup, Promise: promise}
	since := c.AskedSince
	if promise == PromiseFirstResponse || promise == PromiseResolution {
		since = c.OfferedAt
	}
	if since != nil {
		late.Since = *since
	}
	return late
}

// Save writes a conversation that the unit has locked and returns it as it is now; its agent's desk is told. The first time
// that it is queued, it is an arrival of its group.
func (u *Unit) Save(ctx context.Context, c db.Conversation) (db.Conversation, error) {
	if c.State == StateQueued && c.OfferedAt == nil {
		c.OfferedAt, c.OfferedTo = &u.Now, c.SkillGroup
	}
	saved, err := u.ConversationUpdate(ctx, db.ConversationUpdateParams{
		ID: c.ID, State: c.State, SkillGroup: c.SkillGroup, RoutingRule: c.RoutingRule, Topic: c.Topic, Priority: c.Priority,
		Agent: c.Agent, QueuedAt: c.QueuedAt, AssignedAt: c.AssignedAt, ClosedAt: c.ClosedAt, DueAt: c.DueAt,
		QueueKey: c.QueueKey, WaitingSince: c.WaitingSince, Overflowed: c.Overflowed,
		LastMessageAt: c.LastMessageAt, OffHoursTold: c.OffHoursTold, QueuedTold: c.QueuedTold, Complaints: c.Complaints,
		UnansweredSince: c.UnansweredSince, PassedBy: c.PassedBy, Weight: c.Weight,
		OfferedAt: c.OfferedAt, OfferedTo: c.OfferedTo, AskedSince: c.AskedSince, RemindAt: c.RemindAt, AnsweredAt: c.AnsweredAt, AnsweredSeconds: c.AnsweredSeconds,
		LateAt: c.LateAt, ResolveAt: c.ResolveAt,
		Intake: c.Intake, CloseReason: c.CloseReason,
	})
	if err != nil {
		return db.Conversation{}, fmt.Errorf("saving a conversation: %w", err)
	}
	// What is owed after the opening is owed by the group that has the conversation now.
	if saved.DueAt != nil {
		if err := u.OffHoursMove(ctx, saved.SkillGroup, &saved.ID); err != nil {
			return db.Conversation{}, fmt.Errorf("moving what is owed after the opening: %w", err)
		}
	}
	if u.intake != nil {
		u.intake.saved(saved)
	}
	if saved.Agent != nil {
		u.Tell(ctx, *saved.Agent, message.FrameConversation, ConversationView(saved))
	}
	return saved, nil
}

// Hear adds what the customer wrote to a conversation that the unit has locked; its agent's desk is told.
func (u *Unit) Hear(ctx context.Context, c db.Conversation, in message.Inbound) error {
	content, err := json.Marshal(in.Content)
	if err != nil {
		return fmt.Errorf("encoding content: %w", err)
	}
	row := db.MessageAddParams{
		ID: newID(), ConversationID: c.ID, Channel: c.Channel, ExternalID: c.ExternalID, Direction: "inbound", Sender: SenderCustomer,
		PlatformMessageID: in.MessageID, Content: content, SentAt: in.SentAt, ReceivedAt: u.Now,
	}
	u.addMessage(ctx, c, row, nil)
	return nil
}

// Words is something to be said to a customer.
type Words struct {
	// Key makes saying it twice harmless: the second time nothing is written. Required.
	Key string
	// ID of the message; without one it gets a new one. Who derives it from the Key finds the message again.
	ID uuid.UUID
	// Topic is the outbound topic of the Channel's pool.
	Topic   string
	Sender  Sender
	Agent   string
	Content message.Content
	// WhileWaiting says that they are not sent any more once an agent has the conversation.
	WhileWaiting bool
}

// wordsConsumer is the consumer name under which the keys of Words are remembered.
const wordsConsumer = "say"

// Say adds a message to a conversation that the unit has locked and sends it to the customer; its agent's desk is told.
// said is false, and nothing is written, when words of the same key were said before.
func (u *Unit) Say(ctx context.Context, c db.Conversation, w Words) (id uuid.UUID, said bool, err error) {
	first, err := u.SaidElsewhere(ctx, c, w.Key)
	if err != nil || !first {
		return uuid.Nil, false, err
	}
	content, err := json.Marshal(w.Content)
	if err != nil {
		return uuid.Nil, false, fmt.Errorf("encoding content: %w", err)
	}
	if id = w.ID; id == uuid.Nil {
		id = newID()
	}
	row := db.MessageAddParams{
		ID: id, ConversationID: c.ID, Channel: c.Channel, ExternalID: c.ExternalID, Direction: "outbound", Sender: w.Sender,
		Agent: w.Agent, Content: content, SentAt: u.Now, ReceivedAt: u.Now,
	}
	u.addMessage(ctx, c, row, &DeliveryOutcome{Message: id, Conversation: c.ID, State: message.DeliveryQueued})
	out := message.Outbound{MessageID: id, Channel: c.Channel, Customer: c.ExternalID, Conversation: c.ID, Content: w.Content, WhileWaiting: w.WhileWaiting}
	e, err := message.New(id.String(), message.TypeOutbound, u.Source, c.Channel, message.CustomerKey(c.Channel, c.ExternalID), u.Now, out)
	if err != nil {
		return uuid.Nil, false, err
	}
	u.Publish(ctx, w.Topic, e)
	return id, true, nil
}

func (u *Unit) addMessage(ctx context.Context, c db.Conversation, row db.MessageAddParams, delivery *DeliveryOutcome) {
	u.messages = append(u.messages, row)
	if c.Agent != nil {
		u.Tell(ctx, *c.Agent, message.FrameMessage, Message{
			ID: row.ID, Conversation: c.ID, Direction: row.Direction, Sender: row.Sender, Agent: row.Agent,
			Content: formlink.Hidden(row.Content), SentAt: row.SentAt, Delivery: delivery,
		})
	}
}

// Close ends a conversation that the unit has locked and frees its agent's slot. Closing a closed one is ErrWrongState.
// The caller assigns the group's next conversation after the commit.
func (u *Unit) Close(ctx context.Context, c db.Conversation) (db.Conversation, error) {
	if c.State == StateClosed {
		return c, fmt.Errorf("closing: %w", ErrWrongState)
	}
	if c.State == StateAssigned && c.Agent != nil {
		if err := u.PresenceRelease(ctx, c.Weight, u.Now, *c.Agent); err != nil {
			return c, fmt.Errorf("freeing a slot: %w", err)
		}
	}
	if err := u.unansweredOffHours(ctx, &c); err != nil {
		return c, err
	}
	c.State, c.ClosedAt, c.AskedSince, c.RemindAt, c.LateAt, c.ResolveAt = StateClosed, &u.Now, nil, nil, nil, nil
	return u.Save(ctx, c)
}

// CloseGone ends a conversation that the unit has locked because its Channel was deleted; the transcript says so.
func (u *Unit) CloseGone(ctx context.Context, c db.Conversation) (db.Conversation, error) {
	content, err := json.Marshal(message.Content{Kind: message.KindChannelGone})
	if err != nil {
		return c, fmt.Errorf("encoding content: %w", err)
	}
	// Inbound, as all that is sent to nobody.
	row := db.MessageAddParams{
		ID: newID(), ConversationID: c.ID, Channel: c.Channel, ExternalID: c.ExternalID, Direction: "inbound", Sender: SenderSystem,
		Content: content, SentAt: u.Now, ReceivedAt: u.Now,
	}
	u.addMessage(ctx, c, row, nil)
	c.CloseReason = CloseReasonChannelGone
	return u.Close(ctx, c)
}

// Requeue takes a conversation that the unit has locked from its agent, who serves it no more, and puts it back where it
// was in its group's queue by its rules. Who waits for an answer goes on waiting; nobody is reminded of it in the queue. A conversation that
// nobody has is ErrWrongState. The caller assigns after the commit.
func (u *Unit) Requeue(ctx context.Context, c db.Conversation, rules queue.Rules) (db.Conversation, error) {
	c, err := u.Release(ctx, c)
	if err != nil {
		return c, err
	}
	return u.Save(ctx, u.Queue(c, rules))
}

// Release is Requeue up to where the conversation goes, which the caller decides, and saves.
func (u *Unit) Release(ctx context.Context, c db.Conversation) (db.Conversation, error) {
	if c.State != StateAssigned || c.Agent == nil {
		return c, fmt.Errorf("taking from an agent: %w", ErrWrongState)
	}
	if err := u.PresenceRelease(ctx, c.Weight, u.Now, *c.Agent); err != nil {
		return c, fmt.Errorf("freeing a slot: %w", err)
	}
	c.Agent, c.AssignedAt, c.UnansweredSince, c.PassedBy, c.RemindAt = nil, nil, nil, nil, nil
	return c, nil
}

// Queue is a conversation as it waits for an agent of its group, whose rules and priority decide where in the queue. Who
// waits for an agent already, of whichever group, goes on waiting.
func (u *Unit) Queue(c db.Conversation, rules queue.Rules) db.Conversation {
	c.QueuedAt = u.Place(c)
	key := rules.Key(*c.QueuedAt, c.Priority)
	c.QueueKey = &key
	if c.State != StateQueued || c.WaitingSince == nil {
		c.WaitingSince = &u.Now
	}
	c.State = StateQueued
	return c
}

// Place is since when a conversation that goes into a queue counts as waiting there: who waited before, in whichever
// queue, keeps their place, and who wrote in the night waits since then, and so is first in the morning.
func (u *Unit) Place(c db.Conversation) *time.Time {
	switch {
	case c.QueuedAt != nil:
		return c.QueuedAt
	case c.State == StateAwaitingOpening, c.State == StateAssigned:
		return &c.OpenedAt
	default:
		return &u.Now
	}
}
