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

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/history"
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
		What   string      `json:"what" minLength:"1" maxLength:"500" pattern:"[^\\s\\p{Z}]" patternDescription:"more than space" example:"查物流并回复" doc:"What the agent promised the customer."`
		Preset task.Preset `json:"preset,omitempty" enum:"WithinHour,Today,Within24Hours,TomorrowNoon" doc:"Until when; set this or due. Today is before the group closes today."`
		Due    *time.Time  `json:"due,omitempty" doc:"Until when, within 30 days; set this or preset."`
	}
}

type callBackInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Key  uuid.UUID  `json:"key" doc:"Made by the client for this call; sending it again with the same key orders one."`
		What string     `json:"what" minLength:"1" maxLength:"500" pattern:"[^\\s\\p{Z}]" patternDescription:"more than space" example:"问对换货是否满意" doc:"What the customer is to be asked on the phone."`
		Due  *time.Time `json:"due,omitempty" doc:"Until when, within 30 days; without it as the ServiceLevel says."`
	}
}

// owedOutput is the case of what was promised.
type owedOutput struct{ Body CaseView }

func (d *Desk) taskRoutes(api huma.API) {
	handle(d, api, huma.Operation{
		OperationID: "promise", Method: http.MethodPost, Path: "/api/conversations/{id}/promises", Summary: "Write down what was promised to the customer, and until when",
		DefaultStatus: http.StatusCreated, Errors: []int{404, 409, 422},
	}, d.promise)
	handle(d, api, huma.Operation{
		OperationID: "call-back", Method: http.MethodPost, Path: "/api/conversations/{id}/call-backs", Summary: "Have the customer asked by phone; for supervisors",
		DefaultStatus: http.StatusCreated, Errors: []int{403, 404, 409, 422},
	}, d.orderCall)
}

func (d *Desk) promise(ctx context.Context, p *principal, in *promiseInput) (*owedOutput, error) {
	out := &owedOutput{}
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

func (d *Desk) orderCall(ctx context.Context, p *principal, in *callBackInput) (*owedOutput, error) {
	if err := supervisorsOnly(p); err != nil {
		return nil, err
	}
	out := &owedOutput{}
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
func (d *Desk) owe(ctx context.Context, u *store.Unit, p *principal, in promise.TaskInput, shown store.TaskCase) (CaseView, error) {
	now, fresh, err := u.OpenTask(ctx, in, shown, store.Taking{Step: "open", Action: history.Open, Actor: p.agent.Name, Note: shown.Detail.What})
	if err != nil || !fresh {
		return d.caseView(now), err
	}
	open, err := u.CasesOpenOfConversation(ctx, &in.Conversation, string(in.Kind), maxOwed+1)
	if err != nil {
		return CaseView{}, fmt.Errorf("counting what is owed: %w", err)
	}
	if len(open) > maxOwed {
		return CaseView{}, refusal(http.StatusConflict, "TooMuchOwed", "%d are open for this customer already: see to them first", maxOwed)
	}
	return d.caseView(now), nil
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

// factsOf are what the rules look at.
func factsOf(c store.Case) (task.Task, promise.TaskDetail, error) {
	detail, err := store.TaskOf(c)
	if err != nil {
		return task.Task{}, detail, err
	}
	return task.Task{
		Ended: c.ClosedAt != nil, FromOpening: c.Kind == promise.CaseOffHours, NeedsReason: detail.Reason == promise.CallBackBadRating,
	}, detail, nil
}

// mayAct says whether the principal may do something with a task: their own, what nobody in particular owes, or for
// supervisors any.
func mayAct(p *principal, c store.Case) bool {
	return c.Owner == "" || c.Owner == p.agent.Name || p.supervises()
}

// taskActions are those of what is owed to a customer.
func taskActions(p *principal, c store.Case) []AllowedAction {
	facts, _, err := factsOf(c)
	if err != nil || !mayAct(p, c) {
		return nil
	}
	var allowed []AllowedAction
	for _, action := range task.Allowed(facts) {
		a := AllowedAction{Action: string(action)}
		switch {
		case action == task.Postpone:
			a.Needs = []string{"due", "note"}
		case action == task.Reassign:
			a.Needs, a.Takes = []string{"owner"}, []string{"note"}
		case action == task.Cancel:
			a.Needs = []string{"note"}
		case facts.NeedsReason:
			a.Needs = []string{"reasonCode", "note"}
		default:
			a.Takes = []string{"note"}
		}
		allowed = append(allowed, a)
	}
	return allowed
}

// actOnTask does what an agent wants to do with what is owed to a customer.
func (d *Desk) actOnTask(ctx context.Context, p *principal, c store.Case, request CaseActionRequest) error {
	var fresh bool
	err := d.Store.Do(ctx, d.scope(), func(ctx context.Context, u *store.Unit) (err error) {
		fresh, err = d.takeTask(ctx, u, p, c.ID, request)
		return err
	})
	if err == nil && fresh {
		d.Metrics.acted(request)
	}
	return err
}

// keep says that a promise was kept by a message.
func (d *Desk) keep(ctx context.Context, u *store.Unit, p *principal, name string, said uuid.UUID) error {
	c, err := visibleCase(ctx, u.Queries, p, d.idOf(name))
	if err != nil {
		return err
	}
	if !isTask(c.Kind) {
		return refusal(http.StatusUnprocessableEntity, "NoPromise", "a message keeps promises and no other cases")
	}
	_, err = d.takeTask(ctx, u, p, c.ID, CaseActionRequest{Key: said, Action: string(task.Done)})
	return err
}

// takeTask writes the row under its lock, and has the process move its clocks. Of two who end a task at once, one is told. What was
// done before changes nothing, and is not fresh.
func (d *Desk) takeTask(ctx context.Context, u *store.Unit, p *principal, id string, request CaseActionRequest) (fresh bool, err error) {
	decision := task.Decision{Action: task.Action(request.Action), Note: request.Note, ReasonCode: request.ReasonCode, Owner: request.Owner}
	if request.Due != nil {
		decision.Due = request.Due.UTC()
	}
	now, fresh, err := u.ChangeCase(ctx, id, takingOf(p, request), func(c *store.Case) error {
		if request.Owner != "" {
			if err := d.mayGive(p, *c, request.Owner); err != nil {
				return err
			}
		}
		return decide(p, c, request, decision, u.Now)
	})
	if err != nil || !fresh {
		return false, err
	}
	if err := u.SettledOffHours(ctx, now); err != nil {
		return false, err
	}
	signal, argument := signalOf(p, request, decision)
	return true, u.SignalWorkflow(ctx, id, signal, argument)
}

// signalOf is what the process is told of a decision.
func signalOf(p *principal, request CaseActionRequest, decision task.Decision) (signal string, argument any) {
	switch decision.Action {
	case task.Done:
		return promise.SignalTaskEnd, promise.TaskEnd{By: p.agent.Name, State: promise.TaskDone}
	case task.Postpone:
		return promise.SignalTaskPostpone, promise.TaskPostpone{ID: request.Key.String(), By: p.agent.Name, Due: decision.Due}
	case task.Reassign:
		return promise.SignalTaskReassign, promise.TaskReassign{By: p.agent.Name, Owner: decision.Owner}
	default:
		return promise.SignalTaskEnd, promise.TaskEnd{By: p.agent.Name, State: promise.TaskCancelled}
	}
}

// decide changes a case that is locked as somebody has decided, or refuses.
func decide(p *principal, c *store.Case, request CaseActionRequest, decision task.Decision, now time.Time) error {
	facts, detail, err := factsOf(*c)
	if err != nil {
		return err
	}
	var wrong *task.RefusedError
	switch err := task.Check(facts, decision, now); {
	case request.Revision != 0 && request.Revision != c.Revision:
		return mayNow(p, *c, request)
	case errors.As(err, &wrong) && !wrong.Incomplete:
		return notPossible(wrong.Reason, wrong.Text, allowedActions(p, *c))
	case !mayAct(p, *c):
		return notPossible("NotYours", c.Owner+" owes it; a supervisor can give it to you", allowedActions(p, *c))
	case err != nil:
		return refusing(err)
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
	c.Detail, err = json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("encoding a task: %w", err)
	}
	return nil
}

// refusing says what the rules refuse for what it lacks as the desk does.
func refusing(err error) error {
	if wrong, ok := errors.AsType[*task.RefusedError](err); ok {
		return refusal(http.StatusUnprocessableEntity, wrong.Reason, "%s", wrong.Text)
	}
	return err
}

// isTask says whether a message may keep a case of that kind; goods are not sent by words.
func isTask(kind promise.CaseKind) bool {
	return kind == promise.CasePromise || kind == promise.CaseOffHours || kind == promise.CaseCallBack
}
