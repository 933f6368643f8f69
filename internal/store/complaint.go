package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// Complaint is what desks see of a complaint; the payload of FrameComplaint.
type Complaint struct {
	// ID is the workflow's id, which signals are sent to.
	ID           string    `json:"id"`
	Conversation uuid.UUID `json:"conversation"`
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
	return Complaint{
		ID: c.ID, Conversation: c.ConversationID, Channel: c.Channel, Customer: c.ExternalID, SkillGroup: c.SkillGroup,
		State: c.State, Rung: c.Rung, EscalatedTo: c.EscalatedTo, OpenedAt: c.OpenedAt, AcknowledgedAt: c.AcknowledgedAt,
		EscalatedAt: c.EscalatedAt, ResolvedAt: c.ResolvedAt, ResolvedBy: c.ResolvedBy, Resolution: c.Resolution,
		FollowUpDue: c.FollowUpDue, FollowedUpAt: c.FollowedUpAt, FollowUpOverdue: c.FollowUpOverdue,
	}
}

// ChangeComplaint locks the complaint's conversation and runs change, which writes the complaint's row and returns it. When
// it returns pgx.ErrNoRows the change was made before, and nobody is told again. Otherwise news go to the agent who has
// the conversation and to the agents given, once each. changed is false, with the same lock held, when nothing was new.
func (u *Unit) ChangeComplaint(
	ctx context.Context, conversation uuid.UUID, tell []string, change func(ctx context.Context) (db.Complaint, error),
) (c db.Conversation, changed bool, err error) {
	c, err = u.ConversationForUpdate(ctx, conversation)
	if err != nil {
		return c, false, fmt.Errorf("locking the complaint's conversation: %w", err)
	}
	row, err := change(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("writing the complaint: %w", err)
	}
	agents := slices.Clone(tell)
	if c.Agent != nil {
		agents = append(agents, *c.Agent)
	}
	slices.Sort(agents)
	for _, agent := range slices.Compact(agents) {
		u.Tell(ctx, agent, message.FrameComplaint, ComplaintView(row))
	}
	return c, true, nil
}
