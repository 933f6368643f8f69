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

const (
	titleComplaint = "投诉"
	titleExternal  = "外部投诉"
)

// Complaint is what desks see of a complaint; the payload of FrameComplaint.
type Complaint struct {
	// ID is the workflow's id, which signals are sent to.
	ID           string    `json:"id"`
	Conversation uuid.UUID `json:"conversation,omitzero"`
	Channel      string    `json:"channel"`
	Customer     string    `json:"customer"`
	SkillGroup   string    `json:"skillGroup"`
	// State is open, escalated, resolved or followed_up.
	State           string     `json:"state"`
	Rung            int32      `json:"rung"`
	EscalatedTo     string     `json:"escalatedTo,omitempty"`
	OpenedAt        time.Time  `json:"openedAt"`
	AcknowledgedAt  *time.Time `json:"acknowledgedAt,omitempty"`
	EscalatedAt     *time.Time `json:"escalatedAt,omitempty"`
	ResolvedAt      *time.Time `json:"resolvedAt,omitempty"`
	ResolvedBy      string     `json:"resolvedBy,omitempty"`
	Resolution      string     `json:"resolution,omitempty"`
	FollowUpDue     *time.Time `json:"followUpDue,omitempty"`
	FollowedUpAt    *time.Time `json:"followedUpAt,omitempty"`
	FollowUpOverdue bool       `json:"followUpOverdue,omitempty"`
}

// ComplaintView returns what desks see of a row.
func ComplaintView(c db.Complaint) Complaint {
	view := Complaint{
		ID: c.ID, Channel: c.Channel, Customer: c.ExternalID, SkillGroup: c.SkillGroup,
		State: c.State, Rung: c.Rung, EscalatedTo: c.EscalatedTo, OpenedAt: c.OpenedAt, AcknowledgedAt: c.AcknowledgedAt,
		EscalatedAt: c.EscalatedAt, ResolvedAt: c.ResolvedAt, ResolvedBy: c.ResolvedBy, Resolution: c.Resolution,
		FollowUpDue: c.FollowUpDue, FollowedUpAt: c.FollowedUpAt, FollowUpOverdue: c.FollowUpOverdue,
	}
	if c.ConversationID != nil {
		view.Conversation = *c.ConversationID
	}
	return view
}

// ComplaintStep is a change of a complaint, and what its case says of it.
type ComplaintStep struct {
	Taking

	// Due is until when the next step must be done; nil leaves what the case says.
	Due *time.Time
	// Late says that a deadline was missed with it.
	Late bool
}

// OpenComplaint writes a complaint's row and its case, tells who is told of the step, and starts the process that keeps it: what counts complaints
// and who looks for them find it while there is nothing that could run the process. Of one that exists it returns what its case is now, and
// fresh is false.
func (u *Unit) OpenComplaint(ctx context.Context, in promise.ComplaintInput, detail promise.ComplaintDetail, t Taking) (now Case, fresh bool, err error) {
	c := Case{
		ID: in.ID, Kind: promise.CaseComplaint, State: string(promise.ComplaintOpen), Title: titleComplaint, Channel: in.Channel, Customer: in.Customer,
		SkillGroup: in.SkillGroup, OpenedAt: in.StartedAt,
	}
	if in.Source != "" {
		c.Title = titleExternal
	}
	if in.Conversation != uuid.Nil {
		c.Conversation = &in.Conversation
	}
	if len(in.Ladder) > 0 {
		due := in.StartedAt.Add(time.Duration(in.Ladder[0].AfterSeconds) * time.Second)
		c.Due = &due
	}
	if err := c.SetDetail(detail); err != nil {
		return c, false, err
	}
	if now, fresh, err = u.OpenCase(ctx, c, t); err != nil || !fresh {
		return now, false, err
	}
	_, _, err = u.ChangeComplaint(ctx, in.Conversation, ComplaintStep{Taking: t}, func(ctx context.Context) (db.Complaint, error) {
		return u.ComplaintOpen(ctx, db.ComplaintOpenParams{
			ID: in.ID, ConversationID: in.Conversation, Channel: in.Channel, ExternalID: in.Customer, SkillGroup: in.SkillGroup, OpenedAt: in.StartedAt,
		})
	})
	if err != nil {
		return now, false, err
	}
	if err := u.StartWorkflow(ctx, in.ID, promise.ComplaintWorkflow, in); err != nil {
		return now, false, fmt.Errorf("starting the complaint: %w", err)
	}
	return now, true, nil
}

// ChangeComplaint locks the complaint's conversation, if it has one, and runs change, which writes the complaint's row and returns
// it; the complaint's case follows. When it returns pgx.ErrNoRows the change was made before, and nobody is told again. Otherwise
// news go to the agent who has the conversation and to the agents given, once each. changed is false, with the same lock held,
// when nothing was new.
func (u *Unit) ChangeComplaint(
	ctx context.Context, conversation uuid.UUID, step ComplaintStep, change func(ctx context.Context) (db.Complaint, error),
) (c db.Conversation, changed bool, err error) {
	if conversation != uuid.Nil {
		if c, err = u.ConversationForUpdate(ctx, conversation); err != nil {
			return c, false, fmt.Errorf("locking the complaint's conversation: %w", err)
		}
	}
	row, err := change(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("writing the complaint: %w", err)
	}
	agents := slices.Clone(step.Tell)
	if c.Agent != nil {
		agents = append(agents, *c.Agent)
	}
	slices.Sort(agents)
	for _, agent := range slices.Compact(agents) {
		u.Tell(ctx, agent, message.FrameComplaint, ComplaintView(row))
	}
	return c, true, u.mirrorComplaint(ctx, row, step)
}

// StepAskedAgain is the step with which a desk writes down that the customer was asked again. The complaint's row follows with its process,
// which may be away.
const StepAskedAgain = "asked-again"

// AskedAgain locks a complaint's case, after its conversation if it has one, and returns who has written down that the customer was asked
// again; nobody is empty.
func (u *Unit) AskedAgain(ctx context.Context, id string, conversation uuid.UUID) (by string, err error) {
	if conversation != uuid.Nil {
		if err := u.lockConversationOf(ctx, &conversation); err != nil {
			return "", err
		}
	}
	_, err = u.CaseForUpdate(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil // It is older than cases.
	}
	if err != nil {
		return "", fmt.Errorf("locking a complaint's case: %w", err)
	}
	use, err := u.CaseStepUse(ctx, id, StepAskedAgain)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("looking whether a customer was asked again: %w", err)
	}
	return use.Actor, nil
}

// mirrorComplaint makes the complaint's case say what its row says. A complaint that is older than cases gets one with its next step.
func (u *Unit) mirrorComplaint(ctx context.Context, row db.Complaint, step ComplaintStep) error {
	_, opened, err := u.OpenCase(ctx, Case{
		ID: row.ID, Kind: promise.CaseComplaint, State: row.State, Title: titleComplaint, Conversation: row.ConversationID, Channel: row.Channel,
		Customer: row.ExternalID, SkillGroup: row.SkillGroup, OpenedAt: row.OpenedAt, Due: step.Due,
	}, Taking{Step: "open", Action: history.Open, Tell: step.Tell})
	if err != nil || opened && row.State == string(promise.ComplaintOpen) {
		return err
	}
	_, _, err = u.ChangeCase(ctx, row.ID, step.Taking, func(c *Case) error {
		detail, err := ComplaintDetailOf(*c)
		if err != nil {
			return err
		}
		c.State, detail.Rung, detail.EscalatedTo, detail.Resolution = row.State, row.Rung, row.EscalatedTo, row.Resolution
		if step.Due != nil {
			c.Due = step.Due
		}
		if step.Late && c.BreachedAt == nil {
			c.BreachedAt = &u.Now
		}
		switch promise.ComplaintState(row.State) {
		case promise.ComplaintResolved:
			if row.FollowUpDue == nil { // Its process says until when, a moment later.
				c.Due = nil
			}
		case promise.ComplaintFollowedUp:
			c.ClosedAt, c.Due = &u.Now, nil
		case promise.ComplaintOpen, promise.ComplaintEscalated:
		}
		return c.SetDetail(detail)
	})
	return err
}

// ComplaintDetailOf is what the case of a complaint knows.
func ComplaintDetailOf(c Case) (detail promise.ComplaintDetail, err error) {
	if err := json.Unmarshal(c.Detail, &detail); err != nil {
		return detail, fmt.Errorf("decoding a complaint: %w", err)
	}
	return detail, nil
}

// SetDetail changes what only the kind knows.
func (c *Case) SetDetail(detail any) (err error) {
	if c.Detail, err = json.Marshal(detail); err != nil {
		return fmt.Errorf("encoding a case's detail: %w", err)
	}
	return nil
}
