// Package formlink makes and opens the links by which a customer fills in the form for after-sales in the name of their own
// conversation: desks send them for agents, routers for the bot, and desks open them.
//
// It knows nothing of the form. Invariants: only who has the brand's key can make a link; a link opens the one conversation that it
// was made for, and says nothing of the customer. It takes an application until it expires; what a desk shows by it of the case that was
// opened in time is the desk's to bound.
package formlink

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// Path is that of the form, below which stand the tokens of links.
	Path = "/forms/after-sales/"
	// Lasts is how long a link takes an application.
	Lasts = 24 * time.Hour

	// purpose keeps what is signed for something else from being a link.
	purpose   = "yingda.dev/forms/after-sales/1"
	keyLength = sha256.Size
	// A token is when the link expires, the conversation, and what makes it one of its own; then the signature.
	contentLength = 8 + 16 + 16
	tokenLength   = contentLength + sha256.Size
)

// inWords is a link within a message.
var inWords = regexp.MustCompile(regexp.QuoteMeta(Path) + `[A-Za-z0-9_-]+`)

// ErrNone says that a token is not one of ours.
var ErrNone = errors.New("no link of ours")

// Link lets whoever holds it fill in one form, in the name of the customer of one conversation.
type Link struct {
	Expires      time.Time
	Conversation uuid.UUID
	// ID is the link's own; what it opens has it, so that it opens one.
	ID uuid.UUID
}

// Customer is whom a link is for.
type Customer struct{ Channel, ExternalID string }

// Key signs the links of a brand.
type Key []byte

// LoadKey returns the key that all replicas have; it is made when there is none.
func LoadKey(ctx context.Context, queries *db.Queries) (Key, error) {
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
	return key, nil
}

// Address is where the customer opens the form; origin is where they reach the desk's forms.
func (k Key) Address(origin string, link Link, customer Customer) string {
	content := link.content()
	token := base64.RawURLEncoding.EncodeToString(append(content, k.signature(content, customer)...))
	return strings.TrimSuffix(origin, "/") + Path + token
}

// Hidden is a message's content, as JSON, without the tokens of the links in it: who has one may act for the customer, and those who read
// the customer's conversation are to act in their own name.
func Hidden(content json.RawMessage) json.RawMessage {
	return inWords.ReplaceAllLiteral(content, []byte(Path+"…"))
}

// Token is a link as it came in, of which it is not known yet whether it is ours.
type Token struct {
	link      Link
	signature []byte
}

// Read takes a token apart.
func Read(token string) (Token, error) {
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenLength) {
		return Token{}, ErrNone
	}
	decoded, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(decoded) != tokenLength { // It skips line ends.
		return Token{}, ErrNone
	}
	content := decoded[:contentLength]
	link := Link{Expires: time.Unix(int64(binary.BigEndian.Uint64(content)), 0)} //nolint:gosec // What is no time of ours is not signed by us.
	copy(link.Conversation[:], content[8:])
	copy(link.ID[:], content[24:])
	return Token{link, decoded[contentLength:]}, nil
}

// Conversation is the one that the token says that it is for.
func (t Token) Conversation() uuid.UUID { return t.link.Conversation }

// Open returns the link of a token, if it was signed for the customer of its conversation. It may have expired.
func (k Key) Open(token Token, customer Customer) (Link, error) {
	if !hmac.Equal(token.signature, k.signature(token.link.content(), customer)) {
		return Link{}, ErrNone
	}
	return token.link, nil
}

func (l Link) content() []byte {
	content := binary.BigEndian.AppendUint64(make([]byte, 0, tokenLength), uint64(l.Expires.Unix())) //nolint:gosec // A time to come.
	content = append(content, l.Conversation[:]...)
	return append(content, l.ID[:]...)
}

// signature holds the customer, too, of whom the token says nothing.
func (k Key) signature(content []byte, customer Customer) []byte {
	mac := hmac.New(sha256.New, k)
	for _, part := range [][]byte{[]byte(purpose), content, []byte(customer.Channel), []byte(customer.ExternalID)} {
		// With its length, so that no two lists of parts are signed alike.
		_ = binary.Write(mac, binary.BigEndian, uint64(len(part))) // A hash's Write never fails.
		_, _ = mac.Write(part)
	}
	return mac.Sum(nil)
}
