package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// Intake is what a batch of inbound messages touches: loaded and locked with one statement a table and one round trip,
// whatever the size of the batch, and written back the same way when its unit ends. What a message changes the next one of the batch sees.
type Intake struct {
	unit          *Unit
	fresh         map[messageKey]bool
	contacts      map[Contact]db.Contact
	conversations map[Contact]db.Conversation
	quotas        map[Contact]quota.State
	granted       map[Contact]bool
	touched       map[uuid.UUID]db.Conversation
}

type messageKey struct{ channel, id string }

// Intake loads what the messages touch. consumer is the name under which they are remembered as taken in.
func (u *Unit) Intake(ctx context.Context, consumer string, inbound []message.Inbound) (*Intake, error) {
	in := &Intake{
		unit: u, fresh: map[messageKey]bool{}, contacts: map[Contact]db.Contact{}, conversations: map[Contact]db.Conversation{},
		quotas: map[Contact]quota.State{}, granted: map[Contact]bool{}, touched: map[uuid.UUID]db.Conversation{},
	}
	u.intake = in
	if len(inbound) == 0 {
		return in, nil
	}
	return in, in.load(ctx, consumer, inbound)
}

// load remembers the messages and loads their contacts, with their conversations and quotas, in one round trip.
func (in *Intake) load(ctx context.Context, consumer string, inbound []message.Inbound) error {
	channels, ids := make([]string, len(inbound)), make([]string, len(inbound))
	seen := map[Contact]time.Time{}
	for i := range inbound {
		channels[i], ids[i] = inbound[i].Channel, inbound[i].MessageID
		contact := Contact{Channel: inbound[i].Channel, ExternalID: inbound[i].Customer}
		if at, ok := seen[contact]; !ok || inbound[i].SentAt.After(at) {
			seen[contact] = inbound[i].SentAt
		}
	}
	var ofChannels, names []string
	var customers []uuid.UUID
	var ats []time.Time
	for contact, at := range seen {
		ofChannels, names = append(ofChannels, contact.Channel), append(names, contact.ExternalID)
		customers, ats = append(customers, newID()), append(ats, at)
	}
	var fresh []db.IntakeFreshRow
	var contacts []db.Contact
	var conversations []db.Conversation
	var quotas []db.Quotum
	var p pipeline
	// In this order: whoever has the messages first, has what they touch first.
	read(&p, &fresh, db.IntakeFresh, consumer, in.unit.Now, channels, ids)
	read(&p, &contacts, db.IntakeContacts, ofChannels, names, customers, ats)
	read(&p, &conversations, db.IntakeConversations, ofChannels, names)
	read(&p, &quotas, db.IntakeQuotas, ofChannels, names)
	if err := p.send(ctx, in.unit.conn); err != nil {
		return fmt.Errorf("loading what the messages touch: %w", err)
	}
	for _, row := range fresh {
		in.fresh[messageKey{row.Channel, row.MessageID}] = true
	}
	for _, row := range contacts {
		in.contacts[Contact{Channel: row.Channel, ExternalID: row.ExternalID}] = row
	}
	for _, row := range conversations {
		in.conversations[Contact{Channel: row.Channel, ExternalID: row.ExternalID}] = row
	}
	for _, row := range quotas {
		in.quotas[Contact{Channel: row.Channel, ExternalID: row.ExternalID}] = quotaState(row)
	}
	return nil
}

// Fresh says whether the message was not taken in before; of a message that is twice in the batch only the first is fresh.
func (in *Intake) Fresh(channel, messageID string) bool {
	key := messageKey{channel, messageID}
	fresh := in.fresh[key]
	delete(in.fresh, key)
	return fresh
}

// Contact returns the contact of a fresh message.
func (in *Intake) Contact(contact Contact) db.Contact { return in.contacts[contact] }

// Entered notes where a contact came from this time.
func (in *Intake) Entered(ctx context.Context, contact Contact, sessionFrom string) error {
	row := in.contacts[contact]
	row.SessionFrom = sessionFrom
	in.contacts[contact] = row
	if err := in.unit.ContactEntered(ctx, sessionFrom, contact.Channel, contact.ExternalID); err != nil {
		return fmt.Errorf("noting where a contact came from: %w", err)
	}
	return nil
}

// Grant notes what a contact of the customer lets us send, by the Channel's rules.
func (in *Intake) Grant(contact Contact, rules quota.Rules, kind quota.Contact, at time.Time) {
	in.quotas[contact] = quota.Grant(in.quotas[contact], rules, kind, at)
	in.granted[contact] = true
}

// Unfollow notes that nothing reaches the customer any more.
func (in *Intake) Unfollow(contact Contact, at time.Time) {
	in.quotas[contact] = quota.Unfollow(in.quotas[contact], at)
	in.granted[contact] = true
}

// Quota is what may be sent to a contact, with what the batch has granted.
func (in *Intake) Quota(contact Contact) quota.State { return in.quotas[contact] }

// Conversation returns the contact's open conversation, locked, as the batch has left it so far.
func (in *Intake) Conversation(contact Contact) (c db.Conversation, open bool) {
	c, open = in.conversations[contact]
	return c, open
}

// Open makes a conversation of a contact that has none open.
func (in *Intake) Open(ctx context.Context, contact Contact) (db.Conversation, error) {
	c, err := in.unit.ConversationAdd(ctx, db.ConversationAddParams{
		ID: newID(), Channel: contact.Channel, ExternalID: contact.ExternalID, CustomerID: in.contacts[contact].CustomerID,
		Tier: in.contacts[contact].Tier, OpenedAt: in.unit.Now,
	})
	if err != nil {
		return db.Conversation{}, fmt.Errorf("opening a conversation: %w", err)
	}
	in.conversations[contact] = c
	return c, nil
}

// Touch notes that a message came to a conversation and changed nothing else of it but since when somebody waits for an answer.
func (in *Intake) Touch(c db.Conversation) {
	contact := Contact{Channel: c.Channel, ExternalID: c.ExternalID}
	kept := in.conversations[contact]
	kept.LastMessageAt, kept.AskedSince, kept.RemindAt = c.LastMessageAt, c.AskedSince, c.RemindAt
	in.conversations[contact], in.touched[c.ID] = kept, kept
}

// saved keeps what the unit wrote of a conversation for the next message of the batch.
func (in *Intake) saved(c db.Conversation) {
	delete(in.touched, c.ID)
	contact := Contact{Channel: c.Channel, ExternalID: c.ExternalID}
	if c.State == StateClosed {
		delete(in.conversations, contact)
		return
	}
	in.conversations[contact] = c
}

// finish queues grants and touches.
func (in *Intake) finish(ctx context.Context, queries *db.Queries) {
	if len(in.granted) > 0 {
		_ = queries.IntakeQuotasSet(ctx, in.grants())
	}
	if len(in.touched) == 0 {
		return
	}
	var ids []uuid.UUID
	var ats, asked, reminds []time.Time
	for id, c := range in.touched {
		ids, ats = append(ids, id), append(ats, c.LastMessageAt)
		asked, reminds = append(asked, orEpoch(c.AskedSince)), append(reminds, orEpoch(c.RemindAt))
	}
	_ = queries.IntakeTouches(ctx, ids, ats, asked, reminds)
}

// orEpoch stands for a time that there is not: arrays of parameters hold no nulls.
func orEpoch(t *time.Time) time.Time {
	if t == nil {
		return time.Unix(0, 0).UTC()
	}
	return *t
}

// grants are the quotas that changed, in the order in which everybody locks them.
func (in *Intake) grants() (set db.IntakeQuotasSetParams) {
	contacts := make([]Contact, 0, len(in.granted))
	for contact := range in.granted {
		contacts = append(contacts, contact)
	}
	slices.SortFunc(contacts, func(a, b Contact) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.ExternalID, b.ExternalID))
	})
	for _, contact := range contacts {
		state := in.quotas[contact]
		set.Channels, set.ExternalIds = append(set.Channels, contact.Channel), append(set.ExternalIds, contact.ExternalID)
		set.WindowEnds, set.Remaining = append(set.WindowEnds, state.WindowEnds), append(set.Remaining, state.Remaining)
		set.SessionEnds, set.SessionRemaining = append(set.SessionEnds, state.SessionEnds), append(set.SessionRemaining, state.SessionRemaining)
		set.Granted, set.SessionGranted = append(set.Granted, state.Granted), append(set.SessionGranted, state.SessionGranted)
	}
	return set
}
