package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// pledgedFor is how long a message may be on its way to a connector and still count: an outage of Kafka is rarely longer.
const pledgedFor = 15 * time.Minute

// Unspent is what may still be said to a contact at a time, once all that was said before has gone out.
func (s *Store) Unspent(ctx context.Context, contact Contact, now time.Time) (quota.State, error) {
	return unspent(ctx, s.pool, contact, now)
}

// Unspent is what may still be said to a contact, once all that was said before has gone out. What the unit itself says is
// not among it.
func (u *Unit) Unspent(ctx context.Context, contact Contact) (quota.State, error) {
	return unspent(ctx, u.conn, contact, u.Now)
}

// Pledged is how many messages are on their way to a contact and not spent yet, those among them that the unit says itself. What
// was said in a platform's call, and notices, cost nothing.
func (u *Unit) Pledged(ctx context.Context, contact Contact) (int32, error) {
	messages, err := u.QuotaPledged(ctx, contact.Channel, contact.ExternalID, u.Now.Add(-pledgedFor))
	if err != nil {
		return 0, fmt.Errorf("counting what is on its way to a contact: %w", err)
	}
	for i := range u.messages {
		if own := &u.messages[i]; own.Direction == "outbound" && own.Channel == contact.Channel && own.ExternalID == contact.ExternalID {
			messages++
		}
	}
	for i := range u.replied {
		if own := &u.replied[i]; own.Channel == contact.Channel && own.ExternalID == contact.ExternalID {
			messages--
		}
	}
	return messages, nil
}

func unspent(ctx context.Context, conn batcher, contact Contact, now time.Time) (state quota.State, err error) {
	var ledger []db.Quotum
	var pledged []struct{ Messages int32 }
	var p pipeline
	read(&p, &ledger, db.QuotaGet, contact.Channel, contact.ExternalID)
	read(&p, &pledged, db.QuotaPledged, contact.Channel, contact.ExternalID, now.Add(-pledgedFor))
	if err := p.send(ctx, conn); err != nil {
		return state, fmt.Errorf("reading what is left to be said to a contact: %w", err)
	}
	if len(ledger) > 0 {
		state = quotaState(ledger[0])
	}
	for _, row := range pledged {
		state = quota.SpendMany(state, row.Messages)
	}
	return state, nil
}

// Window is what desks are told of a customer who waits and may soon not be answered any more; the payload of FrameWindow.
type Window struct {
	Conversation uuid.UUID `json:"conversation"`
	Customer     string    `json:"customer"`
	SkillGroup   string    `json:"skillGroup"`
	// Until is when the platform takes no answer any more, unless the customer writes again.
	Until time.Time `json:"until"`
}
