// Package task is the workflow that watches over what somebody owes a customer until some time: what an agent promised, an
// answer to who wrote while nobody served, a call to who was not content.
//
//	(off hours: Plan until the group opens)
//	   |
//	   v           remind         breach          rung 1, 2 ...
//	 open --timer--> Remind --timer--> Late --timer--> Call ... --> lapsed, 30 days later
//	   |  ^ postpone: the clock starts anew
//	   +--end--> Close
//
// It decides only when something is due. The case's row is written by whoever makes the promise, and what people decide by the
// desk: signals only move the clocks, and Close writes what the row does not say yet. Invariants: each step of a deadline is
// taken once, however often its activity runs; a signal that comes at the wrong time is counted and changes nothing; what is
// kept is what the input said, whatever the ServiceLevel says later, but for the opening that a deadline counts from, which is
// the schedule's of that day.
package task

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/workers/workflows/deadline"
)

const (
	// recheck is how often the schedule is asked while the group is closed: it may open earlier than was said.
	recheck = time.Hour
	// patience is how long somebody may still end a task after its last step.
	patience = 30 * 24 * time.Hour
)

// Input is a promise.TaskInput, and what a run leaves to the next.
type Input struct {
	promise.TaskInput

	Carried *State `json:"carried,omitempty"`
}

// State is all that a run knows. Histories hold it: fields are added, never renamed.
type State struct {
	Status promise.TaskStatus `json:"status"`
	// Deadline is nil while the opening that it counts from has not come.
	Deadline *deadline.Deadline `json:"deadline,omitempty"`
	// Postponement is the one that counts.
	Postponement string `json:"postponement,omitempty"`
}

// Workflow watches over one task; its type is promise.TaskWorkflow.
func Workflow(ctx workflow.Context, input Input) (promise.TaskStatus, error) {
	t, err := newTask(ctx, input)
	if err != nil {
		return promise.TaskStatus{}, err
	}
	err = t.run(ctx)
	return t.Status, err
}

// task is one run.
type task struct {
	State
	input promise.TaskInput
	// end is not nil once somebody ended it.
	end      *promise.TaskEnd
	selector workflow.Selector
	// listed says that the run has search attributes; told is what they say.
	listed bool
	told   temporal.Attributes
	// follows says that they tell of a new owner at once.
	follows bool
}

// newTask registers the query and begins to listen to signals.
func newTask(ctx workflow.Context, input Input) (*task, error) {
	t := &task{input: input.TaskInput, State: State{Status: promise.TaskStatus{State: promise.TaskOpen, Owner: input.Owner}}}
	switch {
	case input.Carried != nil:
		t.State = *input.Carried
	case !input.Due.IsZero():
		t.owe(input.StartedAt, input.Due)
	}
	err := workflow.SetQueryHandlerWithOptions(ctx, promise.QueryStatus,
		func() (promise.TaskStatus, error) { return t.Status, nil },
		workflow.QueryHandlerOptions{Description: "Where the task stands."})
	if err != nil {
		return nil, err
	}
	t.listen(ctx)
	return t, nil
}

// owe sets a new deadline; one that ran before is over.
func (t *task) owe(from, due time.Time) {
	before := min(time.Duration(t.input.RemindBeforeSeconds)*time.Second, due.Sub(from)/2)
	t.Deadline = &deadline.Deadline{Due: due, RemindAt: due.Add(-before), Ladder: t.input.Ladder}
	t.Status.Due = due
}

// listen takes signals for as long as the run lives.
func (t *task) listen(ctx workflow.Context) {
	t.selector = workflow.NewSelector(ctx)
	t.selector.AddReceive(workflow.GetSignalChannel(ctx, promise.SignalTaskPostpone), func(channel workflow.ReceiveChannel, _ bool) {
		var signal promise.TaskPostpone
		channel.Receive(ctx, &signal)
		if t.end != nil || signal.ID == t.Postponement || signal.Due.IsZero() {
			t.ignore(ctx, promise.SignalTaskPostpone)
			return
		}
		t.Postponement = signal.ID
		t.Status.Postponed++
		t.owe(workflow.Now(ctx), signal.Due)
	})
	t.selector.AddReceive(workflow.GetSignalChannel(ctx, promise.SignalTaskReassign), func(channel workflow.ReceiveChannel, _ bool) {
		var signal promise.TaskReassign
		channel.Receive(ctx, &signal)
		if t.end != nil {
			t.ignore(ctx, promise.SignalTaskReassign)
			return
		}
		t.Status.Owner = signal.Owner
		if !t.follows {
			return
		}
		if err := t.list(ctx, t.Status.Due); err != nil {
			workflow.GetLogger(ctx).Error("Could not tell Temporal who owes it now", "error", err)
		}
	})
	// Last: of signals that come together the end is taken after those that came before it.
	t.selector.AddReceive(workflow.GetSignalChannel(ctx, promise.SignalTaskEnd), func(channel workflow.ReceiveChannel, _ bool) {
		var signal promise.TaskEnd
		channel.Receive(ctx, &signal)
		if t.end != nil || (signal.State != promise.TaskDone && signal.State != promise.TaskCancelled) {
			t.ignore(ctx, promise.SignalTaskEnd)
			return
		}
		t.end = &signal
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			t.selector.Select(ctx)
		}
	})
}

func (t *task) ignore(ctx workflow.Context, signal string) {
	t.Status.IgnoredSignals++
	workflow.GetLogger(ctx).Warn("Ignored a signal that came at the wrong time", "signal", signal, "state", string(t.Status.State))
}

// run is the life of a task. What is left when its history has become long goes on in a new run.
func (t *task) run(ctx workflow.Context) error {
	t.listed = workflow.GetVersion(ctx, changeAttributes, workflow.DefaultVersion, 1) == 1
	// Asked once and before any signal: a run that a release before began stays as it was, however often its owner changes.
	t.follows = workflow.GetVersion(ctx, changeOwner, workflow.DefaultVersion, 1) == 1
	for t.end == nil {
		if err := t.list(ctx, t.Status.Due); err != nil {
			return err
		}
		if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
			for t.selector.HasPending() {
				t.selector.Select(ctx)
			}
			if t.end != nil {
				break
			}
			return workflow.NewContinueAsNewError(ctx, promise.TaskWorkflow, Input{t.input, &t.State})
		}
		step := t.keep
		if t.Deadline == nil {
			step = t.awaitOpening
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	t.Status.State = t.end.State
	if err := t.list(ctx, time.Time{}); err != nil {
		return err
	}
	return closeCase(ctx, Closing{ID: t.input.ID, By: t.end.By, State: t.end.State})
}

// list tells Temporal where the task stands and until when it is owed, where that is news.
func (t *task) list(ctx workflow.Context, due time.Time) error {
	now := temporal.Attributes{
		Brand: promise.BrandOf(t.input.ID), Kind: string(t.input.Kind), State: string(t.Status.State), Owner: t.Status.Owner, Deadline: due,
	}
	if !t.listed || now == t.told {
		return nil
	}
	t.told = now
	return now.Upsert(ctx)
}

// awaitOpening asks the schedule, and waits until the group opens or it is time to ask again.
func (t *task) awaitOpening(ctx workflow.Context) error {
	now := workflow.Now(ctx)
	within := time.Duration(t.input.AfterOpeningSeconds) * time.Second
	opening, err := plan(ctx, Planning{
		ID: t.input.ID, SkillGroup: t.input.SkillGroup, Since: t.input.StartedAt, Now: now, AfterOpeningSeconds: t.input.AfterOpeningSeconds,
	})
	if err != nil || t.over() {
		return err
	}
	wait := recheck
	if opening.Known {
		t.Status.Due = opening.At.Add(within)
		if wait = min(wait, opening.At.Sub(now)); wait <= 0 {
			t.owe(opening.At, t.Status.Due)
			return nil
		}
	}
	_, err = workflow.AwaitWithTimeout(ctx, wait, t.over)
	return err
}

// over says that there is no opening to wait for any more.
func (t *task) over() bool { return t.end != nil || t.Deadline != nil }

// keep keeps the deadline until the task is ended, or postponed. After the last step it waits for a while.
func (t *task) keep(ctx workflow.Context) error {
	current := t.Deadline
	over := func() bool { return t.end != nil || t.Deadline != current }
	if err := current.Keep(ctx, over, t.take); err != nil || over() {
		return err
	}
	ended, err := workflow.AwaitWithTimeout(ctx, patience, over)
	if err == nil && !ended {
		t.end = &promise.TaskEnd{State: promise.TaskLapsed}
	}
	return err
}

// take has the activity of a step run.
func (t *task) take(ctx workflow.Context, step deadline.Step) error {
	taking := Taking{
		ID: t.input.ID, Deadline: t.Postponement, Due: t.Deadline.Due, Step: step, SkillGroup: t.input.SkillGroup, Owner: t.Status.Owner,
	}
	switch step.Kind {
	case deadline.Remind:
		return remind(ctx, taking)
	case deadline.Breach:
		t.Status.Late = true
		taking.LateText = t.input.LateText
		return markLate(ctx, taking)
	default:
		t.Status.Rung = step.Rung
		return call(ctx, taking)
	}
}
