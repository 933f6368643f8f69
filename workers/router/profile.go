package router

import (
	"context"
	"errors"
	"fmt"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// recognise takes in what platforms said of contacts, each in a transaction of its own: of several routers one does it, and
// one contact that fails does not keep the others.
func (r *Router) recognise(ctx context.Context) error {
	contacts, err := r.Store.ToldProfiles(ctx, batchRows)
	if err != nil {
		return err
	}
	var failed []error
	for _, contact := range contacts {
		err := r.Store.Do(ctx, r.scope(), func(ctx context.Context, u *store.Unit) error { return u.Recognise(ctx, contact) })
		if err != nil {
			failed = append(failed, fmt.Errorf("recognising a customer: %w", err))
		}
	}
	return errors.Join(failed...)
}

// wonder asks connectors who a customer is: of a mini-program's who has logged in, and of an official account's who is new,
// or whose following has changed.
func (t *turn) wonder(ctx context.Context) error {
	content, follows := t.in.Content, t.channel.Spec.OfficialAccount != nil
	changed := follows && (content.Kind == message.KindFollowed || content.Kind == message.KindUnfollowed)
	contact := t.intake.Contact(t.who())
	if content.LoginCode == "" && !changed && (!follows || !contact.FirstSeen.Equal(contact.LastSeen)) {
		return nil
	}
	err := t.ProfileWant(ctx, db.ProfileWantParams{
		Channel: t.in.Channel, ExternalID: t.in.Customer, LoginCode: content.LoginCode, At: t.Now, Anew: content.LoginCode != "" || changed,
	})
	if err != nil {
		return fmt.Errorf("asking who a customer is: %w", err)
	}
	return nil
}
