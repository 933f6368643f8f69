package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

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
	// Reply is what was said at once to this message before; nil where nothing was. Withdrawn says that it is said otherwise,
	// and in no call any more.
	Reply     *message.Reply
	Withdrawn bool
	// Emergencies are those that last, the earliest first.
	Emergencies []Emergency
}

// Emergency is one that lasts.
type Emergency struct {
	Number int64
	// SkillGroup is the one that it is of, empty where it is of the brand.
	SkillGroup string
	// Told says that the customer was told of it.
	Told bool
}

// BannerKey is the key of the words by which a customer is told of an emergency, once a conversation.
func BannerKey(emergency int64, conversation uuid.UUID) string {
	return fmt.Sprintf("banner/%d/%s", emergency, conversation)
}

// Standing looks how a customer who does something stands. The router may be a moment behind.
func (s *Store) Standing(ctx context.Context, in message.Inbound) (Standing, error) {
	row, err := s.Queries().PassiveLook(ctx, db.PassiveLookParams{
		Channel: in.Channel, ExternalID: in.Customer, Consumer: ConsumerRouter, MessageID: in.MessageID, Words: wordsConsumer,
	})
	if err != nil {
		return Standing{}, fmt.Errorf("looking how a customer stands: %w", err)
	}
	standing := Standing{State: row.State, Topic: row.Topic, SessionFrom: row.SessionFrom, Taken: row.Taken, Withdrawn: row.Withdrawn}
	for i, number := range row.Emergencies {
		standing.Emergencies = append(standing.Emergencies, Emergency{number, row.EmergencyGroups[i], row.EmergenciesTold[i]})
	}
	if row.Reply != "" {
		if err := json.Unmarshal([]byte(row.Reply), &standing.Reply); err != nil {
			return Standing{}, fmt.Errorf("reading what was said before: %w", err)
		}
	}
	return standing, nil
}

// Saying is what is about to be said in a call of a platform's. Of those with the same key a customer gets one.
type Saying struct {
	Key   string
	Call  uuid.UUID
	Reply message.Reply
}

// ReplyAtOnce remembers what is about to be said in answer to a message; false, and nothing is remembered, when the customer
// was told something of the same key before, or something to the same message.
func (s *Store) ReplyAtOnce(ctx context.Context, in message.Inbound, saying Saying, now time.Time) (bool, error) {
	encoded, err := json.Marshal(saying.Reply)
	if err != nil {
		return false, fmt.Errorf("encoding a reply: %w", err)
	}
	added, err := s.Queries().PassiveAdd(ctx, db.PassiveAddParams{
		Channel: in.Channel, ExternalID: in.Customer, Key: saying.Key, MessageID: in.MessageID, Reply: encoded, RepliedAt: now, Call: saying.Call,
	})
	if err != nil {
		return false, fmt.Errorf("remembering a reply: %w", err)
	}
	return added > 0, nil
}

// ReplyAgain takes the right to say in one more call what was said to a message before; false when it is said otherwise.
func (s *Store) ReplyAgain(ctx context.Context, in message.Inbound, call uuid.UUID) (bool, error) {
	taken, err := s.Queries().PassiveAgain(ctx, call, in.Channel, in.Customer, in.MessageID)
	if err != nil {
		return false, fmt.Errorf("repeating a reply: %w", err)
	}
	return taken > 0, nil
}

// Unheard notes that a call ended without its answer; nothing where another came after it.
func (s *Store) Unheard(ctx context.Context, in message.Inbound, call uuid.UUID) error {
	if err := s.Queries().PassiveUnheard(ctx, in.Channel, in.Customer, in.MessageID, call); err != nil {
		return fmt.Errorf("noting that a reply was not heard: %w", err)
	}
	return nil
}

// SendUnheard queues for sending what was said in calls and what nobody has heard for so long, to customers of the Channels: the
// platform calls again much sooner, or not at all. It returns to whom.
func (s *Store) SendUnheard(ctx context.Context, pool string, channels []string, unheardFor time.Duration, most int32) ([]Contact, error) {
	var contacts []Contact
	err := s.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		contacts = nil
		q := db.New(tx)
		rows, err := q.PassiveWithdraw(ctx, unheardFor.Seconds(), channels, most)
		if err != nil {
			return fmt.Errorf("finding what nobody has heard: %w", err)
		}
		for _, row := range rows {
			contact := Contact{row.Channel, row.ExternalID}
			deliveries, err := repliesTo(contact, pool, row.Reply)
			if err != nil {
				return err
			}
			for _, d := range deliveries {
				if err := q.DeliveryUnheard(ctx, d); err != nil {
					return fmt.Errorf("queueing what nobody has heard: %w", err)
				}
			}
			contacts = append(contacts, contact)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sending what nobody has heard: %w", err)
	}
	return contacts, nil
}

func repliesTo(contact Contact, pool string, encoded json.RawMessage) ([]db.DeliveryUnheardParams, error) {
	var reply message.Reply
	if err := json.Unmarshal(encoded, &reply); err != nil {
		return nil, fmt.Errorf("reading what was said: %w", err)
	}
	deliveries := make([]db.DeliveryUnheardParams, 0, len(reply.Contents))
	for i, content := range reply.Contents {
		id := idOf(reply, i)
		out, err := json.Marshal(message.Outbound{MessageID: id, Channel: contact.Channel, Customer: contact.ExternalID, Content: content})
		if err != nil {
			return nil, fmt.Errorf("encoding a message: %w", err)
		}
		deliveries = append(deliveries, db.DeliveryUnheardParams{MessageID: id, Pool: pool, Channel: contact.Channel, ExternalID: contact.ExternalID, Outbound: out})
	}
	return deliveries, nil
}

// idOf is the id of one of a reply's contents.
func idOf(reply message.Reply, content int) uuid.UUID {
	if content < len(reply.MessageIDs) {
		return reply.MessageIDs[content]
	}
	return newID()
}

// Doubted decides that a message in doubt was not answered in its call; said is what another call has answered instead. From
// here on no call says anything to it.
func (u *Unit) Doubted(ctx context.Context, in message.Inbound) (said *message.Reply, err error) {
	ours, err := u.PassiveDoubt(ctx, db.PassiveDoubtParams{Channel: in.Channel, ExternalID: in.Customer, MessageID: in.MessageID, At: u.Now, Call: in.InDoubt})
	if err != nil {
		return nil, fmt.Errorf("ending a doubt about a reply: %w", err)
	}
	if ours > 0 {
		return nil, nil //nolint:nilnil // Nothing was said.
	}
	encoded, err := u.PassiveReplyOf(ctx, in.Channel, in.Customer, in.MessageID)
	if err != nil {
		return nil, fmt.Errorf("reading what was said: %w", err)
	}
	if err := json.Unmarshal(encoded, &said); err != nil {
		return nil, fmt.Errorf("reading what was said: %w", err)
	}
	return said, nil
}

// Replied adds what the connector has said at once to a conversation that the unit has locked. It goes nowhere; its agent's
// desk is told.
func (u *Unit) Replied(ctx context.Context, c db.Conversation, pool string, reply message.Reply) error {
	for i, content := range reply.Contents {
		encoded, err := json.Marshal(content)
		if err != nil {
			return fmt.Errorf("encoding content: %w", err)
		}
		id := idOf(reply, i)
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
