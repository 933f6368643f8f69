package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/temporal"

	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	rules "github.com/yingda-dev/yingda/internal/domain/task"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/workers/workflows/callees"
	"github.com/yingda-dev/yingda/workers/workflows/deadline"
)

// Directory knows a brand's people, hours and channels.
type Directory interface {
	callees.Directory
	// Supervisors are who is told of a customer of a group whom nobody serves.
	Supervisors(group string) []string
	// Opening is when a group opens for who wrote to it since then; false when it does not within a year.
	Opening(group string, since, now time.Time) (at time.Time, known bool)
	// OutboundTopic is where what is said on a Channel goes; false while the Channel is not known.
	OutboundTopic(channel string) (topic string, known bool)
}

// Activities are the steps of a task. Each is one transaction that does nothing when it was done before, or once the case is closed.
type Activities struct {
	Store     *store.Store
	Directory Directory
	// Events is the topic of frames, Source the CloudEvents source of what is sent.
	Events string
	Source string
	Now    func() time.Time
	// Logger and Metrics tell operators of what is late.
	Logger  *slog.Logger
	Metrics *Metrics
}

// The arguments and results of the activities. Histories hold them: fields are added, never renamed.
type (
	// Planning is the argument of Plan.
	Planning struct {
		ID         string    `json:"id"`
		SkillGroup string    `json:"skillGroup"`
		Since      time.Time `json:"since"`
		// Now is the workflow's.
		Now                 time.Time `json:"now"`
		AfterOpeningSeconds int64     `json:"afterOpeningSeconds"`
	}
	// Opening is the result of Plan.
	Opening struct {
		At    time.Time `json:"at,omitzero"`
		Known bool      `json:"known"`
	}
	// Taking is the argument of Remind, MarkLate and Call.
	Taking struct {
		ID string `json:"id"`
		// Deadline tells one from the next: it is the id of the postponement, empty for the first.
		Deadline string `json:"deadline,omitempty"`
		// Due is until when it was owed by that deadline; histories of releases before have none.
		Due        time.Time     `json:"due,omitzero"`
		Step       deadline.Step `json:"step"`
		SkillGroup string        `json:"skillGroup"`
		Owner      string        `json:"owner,omitempty"`
		LateText   string        `json:"lateText,omitempty"`
	}
	// Closing is the argument of Close.
	Closing struct {
		ID    string            `json:"id"`
		By    string            `json:"by,omitempty"`
		State promise.TaskState `json:"state"`
	}
)

// table is every activity by its name.
func (a *Activities) table() map[string]any {
	return map[string]any{
		activityPlan: a.Plan, activityRemind: a.Remind, activityMarkLate: a.MarkLate, activityCall: a.Call, activityClose: a.Close,
	}
}

// errNothing says that there is nothing to change: the transaction is given up.
var errNothing = errors.New("nothing to change")

// Plan says when the group opens, and writes until when the case is due from that.
func (a *Activities) Plan(ctx context.Context, p Planning) (Opening, error) {
	group, err := a.groupOf(ctx, p.ID, p.SkillGroup)
	if err != nil {
		return Opening{}, err
	}
	since := p.Since
	if group != p.SkillGroup {
		// It may have opened before it had the conversation.
		since = p.Now
	}
	at, known := a.Directory.Opening(group, since, p.Now)
	if !known {
		return Opening{}, nil
	}
	due := at.Add(time.Duration(p.AfterOpeningSeconds) * time.Second).UTC()
	_, err = a.change(ctx, p.ID, store.Taking{Step: "plan/" + p.Now.UTC().Format(time.RFC3339Nano), Action: history.Due}, func(c *store.Case) error {
		if c.Due != nil && c.Due.Equal(due) {
			return errNothing
		}
		c.Due = &due
		return nil
	})
	return Opening{At: at, Known: true}, err
}

// Remind tells who owes it; where that is nobody in particular, the group.
func (a *Activities) Remind(ctx context.Context, t Taking) error {
	taking := store.Taking{Step: t.step(), Action: history.Remind, Note: history.Reminding}
	if t.Owner == "" {
		group, err := a.groupOf(ctx, t.ID, t.SkillGroup)
		if err != nil {
			return err
		}
		taking.Tell = a.Directory.GroupAgents(group)
	}
	_, err := a.change(ctx, t.ID, taking, t.postponed)
	return err
}

// MarkLate marks the breach, and tells the supervisors; and the customer, where that was asked for.
func (a *Activities) MarkLate(ctx context.Context, t Taking) error {
	group, err := a.groupOf(ctx, t.ID, t.SkillGroup)
	if err != nil {
		return err
	}
	taking := store.Taking{Step: t.step(), Action: history.Breach, Tell: a.Directory.Supervisors(group)}
	var marked store.Case
	var fresh bool
	err = a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		apologise, note, err := a.apology(ctx, u, t)
		if err != nil {
			return err
		}
		taking.Note = history.Late + note
		marked, fresh, err = u.ChangeCase(ctx, t.ID, taking, func(c *store.Case) error {
			if c.ClosedAt != nil {
				return errNothing
			}
			if err := t.postponed(c); err != nil {
				return err
			}
			if c.BreachedAt == nil {
				c.BreachedAt = &u.Now
			}
			return nil
		})
		if err != nil || !fresh {
			return err
		}
		return apologise(ctx)
	})
	if fresh && err == nil && marked.ClosedAt == nil {
		a.Metrics.late.WithLabelValues(string(marked.Kind)).Inc()
	}
	return err
}

// apology is how the customer is told, and what the case's history says of it.
func (a *Activities) apology(ctx context.Context, u *store.Unit, t Taking) (say func(context.Context) error, note string, err error) {
	nothing := func(context.Context) error { return nil }
	if t.LateText == "" {
		return nothing, "", nil
	}
	now, err := u.CaseGet(ctx, t.ID)
	if err != nil {
		return nothing, "", err
	}
	c, there, err := u.ConversationOf(ctx, store.CaseView(now))
	if err != nil {
		return nothing, "", err
	}
	if !there {
		return nothing, "，无法告知客户：没有可以发送的会话", nil
	}
	ledger, err := u.Unspent(ctx, store.Contact{Channel: c.Channel, ExternalID: c.ExternalID})
	if err != nil {
		return nothing, "", err
	}
	topic, known := a.Directory.OutboundTopic(c.Channel)
	if !known || quota.Spare(ledger, u.Now) == 0 {
		return nothing, "，无法告知客户：平台现在不能再发送，剩下的消息留给客服", nil
	}
	return func(ctx context.Context) error {
		_, _, err := u.Say(ctx, c, store.Words{
			Key: t.ID + "/" + t.step(), Topic: topic, Sender: store.SenderBot,
			Content: message.Content{Kind: message.KindText, Text: t.LateText, About: &message.About{Case: t.ID, Step: "apology"}},
		})
		return err
	}, "，已告知客户", nil
}

// Call calls a role. Where nobody has it, somebody else is called.
func (a *Activities) Call(ctx context.Context, t Taking) error {
	group, err := a.groupOf(ctx, t.ID, t.SkillGroup)
	if err != nil {
		return err
	}
	called := callees.Of(a.Directory, t.Step.Notify, group)
	fresh, err := a.change(ctx, t.ID, store.Taking{
		Step: t.step(), Action: history.Escalate, Note: called.Words(t.Step.Rung, t.Step.Notify), Tell: called.Agents,
	}, t.postponed)
	if !fresh || err != nil {
		return err
	}
	a.Metrics.calls.WithLabelValues(called.Who).Inc()
	if called.Who != callees.Role {
		a.Logger.Warn("Nobody has the role that is called for what is late", "role", t.Step.Notify, "reached", called.Who, "case", t.ID)
	}
	return nil
}

// groupOf is the group that has to do it: of what is owed after the opening that of the conversation, which may have moved since; of all else
// the one in which it began.
func (a *Activities) groupOf(ctx context.Context, id, began string) (string, error) {
	group, err := a.Store.Queries().OffHoursGroup(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return began, nil
	}
	if err != nil {
		return "", fmt.Errorf("reading which group has to do it: %w", err)
	}
	return group, nil
}

// Close writes how the task ended, where the desk has not written it yet.
func (a *Activities) Close(ctx context.Context, c Closing) error {
	return a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		closed, fresh, err := u.ChangeCase(ctx, c.ID, store.Taking{Step: "end", Action: ending(c.State), Actor: c.By}, func(now *store.Case) error {
			if now.ClosedAt != nil {
				return errNothing
			}
			now.State, now.ClosedAt, now.Due = string(c.State), &u.Now, nil
			return nil
		})
		if err != nil || !fresh {
			return err
		}
		return u.SettledOffHours(ctx, closed)
	})
}

// ending is what somebody did, or did not do, whose task ends so.
func ending(s promise.TaskState) history.Action {
	switch s {
	case promise.TaskDone:
		return history.Action(rules.Done)
	case promise.TaskLapsed:
		return history.Lapse
	default:
		return history.Action(rules.Cancel)
	}
}

// step names a step of a deadline once and for all.
func (t Taking) step() string {
	name := string(t.Step.Kind)
	if t.Step.Rung > 0 {
		name += "/" + strconv.Itoa(t.Step.Rung)
	}
	if t.Deadline != "" {
		name += "/" + t.Deadline
	}
	return name
}

// postponed is errNothing where the case is owed later than the step's deadline says: whoever postpones it writes the row at once, and the
// process hears of it only when Temporal is there again, where a timer that ran out meanwhile comes first.
func (t Taking) postponed(c *store.Case) error {
	if !t.Due.IsZero() && c.Due != nil && c.Due.After(t.Due) {
		return errNothing
	}
	return nil
}

// change writes the row of a case that is open and tells who is concerned, once.
func (a *Activities) change(ctx context.Context, id string, taking store.Taking, change func(c *store.Case) error) (fresh bool, err error) {
	err = a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		_, fresh, err = u.ChangeCase(ctx, id, taking, func(c *store.Case) error {
			if c.ClosedAt != nil {
				return errNothing
			}
			return change(c)
		})
		return err
	})
	return fresh, err
}

// do runs one transaction.
func (a *Activities) do(ctx context.Context, f func(ctx context.Context, u *store.Unit) error) error {
	err := a.Store.Do(ctx, store.Scope{Events: a.Events, Source: a.Source, Now: a.Now().UTC()}, f)
	switch {
	case errors.Is(err, errNothing):
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return temporal.NewNonRetryableApplicationError("the case is gone", errorGone, err)
	default:
		return err
	}
}
