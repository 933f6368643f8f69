package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// maxContacts is on how many Channels a customer is shown to be known.
const maxContacts = 20

// ContactView is a customer on one Channel.
type ContactView struct {
	Channel  string    `json:"channel"`
	Customer string    `json:"customer"`
	Since    time.Time `json:"since"`
	LastSeen time.Time `json:"lastSeen"`
	// SubscribedAt is since when they follow the account; missing for who does not, and where there is nothing to follow.
	SubscribedAt *time.Time `json:"subscribedAt,omitempty"`
	// SubscribeScene is how they came to follow it, as the platform names it, such as ADD_SCENE_QR_CODE.
	SubscribeScene string `json:"subscribeScene,omitempty"`
}

// TimelineMessage is a message of any of a customer's conversations.
type TimelineMessage struct {
	store.Message
	Channel string `json:"channel"`
}

type timelineOutput struct {
	Body struct {
		Messages []TimelineMessage `json:"messages" nullable:"false"`
		// Truncated says that older messages are not shown.
		Truncated bool `json:"truncated,omitempty"`
	}
}

// contacts are where the customer is known.
func (d *Desk) contacts(ctx context.Context, customer uuid.UUID) ([]ContactView, error) {
	rows, err := d.Store.Queries().DeskContacts(ctx, customer, maxContacts)
	if err != nil {
		return nil, fmt.Errorf("reading where a customer is known: %w", err)
	}
	contacts := make([]ContactView, len(rows))
	for i, row := range rows {
		contacts[i] = ContactView{
			Channel: row.Channel, Customer: row.ExternalID, Since: row.FirstSeen, LastSeen: row.LastSeen,
			SubscribedAt: row.SubscribedAt, SubscribeScene: row.SubscribeScene,
		}
	}
	return contacts, nil
}

// timeline shows all that was said to and by the customer of a conversation, on whichever Channel, in those of their
// conversations that the agent may see.
func (d *Desk) timeline(ctx context.Context, p *principal, in *conversationInput) (*timelineOutput, error) {
	queries := d.Store.Queries()
	c, err := visible(p, func() (db.Conversation, error) { return queries.ConversationGet(ctx, in.ID) })
	if err != nil {
		return nil, err
	}
	rows, err := queries.DeskTimeline(ctx, db.DeskTimelineParams{
		CustomerID: c.CustomerID, AllGroups: p.supervises(), SkillGroups: p.groups, Agent: p.agent.Name, MaxRows: maxTranscript + 1,
	})
	if err != nil {
		return nil, fmt.Errorf("reading a customer's timeline: %w", err)
	}
	out := &timelineOutput{}
	if out.Body.Truncated = len(rows) > maxTranscript; out.Body.Truncated {
		rows = rows[len(rows)-maxTranscript:]
	}
	out.Body.Messages = make([]TimelineMessage, len(rows))
	for i, row := range rows {
		view := messageView(row.ConversationID, db.DeskMessageRow{
			ID: row.ID, Direction: row.Direction, Sender: row.Sender, Agent: row.Agent, Content: row.Content, SentAt: row.SentAt,
			DeliveryState: row.DeliveryState, DeliveryCode: row.DeliveryCode, DeliveryReason: row.DeliveryReason,
		}, d.Now())
		out.Body.Messages[i] = TimelineMessage{view, row.Channel}
	}
	return out, nil
}
