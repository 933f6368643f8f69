package complaint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/temporal"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/workers/workflows/callees"
)

// Directory knows a brand's people and channels.
type Directory interface {
	callees.Directory
	// OutboundTopic is where what is said on a Channel goes; false while the Channel is not known.
	OutboundTopic(channel string) (topic string, known bool)
}

// Activities are the steps of a complaint. Each is one transaction that does nothing when it was done before.
type Activities struct {
	Store     *store.Store
	Directory Directory
	// Events is the topic of frames, Source the CloudEvents source of what is sent.
	Events string
	Source string
	Now    func() time.Time
	// Logger and Metrics tell operators of calls that did not reach whom they were for.
	Logger  *slog.Logger
	Metrics *Metrics
}

// The arguments of the activities. Histories hold them: fields are added, never renamed. Tell are the roles to be told.
type (
	// Opening is the argument of RecordOpened.
	Opening struct {
		ID           string    `json:"id"`
		Conversation uuid.UUID `json:"conversation"`
		Channel      string    `json:"channel"`
		Customer     string    `json:"customer"`
		SkillGroup   string    `json:"skillGroup"`
		OpenedAt     time.Time `json:"openedAt"`
		// Due is when the first rung is climbed.
		Due  time.Time `json:"due,omitzero"`
		Tell []string  `json:"tell"`
	}
	// Acknowledgement is the argument of Acknowledge.
	Acknowledgement struct {
		ID           string    `json:"id"`
		Conversation uuid.UUID `json:"conversation"`
		Text         string    `json:"text"`
		Tell         []string  `json:"tell"`
	}
	// Escalation is the argument of Escalate.
	Escalation struct {
		ID           string    `json:"id"`
		Conversation uuid.UUID `json:"conversation"`
		// Rung counts from 1.
		Rung   int    `json:"rung"`
		Notify string `json:"notify"`
		// Outside says that the complaint came from outside, and began at the top.
		Outside bool `json:"outside,omitempty"`
		// Due is when the next rung is climbed; zero after the last.
		Due  time.Time `json:"due,omitzero"`
		Tell []string  `json:"tell"`
	}
	// Resolution is the argument of RecordResolved.
	Resolution struct {
		ID           string    `json:"id"`
		Conversation uuid.UUID `json:"conversation"`
		By           string    `json:"by"`
		Resolution   string    `json:"resolution"`
		ResolvedAt   time.Time `json:"resolvedAt"`
		FollowUpDue  time.Time `json:"followUpDue"`
		Tell         []string  `json:"tell"`
	}
	// FollowUp is the argument of Remind, MarkOverdue, RecordFollowedUp and Lapse. By is who asked the customer, of Remind who is to.
	FollowUp struct {
		ID           string    `json:"id"`
		Conversation uuid.UUID `json:"conversation"`
		By           string    `json:"by,omitempty"`
		Tell         []string  `json:"tell"`
	}
	// Asked is the answer of MarkOverdue and Lapse. Histories of releases before have none: nobody.
	Asked struct {
		// By is who had asked the customer again when the activity ran, which then did nothing; empty for nobody.
		By string `json:"by,omitempty"`
	}
)

// table is every activity by its name.
func (a *Activities) table() map[string]any {
	return map[string]any{
		activityRecordOpened:     a.RecordOpened,
		activityAcknowledge:      a.Acknowledge,
		activityEscalate:         a.Escalate,
		activityRecordResolved:   a.RecordResolved,
		activityRemind:           a.Remind,
		activityMarkOverdue:      a.MarkOverdue,
		activityRecordFollowedUp: a.RecordFollowedUp,
		activityLapse:            a.Lapse,
	}
}

// RecordOpened makes the complaint known to desks, where whoever heard of it has not: releases before this one left it to the process.
func (a *Activities) RecordOpened(ctx context.Context, o Opening) error {
	step := a.step("open", history.Open, o.Tell)
	step.Due = orNever(o.Due)
	return a.change(ctx, o.Conversation, step, func(ctx context.Context, u *store.Unit) (db.Complaint, error) {
		return u.ComplaintOpen(ctx, db.ComplaintOpenParams{
			ID: o.ID, ConversationID: o.Conversation, Channel: o.Channel, ExternalID: o.Customer, SkillGroup: o.SkillGroup,
			OpenedAt: o.OpenedAt,
		})
	})
}

// Acknowledge tells the customer, once, that the complaint was heard.
func (a *Activities) Acknowledge(ctx context.Context, ack Acknowledgement) error {
	return a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		step := a.step("acknowledge", history.Told, ack.Tell)
		step.Note = ack.Text
		c, fresh, err := u.ChangeComplaint(ctx, ack.Conversation, step, func(ctx context.Context) (db.Complaint, error) {
			return u.ComplaintAcknowledge(ctx, u.Now, ack.ID)
		})
		if err != nil || !fresh {
			return err
		}
		topic, known := a.Directory.OutboundTopic(c.Channel)
		if !known {
			return fmt.Errorf("acknowledging a complaint: the Channel %s is not known", c.Channel)
		}
		_, _, err = u.Say(ctx, c, store.Words{
			Key: promise.AcknowledgementKey(ack.ID), Topic: topic, Sender: store.SenderBot,
			Content: message.Content{Kind: message.KindText, Text: ack.Text},
		})
		return err
	})
}

// Escalate calls a role. Where nobody has it, somebody else is called: a complaint that climbs in silence is lost.
func (a *Activities) Escalate(ctx context.Context, e Escalation) error {
	var called callees.Callees
	var changed bool
	err := a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		group, err := groupOf(ctx, u, e.ID, e.Conversation)
		if err != nil {
			return err
		}
		called = callees.Of(a.Directory, e.Notify, group)
		step := a.step("escalate/"+strconv.Itoa(e.Rung), history.Escalate, e.Tell)
		step.Note = called.Words(e.Rung, e.Notify)
		step.Tell = append(step.Tell, called.Agents...)
		step.Due = orNever(e.Due)
		// What comes from outside begins at the top: nobody has let it wait before the admins are called again.
		step.Late = e.Rung > 1 || !e.Outside
		_, changed, err = u.ChangeComplaint(ctx, e.Conversation, step, func(ctx context.Context) (db.Complaint, error) {
			return u.ComplaintEscalate(ctx, int32(e.Rung), e.Notify, u.Now, e.ID) //nolint:gosec // A ladder has at most six rungs.
		})
		return err
	})
	if err != nil || !changed {
		return err
	}
	a.Metrics.escalations.WithLabelValues(called.Who).Inc()
	if called.Who != callees.Role {
		a.Logger.Warn("Nobody has the role that a complaint was escalated to", "role", e.Notify, "reached", called.Who, "complaint", e.ID)
	}
	return nil
}

// groupOf is the group that a complaint belongs to: its conversation's, which may have moved.
func groupOf(ctx context.Context, u *store.Unit, id string, conversation uuid.UUID) (string, error) {
	if conversation == uuid.Nil {
		row, err := u.ComplaintGet(ctx, id)
		if err != nil {
			return "", fmt.Errorf("reading a complaint: %w", err)
		}
		return row.SkillGroup, nil
	}
	c, err := u.ConversationGet(ctx, conversation)
	if err != nil {
		return "", fmt.Errorf("reading the complaint's conversation: %w", err)
	}
	return c.SkillGroup, nil
}

// RecordResolved records how the complaint was settled, and until when the customer is asked again.
func (a *Activities) RecordResolved(ctx context.Context, r Resolution) error {
	// Who resolved it, and how, the desk has written down.
	step := a.step("resolve", history.Due, r.Tell)
	step.Due = &r.FollowUpDue
	return a.change(ctx, r.Conversation, step, func(ctx context.Context, u *store.Unit) (db.Complaint, error) {
		return u.ComplaintResolve(ctx, db.ComplaintResolveParams{
			ID: r.ID, ResolvedAt: r.ResolvedAt, ResolvedBy: r.By, Resolution: r.Resolution, FollowUpDue: r.FollowUpDue,
		})
	})
}

// Remind says, to who resolved the complaint and to the group, that the customer is to be asked again soon. Where somebody has asked them, it
// does nothing.
func (a *Activities) Remind(ctx context.Context, f FollowUp) error {
	_, err := a.unlessAsked(ctx, f, func(ctx context.Context, u *store.Unit) error {
		group, err := groupOf(ctx, u, f.ID, f.Conversation)
		if err != nil {
			return err
		}
		taking := store.Taking{Step: "remind", Action: history.Remind, Note: "回访" + history.Reminding, Tell: a.Directory.GroupAgents(group)}
		if f.By != "" {
			taking.Tell = append(taking.Tell, f.By)
		}
		_, _, err = u.NoteCase(ctx, f.ID, taking)
		return err
	})
	return err
}

// MarkOverdue says that the customer was not asked again in time: to the supervisors, and where there are none to somebody else, for nothing
// else calls anybody before the complaint lapses. Where somebody has asked the customer, and the signal that says so is on its way, it does
// nothing.
func (a *Activities) MarkOverdue(ctx context.Context, f FollowUp) (Asked, error) {
	return a.unlessAsked(ctx, f, func(ctx context.Context, u *store.Unit) error {
		group, err := groupOf(ctx, u, f.ID, f.Conversation)
		if err != nil {
			return err
		}
		step := a.step("overdue", history.Breach, f.Tell)
		step.Tell = append(step.Tell, callees.Of(a.Directory, promise.RoleSupervisor, group).Agents...)
		step.Note, step.Late = "回访"+history.Late, true
		_, _, err = u.ChangeComplaint(ctx, f.Conversation, step, func(ctx context.Context) (db.Complaint, error) {
			return u.ComplaintFollowUpOverdue(ctx, f.ID)
		})
		return err
	})
}

// RecordFollowedUp says that the customer was asked again.
func (a *Activities) RecordFollowedUp(ctx context.Context, f FollowUp) error {
	step := a.step("follow-up", history.FollowUp, f.Tell)
	step.Actor = f.By
	return a.change(ctx, f.Conversation, step, func(ctx context.Context, u *store.Unit) (db.Complaint, error) {
		return u.ComplaintFollowUp(ctx, u.Now, f.ID)
	})
}

// Lapse closes the case of a complaint whose customer nobody has asked again for so long that nobody waits for it any more.
func (a *Activities) Lapse(ctx context.Context, f FollowUp) (Asked, error) {
	return a.unlessAsked(ctx, f, func(ctx context.Context, u *store.Unit) error {
		taking := store.Taking{Step: "lapse", Action: history.Lapse, Note: "无人回访客户", Tell: a.agents(f.Tell)}
		_, _, err := u.ChangeCase(ctx, f.ID, taking, func(c *store.Case) error {
			detail, err := store.ComplaintDetailOf(*c)
			if err != nil {
				return err
			}
			for i := range detail.Compensations { // Nobody can decide on it any more.
				if offer := &detail.Compensations[i]; offer.State == promise.CompensationWaiting {
					offer.State = promise.CompensationRefused
				}
			}
			c.ClosedAt, c.Due = &u.Now, nil
			return c.SetDetail(detail)
		})
		return err
	})
}

// unlessAsked runs one transaction where nobody has written down that the customer was asked again: a timer that ran out while Temporal was
// away comes before the signal, and what was done in time is not late.
func (a *Activities) unlessAsked(ctx context.Context, f FollowUp, do func(ctx context.Context, u *store.Unit) error) (asked Asked, err error) {
	err = a.do(ctx, func(ctx context.Context, u *store.Unit) (err error) {
		if asked.By, err = u.AskedAgain(ctx, f.ID, f.Conversation); err != nil || asked.By != "" {
			return err
		}
		return do(ctx, u)
	})
	return asked, err
}

// step is a change of the complaint of which the agents of some roles hear.
func (a *Activities) step(name string, action history.Action, tell []string) store.ComplaintStep {
	return store.ComplaintStep{Taking: store.Taking{Step: name, Action: action, Tell: a.agents(tell)}}
}

// orNever is nil for no time.
func orNever(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// change writes the complaint's row and tells who is concerned, once.
func (a *Activities) change(
	ctx context.Context, conversation uuid.UUID, step store.ComplaintStep, write func(context.Context, *store.Unit) (db.Complaint, error),
) error {
	return a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeComplaint(ctx, conversation, step, func(ctx context.Context) (db.Complaint, error) {
			return write(ctx, u)
		})
		return err
	})
}

// do runs one transaction.
func (a *Activities) do(ctx context.Context, f func(ctx context.Context, u *store.Unit) error) error {
	err := a.Store.Do(ctx, store.Scope{Events: a.Events, Source: a.Source, Now: a.Now()}, f)
	if errors.Is(err, pgx.ErrNoRows) {
		return temporal.NewNonRetryableApplicationError("the complaint or its conversation is gone", errorGone, err)
	}
	return err
}

// agents are the names of all who have one of the roles.
func (a *Activities) agents(roles []string) []string {
	var names []string
	for _, role := range roles {
		names = append(names, a.Directory.Agents(role)...)
	}
	return names
}
