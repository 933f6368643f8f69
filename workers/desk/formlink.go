package desk

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// errLinkExpired says that a link takes no application any more.
var errLinkExpired = errors.New("the link has expired")

// openLink finds out what a token opens, and for whom.
func (d *Desk) openLink(ctx context.Context, token string) (formlink.Link, db.Conversation, error) {
	read, err := formlink.Read(token)
	if err != nil {
		return formlink.Link{}, db.Conversation{}, fmt.Errorf("reading a link: %w", err)
	}
	c, err := d.Store.Queries().ConversationGet(ctx, read.Conversation())
	if errors.Is(err, pgx.ErrNoRows) {
		return formlink.Link{}, c, formlink.ErrNone
	}
	if err != nil {
		return formlink.Link{}, c, fmt.Errorf("reading a conversation: %w", err)
	}
	key, err := d.formKey.get(ctx, d.Store.Queries())
	if err != nil {
		return formlink.Link{}, c, err
	}
	link, err := key.Open(read, linkTo(c))
	if err != nil {
		return formlink.Link{}, c, fmt.Errorf("opening a link: %w", err)
	}
	if !d.Now().Before(link.Expires) {
		return link, c, errLinkExpired
	}
	return link, c, nil
}

// linkTo is the customer of a conversation, as links know them.
func linkTo(c db.Conversation) formlink.Customer {
	return formlink.Customer{Channel: c.Channel, ExternalID: c.ExternalID}
}

// formKey is the key of all replicas, read once.
type formKey struct {
	mu  sync.Mutex
	key formlink.Key
}

func (k *formKey) get(ctx context.Context, queries *db.Queries) (formlink.Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key != nil {
		return k.key, nil
	}
	key, err := formlink.LoadKey(ctx, queries)
	if err != nil {
		return nil, fmt.Errorf("signing links: %w", err)
	}
	k.key = key
	return key, nil
}
