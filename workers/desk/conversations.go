package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// maxTranscript is how many messages of a conversation are shown, the newest.
	maxTranscript = 500
	// maxPreview is the most characters of a last message in a list.
	maxPreview = 80
)

// ListedConversation is a conversation in a list.
type ListedConversation struct {
	store.Conversation
	// LastMessage is missing while nothing was said.
	LastMessage *Preview `json:"lastMessage,omitempty"`
}

// Preview is the beginning of a message.
type Preview struct {
	Sender string    `json:"sender" enum:"customer,agent,bot,system"`
	Kind   string    `json:"kind"`
	Text   string    `json:"text,omitempty"`
	SentAt time.Time `json:"sentAt"`
}

// Window is how much may still be sent to the customer.
type Window struct {
	Verdict string `json:"verdict" enum:"Allowed,WindowClosed,QuotaSpent"`
	// Remaining counts what is on its way to the customer as sent.
	Remaining int32 `json:"remaining"`
	// Granted is how many the last message of the customer's granted, 0 without one.
	Granted int32 `json:"granted,omitempty"`
	// Until is missing when no window is open.
	Until *time.Time `json:"until,omitempty"`
}

type listInput struct {
	State string `query:"state" enum:"bot,awaiting_opening,queued,assigned,closed" doc:"Without it: all that are open."`
	Mine  bool   `query:"mine" doc:"Only those of the signed-in agent."`
	Limit int32  `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type listOutput struct {
	Body struct {
		Conversations []ListedConversation `json:"conversations" nullable:"false"`
	}
}

type conversationInput struct {
	ID uuid.UUID `path:"id"`
}

// ShownComplaint is the complaint of a conversation.
type ShownComplaint struct {
	store.Complaint

	// Lapsed says that it was closed without anybody asking the customer again: nothing can be done to it any more.
	Lapsed bool `json:"lapsed,omitempty"`
}

type conversationOutput struct {
	Body struct {
		Conversation store.Conversation `json:"conversation"`
		Messages     []store.Message    `json:"messages" nullable:"false"`
		// Truncated says that older messages are not shown.
		Truncated bool   `json:"truncated,omitempty"`
		Window    Window `json:"window"`
		// ChannelGone says that the Channel was deleted: nothing that is said here reaches the customer.
		ChannelGone bool `json:"channelGone,omitempty"`
		// Contacts are the Channels on which the customer is known.
		Contacts  []ContactView   `json:"contacts" nullable:"false"`
		Complaint *ShownComplaint `json:"complaint,omitempty"`
		// Rating is missing when the customer was not asked how they were served.
		Rating *store.Survey `json:"rating,omitempty"`
	}
}

type changedOutput struct{ Body store.Conversation }

// CannedReply is a text that agents send by a short code.
type CannedReply struct {
	Code  string `json:"code"`
	Title string `json:"title,omitempty"`
	Text  string `json:"text"`
}

type cannedOutput struct {
	Body struct {
		CannedReplies []CannedReply `json:"cannedReplies" nullable:"false"`
	}
}

func (d *Desk) conversationRoutes(api huma.API) {
	const path = "/api/conversations/{id}"
	handle(d, api, huma.Operation{
		OperationID: "conversations", Method: http.MethodGet, Path: "/api/conversations", Summary: "Conversations that the agent may see, the last touched first",
	}, d.list)
	handle(d, api, huma.Operation{OperationID: "conversation", Method: http.MethodGet, Path: path, Summary: "A conversation with its transcript", Errors: []int{404}}, d.show)
	handle(d, api, huma.Operation{
		OperationID: "timeline", Method: http.MethodGet, Path: path + "/timeline", Summary: "All that was said to and by the customer, on whichever Channel", Errors: []int{404},
	}, d.timeline)
	handle(d, api, huma.Operation{
		OperationID: "say", Method: http.MethodPost, Path: path + "/messages", Summary: "Say something to the customer, once for each key",
		DefaultStatus: http.StatusAccepted, Errors: []int{404, 409, 422},
	}, d.say)
	handle(d, api, huma.Operation{
		OperationID: "typing", Method: http.MethodPost, Path: path + "/typing", Summary: "Show the customer that somebody types; at most once in 3 s is passed on",
		DefaultStatus: http.StatusNoContent, Errors: []int{404, 409},
	}, d.types)
	handle(d, api, huma.Operation{
		OperationID: "close", Method: http.MethodPost, Path: path + "/close", Summary: "End a conversation", Errors: []int{404, 409},
	}, d.close)
	handle(d, api, huma.Operation{
		OperationID: "canned-replies", Method: http.MethodGet, Path: path + "/canned-replies", Summary: "The texts of the Channel's Playbook", Errors: []int{404},
	}, d.canned)
}

// noConversation is the answer for what is not there and for what the agent may not see.
func noConversation() error {
	return refusal(http.StatusNotFound, "NoSuchConversation", "there is no such conversation")
}

// visible returns a conversation that get finds, if the principal may see it.
func visible(p *principal, get func() (db.Conversation, error)) (db.Conversation, error) {
	c, err := get()
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !p.sees(c) {
		return c, noConversation()
	}
	if err != nil {
		return c, fmt.Errorf("reading a conversation: %w", err)
	}
	return c, nil
}

func (d *Desk) list(ctx context.Context, p *principal, in *listInput) (*listOutput, error) {
	rows, err := d.Store.Queries().DeskConversations(ctx, db.DeskConversationsParams{
		State: in.State, AllGroups: p.supervises(), SkillGroups: p.groups, Agent: p.agent.Name, Mine: in.Mine, MaxRows: in.Limit,
	})
	if err != nil {
		return nil, fmt.Errorf("listing conversations: %w", err)
	}
	out := &listOutput{}
	out.Body.Conversations = make([]ListedConversation, len(rows))
	for i, row := range rows {
		out.Body.Conversations[i] = ListedConversation{store.ConversationView(row.Conversation), preview(row)}
	}
	return out, nil
}

func preview(row db.DeskConversationsRow) *Preview {
	if row.LastSender == "" {
		return nil
	}
	var content message.Content
	if err := json.Unmarshal(row.LastContent, &content); err != nil {
		// Written by a later version: there is a message, and its kind is not known here.
		content = message.Content{Kind: message.KindUnsupported}
	}
	text := []rune(content.Text)
	return &Preview{Sender: row.LastSender, Kind: string(content.Kind), Text: string(text[:min(len(text), maxPreview)]), SentAt: row.LastSentAt}
}

func (d *Desk) show(ctx context.Context, p *principal, in *conversationInput) (*conversationOutput, error) {
	queries := d.Store.Queries()
	c, err := visible(p, func() (db.Conversation, error) { return queries.ConversationGet(ctx, in.ID) })
	if err != nil {
		return nil, err
	}
	rows, err := queries.DeskTranscript(ctx, c.ID, maxTranscript+1)
	if err != nil {
		return nil, fmt.Errorf("reading a transcript: %w", err)
	}
	out := &conversationOutput{}
	if out.Body.Truncated = len(rows) > maxTranscript; out.Body.Truncated {
		rows = rows[len(rows)-maxTranscript:]
	}
	out.Body.Conversation, out.Body.ChannelGone = store.ConversationView(c), d.Catalog.Snapshot().Lacks(c.Channel)
	out.Body.Messages = make([]store.Message, len(rows))
	for i, row := range rows {
		out.Body.Messages[i] = messageView(c.ID, db.DeskMessageRow(row), d.Now())
	}
	ledger, err := d.Store.Unspent(ctx, contactOf(c), d.Now())
	if err != nil {
		return nil, err
	}
	out.Body.Window = windowView(ledger, d.Now())
	if out.Body.Contacts, err = d.contacts(ctx, c.CustomerID); err != nil {
		return nil, err
	}
	if out.Body.Rating, err = d.ratingOf(ctx, c); err != nil {
		return nil, err
	}
	complaint, err := queries.DeskComplaintOfConversation(ctx, c.ID)
	switch {
	case err == nil:
		out.Body.Complaint = &ShownComplaint{store.ComplaintView(complaint.Complaint), complaint.Lapsed}
	case !errors.Is(err, pgx.ErrNoRows):
		return nil, fmt.Errorf("reading a complaint: %w", err)
	}
	return out, nil
}

func messageView(conversation uuid.UUID, row db.DeskMessageRow, now time.Time) store.Message {
	m := store.Message{
		ID: row.ID, Conversation: conversation, Direction: row.Direction, Sender: row.Sender, Agent: row.Agent,
		Content: formlink.Hidden(row.Content), SentAt: row.SentAt,
	}
	if row.Direction == "outbound" {
		m.Delivery = &store.DeliveryOutcome{
			Message: row.ID, Conversation: conversation, State: message.DeliveryState(row.DeliveryState), Code: row.DeliveryCode, Reason: row.DeliveryReason,
		}
		if row.DeliveryState == "" {
			m.Delivery.State = store.StateWithoutDelivery(row.SentAt, now)
		}
	}
	return m
}

func contactOf(c db.Conversation) store.Contact {
	return store.Contact{Channel: c.Channel, ExternalID: c.ExternalID}
}

func windowView(ledger quota.State, now time.Time) Window {
	remaining, until := quota.Left(ledger, now)
	w := Window{Verdict: quota.Check(ledger, now).String(), Remaining: remaining, Granted: ledger.Granted}
	if !until.IsZero() {
		w.Until = &until
	}
	return w
}

func (d *Desk) canned(ctx context.Context, p *principal, in *conversationInput) (*cannedOutput, error) {
	c, err := visible(p, func() (db.Conversation, error) { return d.Store.Queries().ConversationGet(ctx, in.ID) })
	if err != nil {
		return nil, err
	}
	out := &cannedOutput{}
	out.Body.CannedReplies = []CannedReply{}
	if channel, ok := d.Catalog.Snapshot().Channel(c.Channel); ok {
		for _, reply := range channel.CannedReplies {
			out.Body.CannedReplies = append(out.Body.CannedReplies, CannedReply(reply))
		}
	}
	return out, nil
}

// close ends a conversation; the slot that it frees is given away at once.
func (d *Desk) close(ctx context.Context, p *principal, in *conversationInput) (*changedOutput, error) {
	var freed []string
	out := &changedOutput{}
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		freed = freed[:0]
		c, err := d.act(ctx, u, p, in.ID)
		if err != nil {
			return err
		}
		agent := c.Agent
		if err := u.LeftWaiting(ctx, c, waits(d.Catalog.Snapshot(), c)); err != nil {
			return err
		}
		if err = d.askRating(ctx, u, c); err != nil {
			return err
		}
		if c, err = u.Close(ctx, c); err != nil {
			return err
		}
		freed = append(freed, c.SkillGroup)
		if agent != nil {
			freed = append(freed, d.Catalog.Snapshot().GroupsOf(*agent)...)
		}
		out.Body = store.ConversationView(c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	d.drain(ctx, freed...)
	return out, nil
}
