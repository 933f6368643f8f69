package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/schedule"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/domain/task"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	titlePromise     = "承诺"
	titlePhoneSurvey = "电话回访"
	// maxOwed is how much may be owed to the customer of a conversation at a time, of one kind.
	maxOwed = 20
)

type promiseInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Key    uuid.UUID   `json:"key" doc:"Made by the client for this promise; sending it again with the same key promises once."`
		What   string      `json:"what" minLength:"1" maxLength:"500" example:"查物流并回复" doc:"What the agent promised the customer."`
		Preset task.Preset `json:"preset,omitempty" enum:"WithinHour,Today,Within24Hours,TomorrowNoon" doc:"Until when; set this or due. Today is before the group closes today."`
		Due    *time.Time  `json:"due,omitempty" doc:"Until when, within 30 days; set this or preset."`
	}
}

type callBackInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Key  uuid.UUID  `json:"key" doc:"Made by the client for this call; sending it again with the same key orders one."`
		What string     `json:"what" minLength:"1" maxLength:"500" example:"问对换货是否满意" doc:"What the customer is to be asked on the phone."`
		Due  *time.Time `json:"due,omitempty" doc:"Until when, within 30 days; without it as the ServiceLevel says."`
	}
}

// TaskAct is what an agent does with what is owed to a customer.
type TaskAct struct {
	// ID tells one act from another: one that comes twice has effect once.
	ID     uuid.UUID   `json:"id" doc:"Made by the client for this act; sending it again acts once."`
	Action task.Action `json:"action" enum:"done,postpone,reassign,cancel"`
	Note   string      `json:"note,omitempty" maxLength:"1000" doc:"Wanted by postpone and cancel, and by a call-back that is done."`
	// ReasonCode of a call-back for a bad rating.
	ReasonCode task.ReasonCode `json:"reasonCode,omitempty" enum:"Attitude,Unsolved,SlowReply,Product,Logistics,Price,Other" doc:"Why the customer was not content; wanted by a call-back for a bad rating that is done."`
	Preset     task.Preset     `json:"preset,omitempty" enum:"WithinHour,Today,Within24Hours,TomorrowNoon" doc:"Until when it is postponed; set this or due."`
	Due        *time.Time      `json:"due,omitempty" doc:"Until when it is postponed, within 30 days; set this or preset."`
	Owner      string          `json:"owner,omitempty" maxLength:"63" doc:"The Agent who gets it."`
}

type taskActInput struct {
	ID   string `path:"id" doc:"The case's id, with its slashes escaped." example:"task/lumi/lumi/promise/019a0000-0000-7000-8000-000000000000"`
	Body TaskAct
}

type taskOutput struct{ Body store.Case }

func (d *Desk) taskRoutes(api huma.API) {
	handle(d, api, huma.Operation{
		OperationID: "promise", Method: http.MethodPost, Path: "/api/conversations/{id}/promises", Summary: "Write down what was promised to the customer, and until when",
		DefaultStatus: http.StatusCreated, Errors: []int{404, 409, 422},
	}, d.promise)
	handle(d, api, huma.Operation{
		OperationID: "call-back", Method: http.MethodPost, Path: "/api/conversations/{id}/call-backs", Summary: "Have the customer asked by phone; for supervisors",
		DefaultStatus: http.StatusCreated, Errors: []int{403, 404, 409, 422},
	}, d.orderCall)
	handle(d, api, huma.Operation{
		OperationID: "act-on-task", Method: http.MethodPost, Path: "/api/tasks/{id}/actions", Summary: "Do, postpone, reassign or cancel what is owed to a customer: a promise, an answer after the opening, a call-back",
		Errors: []int{404, 409, 422},
	}, func(ctx context.Context, p *principal, in *taskActInput) (*taskOutput, error) {
		out := &taskOutput{}
		var fresh bool
		err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) (err error) {
			out.Body, fresh, err = d.actOnTask(ctx, u, p, in.ID, in.Body)
			return err
		})
		if err != nil {
			return nil, err
		}
		if fresh {
			d.Metrics.acted(in.Body)
		}
		return out, nil
	})
}

func (d *Desk) promise(ctx context.Context, p *principal, in *promiseInput) (*taskOutput, error) {
	out := &taskOutput{}
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		c, err := d.act(ctx, u, p, in.ID)
		if err != nil {
			return err
		}
		due, err := d.dueOf(c.SkillGroup, in.Body.Preset, in.Body.Due, u.Now)
		if err != nil {
			return err
		}
		spec := d.channelOf(c).ServiceLevel.Promise
		keeping, wrong := servicelevel.CompilePromise(spec)
		if err := wrong.ToAggregate(); err != nil {
			return fmt.Errorf("reading how promises are kept: %w", err)
		}
		task := d.taskOf(c, promise.CasePromise, p, in.Body.Key, u.Now, due, keeping)
		task.Owner, task.LateText = p.agent.Name, spec.LateText
		if c.Agent != nil {
			// A supervisor promises for who has the conversation.
			task.Owner = *c.Agent
		}
		out.Body, err = d.owe(ctx, u, p, task, store.TaskCase{Title: titlePromise, Due: due, Detail: promise.TaskDetail{What: in.Body.What}})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (d *Desk) orderCall(ctx context.Context, p *principal, in *callBackInput) (*taskOutput, error) {
	if err := supervisorsOnly(p); err != nil {
		return nil, err
	}
	out := &taskOutput{}
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) error {
		c, err := visible(p, func() (db.Conversation, error) { return u.ConversationForUpdate(ctx, in.ID) })
		if err != nil {
			return err
		}
		followUp, wrong := servicelevel.CompileFollowUp(d.channelOf(c).ServiceLevel.FollowUp)
		if err := wrong.ToAggregate(); err != nil {
			return fmt.Errorf("reading how soon customers are called: %w", err)
		}
		due := u.Now.Add(followUp.SurveyWithin)
		if in.Body.Due != nil {
			due = in.Body.Due.UTC()
		}
		if err := refusing(task.InTime(due, u.Now)); err != nil {
			return err
		}
		task := d.taskOf(c, promise.CaseCallBack, p, in.Body.Key, u.Now, due, followUp.Keeping)
		out.Body, err = d.owe(ctx, u, p, task, store.TaskCase{
			Title: titlePhoneSurvey, Due: due, Detail: promise.TaskDetail{Reason: promise.CallBackPhoneSurvey, What: in.Body.What},
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// taskOf is what is owed to the customer of a conversation.
func (d *Desk) taskOf(
	c db.Conversation, kind promise.CaseKind, p *principal, key uuid.UUID, now, due time.Time, keeping servicelevel.Keeping,
) promise.TaskInput {
	// The id comes from the key, so that a repetition finds what the first one made.
	name := uuid.NewSHA1(c.ID, []byte(p.agent.Name+"/"+key.String())).String()
	return promise.TaskInput{
		ID: promise.TaskID(d.Names.Namespace, d.Names.Brand, kind, name), Kind: kind, Conversation: c.ID, Channel: c.Channel,
		Customer: c.ExternalID, SkillGroup: c.SkillGroup, StartedAt: now, Due: due,
		RemindBeforeSeconds: int64(keeping.RemindBefore / time.Second), Ladder: store.Rungs(keeping.Ladder),
	}
}

// owe writes down what is owed, unless it is too much.
func (d *Desk) owe(ctx context.Context, u *store.Unit, p *principal, in promise.TaskInput, shown store.TaskCase) (store.Case, error) {
	now, fresh, err := u.OpenTask(ctx, in, shown, store.Taking{Step: "open", Actor: p.agent.Name, Note: shown.Detail.What})
	if err != nil || !fresh {
		return now, err
	}
	open, err := u.CasesOpenOfConversation(ctx, &in.Conversation, string(in.Kind), maxOwed+1)
	if err != nil {
		return now, fmt.Errorf("counting what is owed: %w", err)
	}
	if len(open) > maxOwed {
		return now, refusal(http.StatusConflict, "TooMuchOwed", "%d are open for this customer already: see to them first", maxOwed)
	}
	return now, nil
}

// dueOf is until when, of the two ways to say it.
func (d *Desk) dueOf(group string, preset task.Preset, at *time.Time, now time.Time) (time.Time, error) {
	if (preset == "") == (at == nil) {
		return time.Time{}, refusal(http.StatusUnprocessableEntity, "BadDue", "set either preset or due")
	}
	var due time.Time
	if at != nil {
		due = at.UTC()
	} else {
		hours, zone, err := d.hoursOf(group)
		if err != nil {
			return time.Time{}, err
		}
		due, _ = preset.Due(now, hours, zone) // The schema knows no others.
		due = due.UTC()
	}
	return due, refusing(task.InTime(due, now))
}

// hoursOf are a group's hours, and where its days begin and end.
func (d *Desk) hoursOf(name string) (*schedule.Schedule, *time.Location, error) {
	if group, ok := d.Catalog.Snapshot().Group(name); ok && group.Schedule != nil {
		return group.Schedule, group.Schedule.Location(), nil
	}
	zone, err := time.LoadLocation(schedule.DefaultTimeZone)
	if err != nil {
		return nil, nil, fmt.Errorf("reading a time zone: %w", err)
	}
	return nil, zone, nil
}

// channelOf is the Channel of a conversation; one that is gone has the defaults.
func (d *Desk) channelOf(c db.Conversation) *catalog.Channel {
	if channel, ok := d.Catalog.Snapshot().Channel(c.Channel); ok {
		return channel
	}
	return &catalog.Channel{}
}

// actOnTask does what an agent wants to do with what is owed to a customer: it writes the row under its lock, and has the
// process move its clocks. Of two who end it at once, one is told. An act that was done before changes nothing, and is not fresh.
func (d *Desk) actOnTask(ctx context.Context, u *store.Unit, p *principal, id string, act TaskAct) (now store.Case, fresh bool, err error) {
	row, err := u.CaseGet(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && (!isTask(row.Kind) || !p.seesCase(row)) {
		return now, false, refusal(http.StatusNotFound, "NoSuchCase", "there is no such case")
	}
	if err != nil {
		return now, false, fmt.Errorf("reading a case: %w", err)
	}
	decision := task.Decision{Action: act.Action, Note: act.Note, ReasonCode: act.ReasonCode, Owner: act.Owner}
	switch act.Action {
	case task.Postpone:
		if decision.Due, err = d.dueOf(row.SkillGroup, act.Preset, act.Due, u.Now); err != nil {
			return now, false, err
		}
	case task.Reassign:
		if _, known := d.Catalog.Snapshot().Agent(act.Owner); !known {
			return now, false, refusal(http.StatusUnprocessableEntity, "NoSuchAgent", "there is no such Agent")
		}
	default:
	}
	taking := store.Taking{Step: "act/" + act.ID.String(), Actor: p.agent.Name, Note: act.Note}
	now, fresh, err = u.ChangeCase(ctx, id, taking, func(c *store.Case) error { return decide(p, c, decision, u.Now) })
	if err != nil || !fresh {
		return now, false, err
	}
	signal, argument := signalOf(p, act, decision)
	return now, true, u.SignalWorkflow(ctx, id, signal, argument)
}

// signalOf is what the process is told of a decision.
func signalOf(p *principal, act TaskAct, decision task.Decision) (signal string, argument any) {
	switch decision.Action {
	case task.Done:
		return promise.SignalTaskEnd, promise.TaskEnd{By: p.agent.Name, State: promise.TaskDone}
	case task.Postpone:
		return promise.SignalTaskPostpone, promise.TaskPostpone{ID: act.ID.String(), By: p.agent.Name, Due: decision.Due}
	case task.Reassign:
		return promise.SignalTaskReassign, promise.TaskReassign{By: p.agent.Name, Owner: decision.Owner}
	default:
		return promise.SignalTaskEnd, promise.TaskEnd{By: p.agent.Name, State: promise.TaskCancelled}
	}
}

// decide changes a case that is locked as somebody has decided, or refuses.
func decide(p *principal, c *store.Case, decision task.Decision, now time.Time) error {
	if c.Owner != "" && c.Owner != p.agent.Name && !p.supervises() {
		return refusal(http.StatusConflict, "NotYours", "%s owes it; a supervisor can give it to you", c.Owner)
	}
	var detail promise.TaskDetail
	if err := json.Unmarshal(c.Detail, &detail); err != nil {
		return fmt.Errorf("decoding a task: %w", err)
	}
	facts := task.Task{
		Ended: c.ClosedAt != nil, FromOpening: c.Kind == promise.CaseOffHours, NeedsReason: detail.Reason == promise.CallBackBadRating,
	}
	if err := refusing(task.Check(facts, decision, now)); err != nil {
		return err
	}
	switch decision.Action {
	case task.Postpone:
		c.Due = &decision.Due
		detail.Postponed++
	case task.Reassign:
		c.Owner = decision.Owner
	case task.Done:
		detail.ReasonCode = string(decision.ReasonCode)
		c.State, c.ClosedAt, c.Due = string(promise.TaskDone), &now, nil
	default:
		c.State, c.ClosedAt, c.Due = string(promise.TaskCancelled), &now, nil
	}
	encoded, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("encoding a task: %w", err)
	}
	c.Detail = encoded
	return nil
}

// refusing says what the rules refuse as the desk does.
func refusing(err error) error {
	var wrong *task.RefusedError
	if !errors.As(err, &wrong) {
		return err
	}
	status := http.StatusConflict
	if wrong.Incomplete {
		status = http.StatusUnprocessableEntity
	}
	return refusal(status, wrong.Reason, "%s", wrong.Text)
}

func isTask(kind string) bool {
	return slices.Contains([]promise.CaseKind{promise.CasePromise, promise.CaseOffHours, promise.CaseCallBack}, promise.CaseKind(kind))
}

// seesCase says whether the Agent sees a case.
func (p *principal) seesCase(c db.ServiceCase) bool {
	return p.supervises() || c.Owner == p.agent.Name || slices.Contains(p.groups, c.SkillGroup)
}
