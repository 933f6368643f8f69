package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// ConsumerRouter is under which the router remembers what it took in.
const ConsumerRouter = "router"

// PassiveRepliesKept is how long what was said at once is remembered: much longer than a platform repeats a call and a message
// is on its way to the router.
const PassiveRepliesKept = 24 * time.Hour

// Standing is what decides what may be said to a customer at once.
type Standing struct {
	// State is who has the customer's conversation, "" without one; Topic is its topic.
	State State
	Topic string
	// SessionFrom is where the customer last came from.
	SessionFrom string
	// Taken says that the router has taken the message in: whatever it had to say is said.
	Taken bool
	// Reply is what was said at once to this message before; nil where nothing was.
	Reply *message.Reply
}

// Standing looks how a customer who does something stands. The router may be a moment behind.
func (s *Store) Standing(ctx context.Context, in message.Inbound) (Standing, error) {
	row, err := s.Queries().PassiveLook(ctx, in.Channel, in.Customer, ConsumerRouter, in.MessageID)
	if err != nil {
		return Standing{}, fmt.Errorf("looking how a customer stands: %w", err)
	}
	standing := Standing{State: row.State, Topic: row.Topic, SessionFrom: row.SessionFrom, Taken: row.Taken}
	if row.Reply != "" {
		if err := json.Unmarshal([]byte(row.Reply), &standing.Reply); err != nil {
			return Standing{}, fmt.Errorf("reading what was said before: %w", err)
		}
	}
	return standing, nil
}

// ReplyAtOnce remembers what is about to be said in answer to a message; false, and nothing is remembered, when the customer
// was told something of the same key before.
func (s *Store) ReplyAtOnce(ctx context.Context, in message.Inbound, key string, reply message.Reply, now time.Time) (bool, error) {
	encoded, err := json.Marshal(reply)
	if err != nil {
		return false, fmt.Errorf("encoding a reply: %w", err)
	}
	added, err := s.Queries().PassiveAdd(ctx, db.PassiveAddParams{
		Channel: in.Channel, ExternalID: in.Customer, Key: key, MessageID: in.MessageID, Reply: encoded, RepliedAt: now,
	})
	if err != nil {
		return false, fmt.Errorf("remembering a reply: %w", err)
	}
	return added > 0, nil
}

// Replied adds what the connector has said at once to a conversation that the unit has locked. It goes nowhere; its agent's
// desk is told.
func (u *Unit) Replied(ctx context.Context, c db.Conversation, pool string, reply message.Reply) error {
	for _, content := range reply.Contents {
		encoded, err := json.Marshal(content)
		if err != nil {
			return fmt.Errorf("encoding content: %w", err)
		}
		id := newID()
		out, err := json.Marshal(message.Outbound{MessageID: id, Channel: c.Channel, Customer: c.ExternalID, Conversation: c.ID, Content: content})
		if err != nil {
			return fmt.Errorf("encoding a message: %w", err)
		}
		u.replied = append(u.replied, db.DeliveryRepliedParams{
			MessageID: id, Pool: pool, Channel: c.Channel, ExternalID: c.ExternalID, Outbound: out,
		})
		u.addMessage(ctx, c, db.MessageAddParams{
			ID: id, ConversationID: c.ID, Channel: c.Channel, ExternalID: c.ExternalID, Direction: "outbound", Sender: SenderBot,
			Content: encoded, SentAt: u.Now, ReceivedAt: u.Now,
		}, &DeliveryOutcome{Message: id, Conversation: c.ID, State: message.DeliveryDelivered})
	}
	return nil
}

// SaidElsewhere remembers that words of that key were said, and whether this is the first time.
func (u *Unit) SaidElsewhere(ctx context.Context, c db.Conversation, key string) (first bool, err error) {
	fresh, err := u.ProcessedAdd(ctx, wordsConsumer, c.Channel, key, u.Now)
	if err != nil {
		return false, fmt.Errorf("remembering what was said: %w", err)
	}
	return fresh > 0, nil
}
