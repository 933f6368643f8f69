package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/intake"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// maxText is what WeChat takes, in bytes.
	maxText = 2048
	// typingInterval is how often a customer is told that somebody types, typingFor how long that is worth telling.
	typingInterval = 3 * time.Second
	typingFor      = 5 * time.Second
)

// NewContent is what an agent says.
type NewContent struct {
	Kind string `json:"kind" enum:"text,image,link,miniProgramPage"`
	// Text of a text message, at most 2048 bytes.
	Text string `json:"text,omitempty"`
	// Media of an image: POST /api/media gives the id.
	Media *FileReference `json:"media,omitempty"`
	Link  *NewLink       `json:"link,omitempty"`
	Page  *NewPage       `json:"page,omitempty"`
}

// FileReference names a file that was uploaded.
type FileReference struct {
	ID uuid.UUID `json:"id"`
}

// NewLink is a card that opens a web page.
type NewLink struct {
	Title       string `json:"title" minLength:"1" maxLength:"64"`
	Description string `json:"description,omitempty" maxLength:"256"`
	URL         string `json:"url" maxLength:"1024"`
	ThumbURL    string `json:"thumbUrl,omitempty" maxLength:"1024"`
}

// NewPage is a card that opens a page of the mini-program.
type NewPage struct {
	Title string        `json:"title" minLength:"1" maxLength:"64"`
	Path  string        `json:"path" minLength:"1" maxLength:"1024"`
	Thumb FileReference `json:"thumb"`
}

type sayInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Key     uuid.UUID  `json:"key" doc:"Made by the client for this message; sending it again with the same key sends once."`
		Content NewContent `json:"content"`
		Keeps   string     `json:"keeps,omitempty" maxLength:"300" doc:"The name of a promise that this message keeps: it is done with the message."`
	}
}

type sayOutput struct{ Body store.Message }

// act locks a conversation in which the principal may act: their own, or for supervisors any that is open.
func (d *Desk) act(ctx context.Context, u *store.Unit, p *principal, id uuid.UUID) (db.Conversation, error) {
	c, err := visible(p, func() (db.Conversation, error) { return u.ConversationForUpdate(ctx, id) })
	switch {
	case err != nil:
		return c, err
	case c.State == store.StateClosed:
		return c, refusal(http.StatusConflict, "Closed", "the conversation is closed")
	case p.supervises() || serves(p.agent.Name, c):
		return c, nil
	case c.State == store.StateAssigned:
		return c, refusal(http.StatusConflict, "NotYours", "the conversation is assigned to %s", *c.Agent)
	default:
		return c, refusal(http.StatusConflict, "NotAssigned", "the conversation is assigned to nobody yet")
	}
}

// outboundTopic is where what is said on a Channel goes.
func (d *Desk) outboundTopic(channel string) (string, error) {
	c, ok := d.Catalog.Snapshot().Channel(channel)
	if !ok || c.DeletionTimestamp != nil {
		return "", refusal(http.StatusConflict, "ChannelGone", "the Channel of the conversation is gone")
	}
	return d.Names.Outbound(c.Pool), nil
}

func (d *Desk) say(ctx context.Context, p *principal, in *sayInput) (*sayOutput, error) {
	if err := in.Body.Content.check(); err != nil {
		return nil, err
	}
	// The id comes from the key, so that a repetition finds what the first one said.
	key := fmt.Sprintf("agent/%s/%s", p.agent.Name, in.Body.Key)
	id := uuid.NewSHA1(in.ID, []byte(key))
	out := &sayOutput{}
	var speed pace
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		speed = pace{} // The unit may run again.
		c, err := visible(p, func() (db.Conversation, error) { return u.ConversationForUpdate(ctx, in.ID) })
		if err != nil {
			return err
		}
		// First, because the conversation may have been closed since.
		said, err := u.DeskMessage(ctx, c.ID, id)
		if err == nil {
			out.Body = messageView(c.ID, said, u.Now)
			return nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("looking for the message: %w", err)
		}
		if c, err = d.act(ctx, u, p, c.ID); err != nil {
			return err
		}
		if out.Body, speed, err = d.sayNew(ctx, u, p, c, store.Words{Key: key, ID: id}, in.Body.Content); err != nil || in.Body.Keeps == "" {
			return err
		}
		return d.keep(ctx, u, p, in.Body.Keeps, id)
	})
	if err != nil {
		return nil, err
	}
	d.Metrics.answered(speed)
	return out, nil
}

// mayReach refuses what the platform would refuse, before the agent believes it to be on its way.
func mayReach(ctx context.Context, u *store.Unit, c db.Conversation) error {
	ledger, err := u.Unspent(ctx, contactOf(c))
	if err != nil {
		return err
	}
	switch verdict := quota.Check(ledger, u.Now); verdict {
	case quota.WindowClosed:
		return refusal(http.StatusConflict, verdict.String(), "the platform takes no message to a customer who was silent for so long: the customer has to write first")
	case quota.QuotaSpent:
		return refusal(http.StatusConflict, verdict.String(), "the platform takes no further message until the customer writes again")
	case quota.Allowed:
	}
	return nil
}

// sayNew says what was not said before, and how quickly that answers the customer.
func (d *Desk) sayNew(ctx context.Context, u *store.Unit, p *principal, c db.Conversation, words store.Words, in NewContent) (said store.Message, speed pace, err error) {
	topic, err := d.outboundTopic(c.Channel)
	if err != nil {
		return said, speed, err
	}
	if err := mayReach(ctx, u, c); err != nil {
		return said, speed, err
	}
	content, err := in.bind(ctx, u, p, c.Channel)
	if err != nil {
		return said, speed, err
	}
	words.Topic, words.Sender, words.Agent, words.Content = topic, store.SenderAgent, p.agent.Name, content
	_, fresh, err := u.Say(ctx, c, words)
	if err != nil {
		return said, speed, err
	}
	if !fresh {
		return said, speed, refusal(http.StatusConflict, "KeyUsed", "the key was used in another conversation")
	}
	if u.Now.After(c.LastMessageAt) {
		c.LastMessageAt = u.Now
	}
	if speed, err = d.answered(ctx, u, &c, p.agent.Name); err != nil {
		return said, speed, err
	}
	if c.Intake, err = closed(c.Intake); err != nil {
		return said, speed, err
	}
	if c, err = u.Save(ctx, c); err != nil {
		return said, speed, err
	}
	encoded, err := encode(content)
	if err != nil {
		return said, speed, err
	}
	return messageView(c.ID, db.DeskMessageRow{
		ID: words.ID, Direction: "outbound", Sender: words.Sender, Agent: words.Agent, Content: encoded, SentAt: u.Now,
	}, u.Now), speed, nil
}

// closed is what the customer has told when an agent speaks to them: from now on they tell it to the agent.
func closed(kept json.RawMessage) (json.RawMessage, error) {
	card, err := intake.Decode(kept)
	if err != nil || card == nil || card.Closed {
		return kept, nil //nolint:nilerr // a card of a later version is left to it, and keeps no agent from answering
	}
	card.Closed = true
	return card.Encode()
}

// check refuses what no connector could send.
func (c *NewContent) check() error {
	bad := func(detail string) error { return refusal(http.StatusUnprocessableEntity, "BadContent", "%s", detail) }
	switch message.Kind(c.Kind) {
	case message.KindText:
		if strings.TrimSpace(c.Text) == "" {
			return bad("the text is empty")
		}
		if len(c.Text) > maxText {
			return refusal(http.StatusUnprocessableEntity, "TextTooLong", "the text has %d bytes, and %d are the most", len(c.Text), maxText)
		}
	case message.KindImage:
		if c.Media == nil {
			return bad("an image needs media.id")
		}
	case message.KindLink:
		if c.Link == nil || !isWebAddress(c.Link.URL) || c.Link.ThumbURL != "" && !isWebAddress(c.Link.ThumbURL) {
			return bad("a link needs link.title and an http or https link.url")
		}
	case message.KindMiniProgramPage:
		if c.Page == nil {
			return bad("a mini-program page needs page.title, page.path and page.thumb.id")
		}
	default:
		return bad("an agent can say text, image, link and miniProgramPage")
	}
	return nil
}

func isWebAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// bind makes message content of it and gives the files to the Channel.
func (c *NewContent) bind(ctx context.Context, u *store.Unit, p *principal, channel string) (message.Content, error) {
	content := message.Content{Kind: message.Kind(c.Kind)}
	var err error
	switch content.Kind {
	case message.KindText:
		content.Text = c.Text
	case message.KindImage:
		content.Media, err = bindFile(ctx, u, p, channel, c.Media.ID)
	case message.KindLink:
		content.Link = &message.Link{Title: c.Link.Title, Description: c.Link.Description, URL: c.Link.URL, ThumbURL: c.Link.ThumbURL}
	case message.KindMiniProgramPage:
		content.Page = &message.Page{Title: c.Page.Title, Path: c.Page.Path}
		content.Page.Thumb, err = bindFile(ctx, u, p, channel, c.Page.Thumb.ID)
	default:
		err = fmt.Errorf("making content: kind %q got past the check", c.Kind)
	}
	return content, err
}

// types shows the customer that somebody types.
func (d *Desk) types(ctx context.Context, p *principal, in *conversationInput) (*nothing, error) {
	// Decided once, for whoever may act: the transaction may run again.
	first := sync.OnceValue(func() bool { return d.typing.first(in.ID) })
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		c, err := d.act(ctx, u, p, in.ID)
		if err != nil {
			return err
		}
		topic, err := d.outboundTopic(c.Channel)
		if err != nil {
			return err
		}
		out := message.Outbound{
			MessageID: uuid.Must(uuid.NewV7()), Channel: c.Channel, Customer: c.ExternalID, Conversation: c.ID,
			Content: message.Content{Kind: message.KindTyping}, NotAfter: u.Now.Add(typingFor),
		}
		key := message.CustomerKey(c.Channel, c.ExternalID)
		e, err := message.New(out.MessageID.String(), message.TypeOutbound, u.Source, c.Channel, key, u.Now, out)
		if err != nil {
			return err
		}
		if first() {
			u.Publish(ctx, topic, e)
		}
		return nil
	})
	return &nothing{}, err
}
