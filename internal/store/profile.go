package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// ProfileToAsk is a contact of whom this replica has leased to ask the platform.
type ProfileToAsk = db.ProfileClaimRow

// LeaseProfiles takes contacts of whom the platform is to be asked; nobody else gets them until the lease ends.
func (s *Store) LeaseProfiles(ctx context.Context, channels []string, now, leaseEnds time.Time, most int32) ([]ProfileToAsk, error) {
	rows, err := s.Queries().ProfileClaim(ctx, &leaseEnds, channels, &now, most)
	if err != nil {
		return nil, fmt.Errorf("leasing profiles to ask for: %w", err)
	}
	return rows, nil
}

// ToldProfile is what a platform says of a contact. SubscribedAt is zero for who does not follow the account.
type ToldProfile struct {
	UnionID        string
	SubscribedAt   time.Time
	SubscribeScene string
}

// TellProfile keeps what the platform said, for the router to take in.
func (s *Store) TellProfile(ctx context.Context, asked ProfileToAsk, told ToldProfile, now time.Time) error {
	params := db.ProfileTellParams{
		UnionID: told.UnionID, SubscribeScene: told.SubscribeScene, At: now,
		Channel: asked.Channel, ExternalID: asked.ExternalID, AskedAt: asked.UpdatedAt,
	}
	if !told.SubscribedAt.IsZero() {
		params.SubscribedAt = &told.SubscribedAt
	}
	if _, err := s.Queries().ProfileTell(ctx, params); err != nil {
		return fmt.Errorf("keeping a profile: %w", err)
	}
	return nil
}

// RetryProfile lets the platform be asked again later.
func (s *Store) RetryProfile(ctx context.Context, asked ProfileToAsk, notBefore time.Time, reason string) error {
	err := s.Queries().ProfileRetry(ctx, db.ProfileRetryParams{
		NotBefore: &notBefore, Reason: reason, Channel: asked.Channel, ExternalID: asked.ExternalID, AskedAt: asked.UpdatedAt,
	})
	if err != nil {
		return fmt.Errorf("putting a profile off: %w", err)
	}
	return nil
}

// FailProfile gives a profile up; what was known of the contact before stays.
func (s *Store) FailProfile(ctx context.Context, asked ProfileToAsk, reason string) error {
	if err := s.Queries().ProfileFail(ctx, reason, asked.Channel, asked.ExternalID, asked.UpdatedAt); err != nil {
		return fmt.Errorf("giving a profile up: %w", err)
	}
	return nil
}

// DeniedProfiles returns of each of the Channels one contact who was given up for the reason.
func (s *Store) DeniedProfiles(ctx context.Context, channels []string, reason string) ([]Contact, error) {
	rows, err := s.Queries().ProfilesDenied(ctx, reason, channels)
	if err != nil {
		return nil, fmt.Errorf("looking for profiles that were given up: %w", err)
	}
	contacts := make([]Contact, len(rows))
	for i, row := range rows {
		contacts[i] = Contact(row)
	}
	return contacts, nil
}

// WantProfilesAgain has the platform asked again of those of a Channel who were given up for the reason.
func (s *Store) WantProfilesAgain(ctx context.Context, channel, reason string, now time.Time) error {
	if _, err := s.Queries().ProfilesWantAgain(ctx, now, reason, channel); err != nil {
		return fmt.Errorf("asking for profiles again: %w", err)
	}
	return nil
}

// ToldProfiles returns contacts of whom a platform has said something that is not taken in.
func (s *Store) ToldProfiles(ctx context.Context, most int32) ([]Contact, error) {
	rows, err := s.Queries().ProfilesTold(ctx, most)
	if err != nil {
		return nil, fmt.Errorf("looking for profiles: %w", err)
	}
	contacts := make([]Contact, len(rows))
	for i, row := range rows {
		contacts[i] = Contact(row)
	}
	return contacts, nil
}

// Recognise takes in what the platform said of a contact: with the union id of somebody who is known on another Channel, the
// contact is that customer from now on, and so are all its conversations, open ones too. Doing it again changes nothing.
//
//	contact (locked) ──> profile, once ──> person: the first contact's customer ──> contact, conversations
//
// The contact is locked first, as by whoever takes in its messages: a conversation that is being opened for it is seen here,
// or opened for the new customer. A contact changes nobody but itself, so that two of one person who meet in two routers wait
// for one another at the person alone.
func (u *Unit) Recognise(ctx context.Context, contact Contact) error {
	row, err := u.ContactForUpdate(ctx, contact.Channel, contact.ExternalID)
	if err != nil {
		return fmt.Errorf("locking a contact: %w", err)
	}
	told, err := u.ProfileTake(ctx, contact.Channel, contact.ExternalID)
	if err != nil {
		return fmt.Errorf("taking a profile in: %w", err)
	}
	if len(told) == 0 {
		return nil
	}
	if told[0] != "" {
		if err := u.become(ctx, row, told[0]); err != nil {
			return err
		}
	}
	return u.tellOfProfile(ctx, contact)
}

func (u *Unit) become(ctx context.Context, contact db.Contact, unionID string) error {
	customer, err := u.PersonClaim(ctx, unionID, contact.CustomerID)
	if err != nil {
		return fmt.Errorf("finding a person: %w", err)
	}
	if customer == contact.CustomerID {
		return nil
	}
	if err := u.ContactBecomes(ctx, customer, contact.Channel, contact.ExternalID); err != nil {
		return fmt.Errorf("merging a contact: %w", err)
	}
	if err := u.ConversationsBecome(ctx, customer, contact.CustomerID, contact.Channel, contact.ExternalID); err != nil {
		return fmt.Errorf("merging a contact's conversations: %w", err)
	}
	return nil
}

// tellOfProfile lets the desk of who serves the contact read anew who it is.
func (u *Unit) tellOfProfile(ctx context.Context, contact Contact) error {
	c, err := u.ConversationOpenForUpdate(ctx, contact.Channel, contact.ExternalID)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("locking a conversation: %w", err)
	case c.Agent != nil:
		u.Tell(ctx, *c.Agent, message.FrameConversation, ConversationView(c))
	}
	return nil
}
