package desk

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// linkFor is how long a link to a form works.
	linkFor = 24 * time.Hour
	// linkPurpose keeps what is signed for something else from being a link.
	linkPurpose = "yingda.dev/forms/after-sales/1"
	keyLength   = sha256.Size
	// A link is when it expires, the conversation, and what makes it one of its own; then the signature.
	linkLength = 8 + 16 + 16 + sha256.Size
)

// errNoLink says that a token is not one of ours, or does not work any more.
var (
	errNoLink      = errors.New("no link of ours")
	errLinkExpired = errors.New("the link has expired")
)

// formLink lets whoever holds it fill in one form, in the name of the customer of one conversation.
type formLink struct {
	Expires      time.Time
	Conversation uuid.UUID
	// ID is the link's own; what it opens has it, so that it opens one.
	ID uuid.UUID
}

// token is the link as it stands in an address. The signature holds the customer, too, of whom the address says nothing.
func (l formLink) token(key []byte, channel, customer string) string {
	content := l.content()
	return base64.RawURLEncoding.EncodeToString(append(content, signature(key, content, channel, customer)...))
}

func (l formLink) content() []byte {
	content := binary.BigEndian.AppendUint64(make([]byte, 0, linkLength), uint64(l.Expires.Unix())) //nolint:gosec // A time to come.
	content = append(content, l.Conversation[:]...)
	return append(content, l.ID[:]...)
}

func signature(key, content []byte, channel, customer string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range [][]byte{[]byte(linkPurpose), content, []byte(channel), []byte(customer)} {
		// With its length, so that no two lists of parts are signed alike.
		_ = binary.Write(mac, binary.BigEndian, uint64(len(part))) // A hash's Write never fails.
		_, _ = mac.Write(part)
	}
	return mac.Sum(nil)
}

// openLink finds out what a token opens, and for whom.
func (d *Desk) openLink(ctx context.Context, token string) (formLink, db.Conversation, error) {
	if len(token) != base64.RawURLEncoding.EncodedLen(linkLength) {
		return formLink{}, db.Conversation{}, errNoLink
	}
	decoded, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return formLink{}, db.Conversation{}, errNoLink
	}
	content, signed := decoded[:linkLength-sha256.Size], decoded[linkLength-sha256.Size:]
	link := formLink{Expires: time.Unix(int64(binary.BigEndian.Uint64(content)), 0)} //nolint:gosec // What is no time of ours is not signed by us.
	copy(link.Conversation[:], content[8:])
	copy(link.ID[:], content[24:])
	c, err := d.Store.Queries().ConversationGet(ctx, link.Conversation)
	if errors.Is(err, pgx.ErrNoRows) {
		return formLink{}, c, errNoLink
	}
	if err != nil {
		return formLink{}, c, fmt.Errorf("reading a conversation: %w", err)
	}
	key, err := d.formKey.get(ctx, d.Store.Queries())
	if err != nil {
		return formLink{}, c, err
	}
	if !hmac.Equal(signed, signature(key, content, c.Channel, c.ExternalID)) {
		return formLink{}, c, errNoLink
	}
	if !d.Now().Before(link.Expires) {
		return link, c, errLinkExpired
	}
	return link, c, nil
}

// formKey is the key of all replicas, read once.
type formKey struct {
	mu  sync.Mutex
	key []byte
}

// get makes the key when there is none.
func (k *formKey) get(ctx context.Context, queries *db.Queries) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key != nil {
		return k.key, nil
	}
	key, err := queries.FormKeyGet(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		fresh := make([]byte, keyLength)
		_, _ = rand.Read(fresh) // It never fails.
		if err := queries.FormKeyAdd(ctx, fresh); err != nil {
			return nil, fmt.Errorf("keeping the key of forms: %w", err)
		}
		// It may be another replica's, which was quicker.
		key, err = queries.FormKeyGet(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key of forms: %w", err)
	}
	k.key = key
	return key, nil
}
