package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// Case is what desks see of a case of any kind.
type Case struct {
	ID           string           `json:"id" doc:"The workflow's id, which signals are sent to." example:"after-sales/lumi/lumi/0199c7a4-51d0-7d34-9a5c-0c6f6a8b1c11"`
	Kind         promise.CaseKind `json:"kind" enum:"afterSales,complaint,promise,offHours,callBack,order,shipping,emergency,review"`
	State        string           `json:"state" doc:"One of the kind's own." example:"review"`
	Title        string           `json:"title,omitempty" doc:"What it is about, without personal data." example:"退货"`
	Conversation *uuid.UUID       `json:"conversation,omitempty" doc:"Missing, as channel, customer and skillGroup, where it belongs to none."`
	Channel      string           `json:"channel,omitempty" example:"shop"`
	Customer     string           `json:"customer,omitempty" doc:"The customer's id on the Channel."`
	SkillGroup   string           `json:"skillGroup,omitempty" example:"after-sales"`
	Owner        string           `json:"owner,omitempty" doc:"The Agent who has to do the next step; missing while that is anybody of the group." example:"xiaomei"`
	OpenedAt     time.Time        `json:"openedAt"`
	Due          *time.Time       `json:"due,omitempty" doc:"Until when the next step must be done; missing while nothing is due."`
	BreachedAt   *time.Time       `json:"breachedAt,omitempty" doc:"When a deadline was missed first."`
	ClosedAt     *time.Time       `json:"closedAt,omitempty"`
	Revision     int32            `json:"revision" doc:"Grows by one with each change, from 1." example:"3"`
	Detail       json.RawMessage  `json:"detail,omitempty" doc:"What only the kind knows."`
}

// CaseView returns what desks see of a row.
func CaseView(c db.ServiceCase) Case {
	return Case{
		ID: c.ID, Kind: promise.CaseKind(c.Kind), State: c.State, Title: c.Title, Conversation: c.ConversationID,
		Channel: c.Channel, Customer: c.ExternalID, SkillGroup: c.SkillGroup, Owner: c.Owner, OpenedAt: c.OpenedAt, Due: c.DueAt,
		BreachedAt: c.BreachedAt, ClosedAt: c.ClosedAt, Revision: c.Revision, Detail: c.Detail,
	}
}

// CaseNews is the payload of FrameCase: a case, and what happened to it, by which a desk knows whom it calls.
type CaseNews struct {
	Case

	Action history.Action `json:"action,omitempty"`
	// Actor is whose action it is, as in Taking.
	Actor string `json:"actor,omitempty"`
}

// Taking is a step that changes a case.
type Taking struct {
	// Step names it once and for all: who takes it again finds it taken, and nothing changes.
	Step string
	// Action is what is done.
	Action history.Action
	// Actor is the Agent's name, "customer", "provider", or empty for the product itself.
	Actor string
	// Note is for those who read the case's history.
	Note string
	// Said is asked once the change is made, instead of Action and Note, where nobody knows before what comes of it.
	Said func() (history.Action, string)
	// Tell are agents who hear of it, beside the owner and the agent who has the conversation.
	Tell []string
	// Group are the agents of a SkillGroup: those of the case's hear of it where it has neither an owner nor an agent. Nil tells none.
	Group func(skillGroup string) []string
}

// OpenCase writes a new case and tells of it. Of one that exists it returns what it is now, and fresh is false.
func (u *Unit) OpenCase(ctx context.Context, c Case, t Taking) (now Case, fresh bool, err error) {
	if err := u.lockConversationOf(ctx, c.Conversation); err != nil {
		return Case{}, false, err
	}
	if len(c.Detail) == 0 {
		c.Detail = json.RawMessage("{}")
	}
	row, err := u.CaseOpen(ctx, db.CaseOpenParams{
		ID: c.ID, Kind: string(c.Kind), State: c.State, Title: c.Title, ConversationID: c.Conversation, Channel: c.Channel,
		ExternalID: c.Customer, SkillGroup: c.SkillGroup, Owner: c.Owner, OpenedAt: c.OpenedAt, DueAt: c.Due, ClosedAt: c.ClosedAt, Detail: c.Detail,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		row, err = u.CaseGet(ctx, c.ID)
		return CaseView(row), false, err
	}
	if err != nil {
		return Case{}, false, fmt.Errorf("opening a case: %w", err)
	}
	now = CaseView(row)
	return now, true, u.took(ctx, now, t)
}

// ChangeCase locks a case, with the conversation it belongs to, and runs change on it, which may set all but its identity.
// Where the step was taken before nothing is run, and fresh is false. A case that does not exist is pgx.ErrNoRows.
func (u *Unit) ChangeCase(ctx context.Context, id string, t Taking, change func(c *Case) error) (now Case, fresh bool, err error) {
	row, err := u.CaseGet(ctx, id)
	if err != nil {
		return Case{}, false, fmt.Errorf("reading a case: %w", err)
	}
	// The conversation first, as everywhere: two who lock in another order would wait for each other.
	if err := u.lockConversationOf(ctx, row.ConversationID); err != nil {
		return Case{}, false, err
	}
	if row, err = u.CaseForUpdate(ctx, id); err != nil {
		return Case{}, false, fmt.Errorf("locking a case: %w", err)
	}
	now = CaseView(row)
	taken, err := u.CaseStepTaken(ctx, id, t.Step)
	if err != nil {
		return now, false, fmt.Errorf("looking for a case's step: %w", err)
	}
	if taken {
		return now, false, nil
	}
	if err := change(&now); err != nil {
		return CaseView(row), false, err
	}
	now.Revision = row.Revision + 1
	err = u.CaseWrite(ctx, db.CaseWriteParams{
		ID: id, State: now.State, Owner: now.Owner, DueAt: now.Due, BreachedAt: now.BreachedAt, ClosedAt: now.ClosedAt,
		Detail: now.Detail, Revision: now.Revision,
	})
	if err != nil {
		return now, false, fmt.Errorf("writing a case: %w", err)
	}
	return now, true, u.took(ctx, now, t)
}

// took writes down the step that led to what the case is now, and tells of it.
func (u *Unit) took(ctx context.Context, c Case, t Taking) error {
	if t.Said != nil {
		t.Action, t.Note = t.Said()
	}
	err := u.CaseEventAdd(ctx, db.CaseEventAddParams{
		CaseID: c.ID, Revision: c.Revision, Step: t.Step, Action: string(t.Action), Actor: t.Actor, State: c.State, Owner: c.Owner, DueAt: c.Due,
		Note: t.Note, At: u.Now,
	})
	if err != nil {
		return fmt.Errorf("writing a case's history: %w", err)
	}
	agents := slices.Clone(t.Tell)
	if c.Owner != "" {
		agents = append(agents, c.Owner)
	}
	if c.Conversation != nil {
		conversation, err := u.ConversationGet(ctx, *c.Conversation)
		if err != nil {
			return fmt.Errorf("reading a case's conversation: %w", err)
		}
		if conversation.Agent != nil {
			agents = append(agents, *conversation.Agent)
		}
	}
	if t.Group != nil && len(agents) == len(t.Tell) {
		agents = append(agents, t.Group(c.SkillGroup)...)
	}
	slices.Sort(agents)
	news := CaseNews{c.Masked(), t.Action, t.Actor}
	for _, agent := range slices.Compact(agents) {
		u.Tell(ctx, agent, message.FrameCase, news)
	}
	return nil
}

// NoteCase writes down something that happened to a case and changes nothing of it, once: fresh is false for a step that was noted before.
// A case that does not exist is pgx.ErrNoRows.
func (u *Unit) NoteCase(ctx context.Context, id string, t Taking) (now Case, fresh bool, err error) {
	return u.ChangeCase(ctx, id, t, func(*Case) error { return nil })
}

// ConversationOf locks the conversation in which the customer of a case is told: that of the case, else the newest; false where there is
// none.
func (u *Unit) ConversationOf(ctx context.Context, c Case) (of db.Conversation, there bool, err error) {
	id := c.Conversation
	if id == nil {
		newest, err := u.ConversationNewest(ctx, c.Channel, c.Customer)
		if errors.Is(err, pgx.ErrNoRows) {
			return of, false, nil
		}
		if err != nil {
			return of, false, fmt.Errorf("looking for the customer's conversation: %w", err)
		}
		id = &newest
	}
	if of, err = u.ConversationForUpdate(ctx, *id); err != nil {
		return of, false, fmt.Errorf("locking the case's conversation: %w", err)
	}
	return of, true, nil
}

func (u *Unit) lockConversationOf(ctx context.Context, conversation *uuid.UUID) error {
	if conversation == nil {
		return nil
	}
	if _, err := u.ConversationForUpdate(ctx, *conversation); err != nil {
		return fmt.Errorf("locking a case's conversation: %w", err)
	}
	return nil
}
