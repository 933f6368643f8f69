package aftersales

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/temporal"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/history"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/provider"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/workers/workflows/callees"
	"github.com/yingda-dev/yingda/workers/workflows/deadline"
)

// Directory knows a brand's people, channels and calendars.
type Directory interface {
	callees.Directory
	// OutboundTopic is where what is said on a Channel goes; false while the Channel is not known.
	OutboundTopic(channel string) (topic string, known bool)
	// HasNotice says whether a Channel's customers can be sent notices of that name.
	HasNotice(channel, name string) bool
	// Due is when a SkillGroup has been open for that long since then; false where it will not be.
	Due(group string, since time.Time, d time.Duration) (time.Time, bool)
	// WorkingDays is the end of the n-th working day of a SkillGroup after a day.
	WorkingDays(group string, since time.Time, n int) time.Time
}

// Activities are the steps of a case. Each is one transaction that does nothing when it was done before, and returns where the case
// stands; Perform makes two, and calls the provider between them.
type Activities struct {
	Store     *store.Store
	Directory Directory
	// Provider does what is to be done outside; nil while the Brand declares none.
	Provider func() *provider.Provider
	// Mails says whether the Brand declares a mail server that may be called.
	Mails func() bool
	// Events is the topic of frames, Source the CloudEvents source of what is sent.
	Events string
	Source string
	Now    func() time.Time
	// Logger and Metrics tell operators of customers and agents who could not be reached, and of the provider.
	Logger  *slog.Logger
	Metrics *Metrics
}

// Standing is where a case stands; of two the one of the higher Revision is newer. Histories hold it, as the types below: fields are added,
// never renamed.
type Standing struct {
	Revision int32       `json:"revision"`
	Step     int         `json:"step"`
	State    rules.State `json:"state"`
	// Owner is the Agent who has to do something; empty where that is anybody of the group, or the customer.
	Owner string `json:"owner,omitempty"`
	// Operation is what is to be done in the state, Attempt and Effect how far it is; empty where nothing is.
	Operation rules.Operation   `json:"operation,omitempty"`
	Attempt   int               `json:"attempt,omitempty"`
	Effect    rules.EffectState `json:"effect,omitempty"`
	// Disputed says that the customer was not content with the end.
	Disputed bool `json:"disputed,omitempty"`
	// ArriveBy is until when the goods should be here that the customer has sent; zero where none are on their way.
	ArriveBy time.Time `json:"arriveBy,omitzero"`
}

// underWay says whether the operation is the provider's.
func (s *Standing) underWay() bool {
	return s.Effect == rules.EffectWaiting || s.Effect == rules.EffectSending || s.Effect == rules.EffectPending
}

// The arguments and results of the activities.
type (
	// Reference is which case it is, and who works on it.
	Reference struct {
		ID         string `json:"id"`
		SkillGroup string `json:"skillGroup"`
	}
	// Entering is the argument of Enter.
	Entering struct {
		Case  Reference   `json:"case"`
		Step  int         `json:"step"`
		Terms rules.Terms `json:"terms"`
	}
	// Entered is the result of Enter; without Due nothing is due.
	Entered struct {
		Standing Standing  `json:"standing"`
		Due      time.Time `json:"due,omitzero"`
		RemindAt time.Time `json:"remindAt,omitzero"`
	}
	// Taking is the argument of Take.
	Taking struct {
		Case Reference `json:"case"`
		Act  rules.Act `json:"act"`
	}
	// Taken is the result of Take. Refused is why nothing was done, in one word.
	Taken struct {
		Standing Standing `json:"standing"`
		Refused  string   `json:"refused,omitempty"`
	}
	// Lateness is the argument of Late and WarnOverall.
	Lateness struct {
		Case     Reference     `json:"case"`
		Step     int           `json:"step"`
		Deadline deadline.Step `json:"deadline"`
		// OnTheWay says that it is the parcel that is late, or nearly, and no more the customer in the same step.
		OnTheWay bool   `json:"onTheWay,omitempty"`
		TimeZone string `json:"timeZone,omitempty"`
	}
	// Performing is the argument of Perform.
	Performing struct {
		Case      Reference       `json:"case"`
		Operation rules.Operation `json:"operation"`
		Attempt   int             `json:"attempt"`
	}
	// Telling is the argument of Tell.
	Telling struct {
		Case     Reference `json:"case"`
		Step     int       `json:"step"`
		TimeZone string    `json:"timeZone,omitempty"`
	}
)

// table is every activity by its name.
func (a *Activities) table() map[string]any {
	return map[string]any{
		activityOpen:        a.Open,
		activityEnter:       a.Enter,
		activityTake:        a.Take,
		activityLate:        a.Late,
		activityWarnOverall: a.WarnOverall,
		activityPerform:     a.Perform,
		activityTell:        a.Tell,
		activityDispute:     a.Dispute,
		activityUntold:      a.Untold,

		activityOrderPerform: a.OrderPerform,
		activityOrderTake:    a.OrderTake,
		activityOrderLate:    a.OrderLate,
		activityOrderTell:    a.OrderTell,
		activityOrderUntold:  a.OrderUntold,
	}
}

// Open makes the case known to desks, where that was not done by who started its process.
func (a *Activities) Open(ctx context.Context, in promise.AfterSalesInput) (Standing, error) {
	var now store.Case
	err := a.do(ctx, func(ctx context.Context, u *store.Unit) (err error) {
		now, _, err = u.RecordAfterSales(ctx, in, store.Taking{Step: "open", Action: history.Apply, Actor: in.OpenedBy, Tell: a.Directory.GroupAgents(in.SkillGroup)})
		return err
	})
	if err != nil {
		return Standing{}, err
	}
	return standingOf(now)
}

// Enter sets until when the step that the case is in has to be done.
func (a *Activities) Enter(ctx context.Context, e Entering) (Entered, error) {
	out := Entered{}
	taking := store.Taking{Step: stepName("enter", e.Step), Action: history.Due, Group: a.Directory.GroupAgents}
	now, err := a.change(ctx, e.Case, taking, func(c *rules.Case) bool {
		due, limited := a.due(c, e)
		if c.Step() != e.Step || !limited {
			return false
		}
		c.SetDue(due)
		return true
	})
	if err != nil {
		return out, err
	}
	inside, err := store.AfterSalesOf(now)
	if err != nil {
		return out, err
	}
	if out.Standing, err = standingOf(now); err != nil || inside.Step() != e.Step {
		return out, err
	}
	step := inside.Now()
	out.Due = step.Due
	// One that is shorter than the reminder's time reminds nobody.
	if at := step.Due.Add(-time.Duration(e.Terms.RemindBefore) * time.Second); e.Terms.RemindBefore > 0 && at.After(step.EnteredAt) {
		out.RemindAt = at
	}
	return out, nil
}

// due asks the calendars until when the step has to be done.
func (a *Activities) due(c *rules.Case, e Entering) (time.Time, bool) {
	limit, limited := c.Limit(e.Terms.Limits)
	if !limited {
		return time.Time{}, false
	}
	due := limit.From.Add(limit.Within)
	switch {
	case limit.WorkingDays > 0:
		due = a.Directory.WorkingDays(e.Case.SkillGroup, limit.From, limit.WorkingDays)
	case limit.Open:
		// A group that never opens again is late all the same.
		if open, ok := a.Directory.Due(e.Case.SkillGroup, limit.From, limit.Within); ok {
			due = open
		}
	}
	return due.UTC(), true
}

// Take does something to the case. Where that was done before, as by the desk that signals it, nothing changes.
func (a *Activities) Take(ctx context.Context, t Taking) (Taken, error) {
	return a.take(ctx, t, (*store.Unit).TakeAfterSales)
}

func (a *Activities) take(
	ctx context.Context, t Taking, take func(u *store.Unit, ctx context.Context, id string, act rules.Act, tell ...string) (store.Case, bool, error),
) (Taken, error) {
	var now store.Case
	err := a.do(ctx, func(ctx context.Context, u *store.Unit) (err error) {
		now, _, err = take(u, ctx, t.Case.ID, t.Act, a.Directory.GroupAgents(t.Case.SkillGroup)...)
		return err
	})
	taken := Taken{}
	if refusal, refused := errors.AsType[*rules.RefusalError](err); refused {
		taken.Refused = refusal.Reason
		a.Metrics.ignored.Inc()
		now, err = a.read(ctx, t.Case.ID)
	}
	if err != nil {
		return taken, err
	}
	taken.Standing, err = standingOf(now)
	return taken, err
}

// name is what it is done once by.
func (l *Lateness) name() string {
	name := stepName(string(l.Deadline.Kind), l.Step)
	if l.Deadline.Kind == deadline.Escalate {
		name = fmt.Sprintf("%s/%d", name, l.Deadline.Rung)
	}
	if l.OnTheWay {
		name += "/parcel"
	}
	return name
}

// lateStep is a step of a deadline as a case's history has it, and whom it calls.
func (a *Activities) lateStep(l Lateness) (taking store.Taking, called callees.Callees) {
	taking = store.Taking{Step: l.name(), Tell: a.Directory.GroupAgents(l.Case.SkillGroup)}
	switch l.Deadline.Kind {
	case deadline.Remind:
		taking.Action, taking.Note = history.Remind, history.Reminding
	case deadline.Breach:
		taking.Action, taking.Note = history.Breach, history.Late
	case deadline.Escalate:
		called = callees.Of(a.Directory, l.Deadline.Notify, l.Case.SkillGroup)
		taking.Action, taking.Note = history.Escalate, called.Words(l.Deadline.Rung, l.Deadline.Notify)
		taking.Tell = append(taking.Tell, called.Agents...)
	}
	return taking, called
}

// taken tells operators of a step of a deadline.
func (a *Activities) taken(l Lateness, called callees.Callees) {
	a.Metrics.deadlines.WithLabelValues(string(l.Deadline.Kind)).Inc()
	if l.Deadline.Kind == deadline.Escalate && called.Who != callees.Role {
		a.Logger.Warn("Nobody has the role that a late case was escalated to", "role", l.Deadline.Notify, "reached", called.Who, "case", l.Case.ID)
	}
}

// Late does what is to be done of a step that is nearly due, or late: its owner is reminded, it is marked, a role is called.
func (a *Activities) Late(ctx context.Context, l Lateness) (Standing, error) {
	taking, called := a.lateStep(l)
	changed := false
	now, err := a.change(ctx, l.Case, taking, func(c *rules.Case) bool {
		changed = c.Step() == l.Step && !c.State.Ended()
		if !changed {
			return false
		}
		switch l.Deadline.Kind {
		case deadline.Remind:
			c.Remind(l.Deadline.At)
		case deadline.Breach:
			c.Breach(l.Deadline.At)
		case deadline.Escalate:
			c.Escalate(l.Deadline.Rung)
		}
		return true
	})
	if err != nil {
		return Standing{}, err
	}
	if changed {
		a.taken(l, called)
	}
	if l.Deadline.Kind == deadline.Remind {
		if err := a.remindCustomer(ctx, l, now); err != nil {
			return Standing{}, err
		}
	}
	return standingOf(now)
}

// WarnOverall says that the case as a whole takes longer than it should.
func (a *Activities) WarnOverall(ctx context.Context, l Lateness) (Standing, error) {
	called := callees.Of(a.Directory, promise.RoleSupervisor, l.Case.SkillGroup)
	taking := store.Taking{Step: "overall", Action: history.Overall, Note: "总时长超过承诺，已通知主管", Tell: called.Agents}
	now, err := a.change(ctx, l.Case, taking, func(c *rules.Case) bool {
		c.OverallLateAt = l.Deadline.At
		return !c.State.Ended()
	})
	if err != nil {
		return Standing{}, err
	}
	a.Metrics.deadlines.WithLabelValues("overall").Inc()
	return standingOf(now)
}

// Dispute calls who is called first for what is late, and the case's owner: it was closed, and the customer is not content.
func (a *Activities) Dispute(ctx context.Context, r Reference) (Standing, error) {
	called := callees.Of(a.Directory, promise.RoleSupervisor, r.SkillGroup)
	tell, fresh := append(a.Directory.GroupAgents(r.SkillGroup), called.Agents...), false
	var now store.Case
	err := a.do(ctx, func(ctx context.Context, u *store.Unit) error {
		row, err := u.CaseGet(ctx, r.ID)
		if err != nil {
			return fmt.Errorf("reading a case: %w", err)
		}
		inside, err := store.AfterSalesOf(store.CaseView(row))
		if err != nil {
			return err
		}
		if owner := inside.Now().Owner; owner != "" {
			tell = append(tell, owner)
		}
		now, fresh, err = u.NoteCase(ctx, r.ID, store.Taking{Step: "dispute", Action: history.Escalate, Note: "客户对处理结果有异议，已通知主管", Tell: tell})
		return err
	})
	if err != nil {
		return Standing{}, err
	}
	if fresh {
		a.Metrics.disputes.Inc()
		if called.Who != callees.Role {
			a.Logger.Warn("Nobody has the role that a disputed case was escalated to", "role", promise.RoleSupervisor, "reached", called.Who, "case", r.ID)
		}
	}
	return standingOf(now)
}

// errUnchanged leaves a case as it is.
var errUnchanged = errors.New("there is nothing to change")

// change changes the case, once, and returns what it is now. f returns false to leave it as it is.
func (a *Activities) change(ctx context.Context, r Reference, taking store.Taking, f func(c *rules.Case) bool) (now store.Case, err error) {
	err = a.do(ctx, func(ctx context.Context, u *store.Unit) (err error) {
		now, _, err = u.ChangeAfterSales(ctx, r.ID, taking, func(c *rules.Case) error {
			if !f(c) {
				return errUnchanged
			}
			return nil
		})
		return err
	})
	if errors.Is(err, errUnchanged) {
		return a.read(ctx, r.ID)
	}
	return now, err
}

func (a *Activities) read(ctx context.Context, id string) (store.Case, error) {
	row, err := a.Store.Queries().CaseGet(ctx, id)
	if err != nil {
		return store.Case{}, gone(fmt.Errorf("reading a case: %w", err))
	}
	return store.CaseView(row), nil
}

// do runs one transaction.
func (a *Activities) do(ctx context.Context, f func(ctx context.Context, u *store.Unit) error) error {
	return gone(a.Store.Do(ctx, store.Scope{Events: a.Events, Source: a.Source, Now: a.Now()}, f))
}

func gone(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return temporal.NewNonRetryableApplicationError("the case, or its conversation, is gone", errorGone, err)
	}
	return err
}

func standingOf(c store.Case) (Standing, error) {
	if c.Kind == promise.CaseOrder {
		inside, err := store.OrderOf(c)
		s := Standing{Revision: c.Revision, State: inside.State, Owner: c.Owner, Operation: inside.Operation()}
		s.Attempt, s.Effect = inside.Attempt()
		return s, err
	}
	inside, err := store.AfterSalesOf(c)
	if err != nil {
		return Standing{}, err
	}
	s := Standing{Revision: c.Revision, Step: inside.Step(), State: inside.State, Owner: inside.Owner(), Operation: inside.Operation()}
	s.Attempt, s.Effect = inside.Attempt()
	s.Disputed = inside.Content != nil && !*inside.Content
	if inside.OnTheWay() {
		s.ArriveBy = inside.Now().Due
	}
	return s, nil
}

// stepName names what is done once in a step of a case.
func stepName(what string, step int) string { return fmt.Sprintf("%s/%d", what, step) }
