// Package complaint is the workflow that carries a complaint: acknowledged at once, escalated rung by rung until somebody
// resolves it, and followed up within the days that the brand promised.
//
//	RecordOpened, Acknowledge
//	   |            resolve                                         followed-up
//	   v      +-------------------------------------+        +-------------------------+
//	 open --timer--> Escalate(1) --timer--> ... --->|resolved|--due--> MarkOverdue --->| followed up, or 30 days later
//
// It decides only when something is due. What a role is, who has it, and how a customer is reached it leaves to its
// activities. Invariants: every step has effect once, however often its activity runs; a signal that comes at the wrong
// time is counted and changes nothing; ladder and follow-up keep what the input said, whatever the ServiceLevel says later.
package complaint

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/temporal"
)

const (
	day = 24 * time.Hour
	// patience is how long the workflow waits for a follow-up that is overdue before it ends without one.
	patience = 30 * day
	// maxResolution bounds, in characters, what a signal can put into rows and frames.
	maxResolution = 2000
)

// Workflow carries one complaint; its type is promise.ComplaintWorkflow.
func Workflow(ctx workflow.Context, input promise.ComplaintInput) (promise.ComplaintStatus, error) {
	c, err := newComplaint(ctx, input)
	if err != nil {
		return promise.ComplaintStatus{}, err
	}
	err = c.run(ctx)
	return c.status, err
}

// complaint is the state of one workflow.
type complaint struct {
	input  promise.ComplaintInput
	status promise.ComplaintStatus
	// concerned are the roles that hear of every change: the supervisors, and whoever was called.
	concerned []string

	resolved   *promise.Resolve
	resolvedAt time.Time
	// followedUp says that the customer was asked again, and followedUpBy by whom.
	followedUp   bool
	followedUpBy string
	// told says that the acknowledgement was sent or given up.
	told bool
	// listed says that the complaint has search attributes; one that began before there were any has none.
	listed bool
	// dated says that the follow-up's days count from when somebody resolved the complaint, not from when the process heard of it: Temporal
	// may have been away between.
	dated bool
}

// newComplaint registers the query and begins to listen to signals.
func newComplaint(ctx workflow.Context, input promise.ComplaintInput) (*complaint, error) {
	c := &complaint{
		input:     input,
		status:    promise.ComplaintStatus{State: promise.ComplaintOpen},
		concerned: []string{promise.RoleSupervisor},
	}
	err := workflow.SetQueryHandlerWithOptions(ctx, promise.QueryStatus,
		func() (promise.ComplaintStatus, error) { return c.status, nil },
		workflow.QueryHandlerOptions{Description: "Where the complaint stands."})
	if err != nil {
		return nil, err
	}
	workflow.Go(ctx, c.listen)
	return c, nil
}

// listen takes signals for as long as the workflow lives.
func (c *complaint) listen(ctx workflow.Context) {
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(workflow.GetSignalChannel(ctx, promise.SignalResolve), func(channel workflow.ReceiveChannel, _ bool) {
		var signal promise.Resolve
		channel.Receive(ctx, &signal)
		c.onResolve(ctx, signal)
	})
	selector.AddReceive(workflow.GetSignalChannel(ctx, promise.SignalFollowedUp), func(channel workflow.ReceiveChannel, _ bool) {
		var signal promise.FollowedUp
		channel.Receive(ctx, &signal)
		c.onFollowedUp(ctx, signal)
	})
	for {
		selector.Select(ctx)
	}
}

func (c *complaint) onResolve(ctx workflow.Context, signal promise.Resolve) {
	if c.resolved != nil {
		c.ignore(ctx, promise.SignalResolve)
		return
	}
	signal.Resolution = shortened(signal.Resolution)
	c.resolved, c.resolvedAt = &signal, workflow.Now(ctx)
	if c.dated && !signal.At.IsZero() {
		c.resolvedAt = signal.At
	}
}

func (c *complaint) onFollowedUp(ctx workflow.Context, signal promise.FollowedUp) {
	if c.status.State != promise.ComplaintResolved || c.followedUp {
		c.ignore(ctx, promise.SignalFollowedUp)
		return
	}
	c.followedUp, c.followedUpBy = true, signal.By
}

func (c *complaint) ignore(ctx workflow.Context, signal string) {
	c.status.IgnoredSignals++
	workflow.GetLogger(ctx).Warn("Ignored a signal that came at the wrong time", "signal", signal, "state", string(c.status.State))
}

// run is the life of a complaint.
func (c *complaint) run(ctx workflow.Context) error {
	c.listed = workflow.GetVersion(ctx, changeAttributes, workflow.DefaultVersion, 1) == 1
	// Asked before any signal: it decides whether the follow-up has a timer at all.
	c.dated = workflow.GetVersion(ctx, changeResolvedAt, workflow.DefaultVersion, 1) == 1
	if err := c.list(ctx, c.rungDue(0)); err != nil {
		return err
	}
	if err := recordOpened(ctx, c.input, c.rungDue(0)); err != nil {
		return err
	}
	// Beside the ladder, not before it: a customer who cannot be told must not keep a supervisor from being called.
	workflow.Go(ctx, c.acknowledge)
	if err := c.climb(ctx); err != nil {
		return err
	}
	if err := workflow.Await(ctx, func() bool { return c.resolved != nil }); err != nil {
		return err
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	if err := c.followUp(ctx); err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return c.told })
}

func (c *complaint) acknowledge(ctx workflow.Context) {
	defer func() { c.told = true }()
	if c.input.Acknowledgement == "" {
		return
	}
	err := acknowledge(ctx, Acknowledgement{
		ID: c.input.ID, Conversation: c.input.Conversation, Text: c.input.Acknowledgement, Tell: slices.Clone(c.concerned),
	})
	if err != nil {
		workflow.GetLogger(ctx).Error("Could not acknowledge the complaint", "error", err)
	}
}

// climb calls the role of each rung when its time comes, until the complaint is resolved.
func (c *complaint) climb(ctx workflow.Context) error {
	for i, rung := range c.input.Ladder {
		resolved, err := awaitUntil(ctx, c.rungDue(i), func() bool { return c.resolved != nil })
		if err != nil || resolved {
			return err
		}
		if !slices.Contains(c.concerned, rung.Notify) {
			c.concerned = append(c.concerned, rung.Notify)
		}
		err = escalate(ctx, Escalation{
			ID: c.input.ID, Conversation: c.input.Conversation, Rung: i + 1, Notify: rung.Notify, Outside: c.input.Source != "",
			Due: c.rungDue(i + 1), Tell: slices.Clone(c.concerned),
		})
		if err != nil {
			return err
		}
		c.status.State, c.status.Rung, c.status.EscalatedTo = promise.ComplaintEscalated, i+1, rung.Notify
		if err := c.list(ctx, c.rungDue(i+1)); err != nil {
			return err
		}
	}
	return nil
}

// rungDue is when that rung of the ladder is called, counted from 0; zero for one that there is not.
func (c *complaint) rungDue(i int) time.Time {
	if i >= len(c.input.Ladder) {
		return time.Time{}
	}
	return c.input.StartedAt.Add(time.Duration(c.input.Ladder[i].AfterSeconds) * time.Second)
}

// list tells Temporal where the complaint stands and what is due when, for who looks for it there.
func (c *complaint) list(ctx workflow.Context, deadline time.Time) error {
	if !c.listed {
		return nil
	}
	return temporal.Attributes{
		Brand: promise.BrandOf(c.input.ID), Kind: string(promise.CaseComplaint), State: string(c.status.State), Owner: c.status.EscalatedTo, Deadline: deadline,
	}.Upsert(ctx)
}

// settle records the resolution.
func (c *complaint) settle(ctx workflow.Context) error {
	c.status.State = promise.ComplaintResolved
	c.status.FollowUpDue = c.resolvedAt.Add(time.Duration(c.input.FollowUpWithinDays) * day)
	if err := c.list(ctx, c.status.FollowUpDue); err != nil {
		return err
	}
	return recordResolved(ctx, Resolution{
		ID: c.input.ID, Conversation: c.input.Conversation, By: c.resolved.By, Resolution: c.resolved.Resolution,
		ResolvedAt: c.resolvedAt, FollowUpDue: c.status.FollowUpDue, Tell: slices.Clone(c.concerned),
	})
}

// followUp waits until the customer was asked again. Overdue, it says so once and goes on waiting for a while. Who asked in time while Temporal
// was away is found by the activities, though the timer ran out before their signal came.
func (c *complaint) followUp(ctx workflow.Context) error {
	done := func() bool { return c.followedUp }
	if err := c.remind(ctx, done); err != nil {
		return err
	}
	asked, err := awaitUntil(ctx, c.status.FollowUpDue, done)
	if err != nil {
		return err
	}
	step := FollowUp{ID: c.input.ID, Conversation: c.input.Conversation, Tell: slices.Clone(c.concerned)}
	if !asked {
		already, err := markOverdue(ctx, step)
		if err != nil {
			return err
		}
		c.status.FollowUpOverdue = already.By == ""
		if asked, err = workflow.AwaitWithTimeout(ctx, patience, done); err != nil {
			return err
		}
	}
	if !asked {
		if workflow.GetVersion(ctx, changeLapse, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
			return nil
		}
		already, err := lapse(ctx, step)
		if err != nil || already.By == "" {
			return err
		}
		// This run would end before the signal comes. That the activity answers is what tells the two apart: no history from before has it.
		c.followedUpBy = already.By
	}
	c.status.State, step.By = promise.ComplaintFollowedUp, c.followedUpBy
	if err := c.list(ctx, time.Time{}); err != nil {
		return err
	}
	return recordFollowedUp(ctx, step)
}

// remind reminds those of the follow-up who owe it, before it is due.
func (c *complaint) remind(ctx workflow.Context, done func() bool) error {
	before := time.Duration(c.input.FollowUpRemindSeconds) * time.Second
	if before == 0 || workflow.GetVersion(ctx, changeRemind, workflow.DefaultVersion, 1) != 1 {
		return nil
	}
	due := c.status.FollowUpDue
	asked, err := awaitUntil(ctx, due.Add(-min(before, due.Sub(c.resolvedAt)/2)), done)
	if err != nil || asked || !workflow.Now(ctx).Before(due) {
		return err
	}
	return remind(ctx, FollowUp{ID: c.input.ID, Conversation: c.input.Conversation, By: c.resolved.By})
}

// awaitUntil waits for the condition, at most until the given time; met says whether it holds.
func awaitUntil(ctx workflow.Context, until time.Time, condition func() bool) (met bool, err error) {
	left := until.Sub(workflow.Now(ctx))
	if left <= 0 {
		return condition(), nil
	}
	return workflow.AwaitWithTimeout(ctx, left, condition)
}

func shortened(text string) string {
	if runes := []rune(text); len(runes) > maxResolution {
		return string(runes[:maxResolution])
	}
	return text
}
