package store

import (
	"context"
	"errors"
	"time"

	"github.com/yingda-dev/yingda/internal/message"
)

// DeliveriesKept is how long the row of a message that arrived is kept. It is longer than any topic's retention (30 days):
// a connector that reads its topic again knows by the row what it has sent.
const DeliveriesKept = 45 * 24 * time.Hour

// StateWithoutDelivery is where an outbound message stands that has no row: no connector has taken it over yet, or it
// arrived so long ago that the row is gone. Rows of messages that did not arrive stay.
func StateWithoutDelivery(sentAt, now time.Time) message.DeliveryState {
	if now.Sub(sentAt) < DeliveriesKept {
		return message.DeliveryQueued
	}
	return message.DeliveryDelivered
}

// Erase deletes what a brand no longer keeps: conversations that ended before, with all that was said and sent in them, cases that
// belong to none, files that then belong to nothing, and whoever was not seen since. Who is still owed something stays, with the conversation that
// it comes from. It works in batches, may be cut short, and may run in several processes at once.
func (s *Store) Erase(ctx context.Context, before time.Time) error {
	queries := s.Queries()
	return errors.Join(
		whileAny(func() (int64, error) { return queries.ConversationsErase(ctx, before) }),
		whileAny(func() (int64, error) { return queries.CasesErase(ctx, before) }),
		whileAny(func() (int64, error) { return queries.MediaErase(ctx, before) }),
		whileAny(func() (int64, error) { return queries.ContactsErase(ctx, before) }),
		whileAny(func() (int64, error) { return queries.PersonsErase(ctx) }),
	)
}

func whileAny(batch func() (int64, error)) error {
	for {
		if deleted, err := batch(); err != nil || deleted == 0 {
			return err
		}
	}
}
