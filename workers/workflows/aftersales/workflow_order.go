package aftersales

import (
	"time"

	"go.temporal.io/sdk/workflow"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/workers/workflows/deadline"
)

// OrderWorkflow has an order sent elsewhere, or cancelled, and tells the customer what became of it; its type is promise.OrderWorkflow.
//
//	OrderPerform --> done, refused --> OrderTell
//	   |         \-> by hand: until somebody says that it is done, or will not be
//	   +-- deadline: Remind, Breach, Escalate...
//
// The case's row is written by the desk that starts it, and is the truth, as for after-sales cases. It goes on though it is cancelled:
// what the provider may have been told has an end, of which the customer hears.
func OrderWorkflow(ctx workflow.Context, input promise.OrderInput) (promise.OrderStatus, error) {
	detached, _ := workflow.NewDisconnectedContext(ctx)
	o := &orderCase{input: input, standing: Standing{State: "asked", Owner: input.OpenedBy}}
	err := workflow.SetQueryHandlerWithOptions(detached, promise.QueryStatus,
		func() (promise.OrderStatus, error) { return o.status(), nil },
		workflow.QueryHandlerOptions{Description: "Where the case stands."})
	if err != nil {
		return promise.OrderStatus{}, err
	}
	err = o.run(detached)
	return o.status(), err
}

// orderCase is the state of a run.
type orderCase struct {
	input    promise.OrderInput
	standing Standing
	ignored  int
	// failed is what no retry heals.
	failed error
	// keeping says that a step of the deadline is being taken.
	keeping bool
}

func (o *orderCase) status() promise.OrderStatus {
	s := promise.OrderStatus{State: o.standing.State, IgnoredSignals: o.ignored}
	if !o.ended() {
		s.Due = o.input.Due
	}
	return s
}

func (o *orderCase) ended() bool { return o.standing.State.Ended() }

func (o *orderCase) over() bool { return o.ended() || o.failed != nil }

// follow takes note of where the case stands, unless newer is known, or of why nobody knows.
func (o *orderCase) follow(s Standing, err error) {
	if err != nil {
		o.failed = err
		return
	}
	if s.Revision >= o.standing.Revision {
		o.standing = s
	}
}

// run goes on until the case has ended and the customer was told.
func (o *orderCase) run(ctx workflow.Context) error {
	workflow.Go(ctx, o.listen)
	workflow.Go(ctx, o.keepDeadline)
	workflow.Go(ctx, func(ctx workflow.Context) {
		o.follow(execute[Standing](ctx, activityOrderPerform, Performing{Case: o.reference(), Operation: o.input.Operation, Attempt: 1}))
	})
	for !o.over() {
		if err := o.list(ctx, o.input.Due); err != nil {
			return err
		}
		owner := o.standing.Owner
		if err := workflow.Await(ctx, func() bool { return o.over() || o.standing.Owner != owner }); err != nil {
			return err
		}
	}
	if o.failed != nil {
		return o.failed
	}
	if err := o.list(ctx, time.Time{}); err != nil {
		return err
	}
	if err := tellOrder(ctx, Telling{Case: o.reference(), TimeZone: o.input.TimeZone}); err != nil {
		workflow.GetLogger(ctx).Error("Could not tell the customer what became of an order", "error", err)
	}
	return workflow.Await(ctx, func() bool { return !o.keeping })
}

// list lets people find the case in Temporal by where it stands.
func (o *orderCase) list(ctx workflow.Context, due time.Time) error {
	return temporal.Attributes{
		Brand: promise.BrandOf(o.input.ID), Kind: string(promise.CaseOrder), State: string(o.standing.State), Owner: o.standing.Owner, Deadline: due,
	}.Upsert(ctx)
}

// keepDeadline reminds of what is nearly due, and calls for help with what is late.
func (o *orderCase) keepDeadline(ctx workflow.Context) {
	before := min(time.Duration(o.input.RemindBeforeSeconds)*time.Second, o.input.Due.Sub(o.input.StartedAt)/2)
	d := deadline.Deadline{Due: o.input.Due, RemindAt: o.input.Due.Add(-before), Ladder: o.input.Ladder}
	err := d.Keep(ctx, o.over, func(ctx workflow.Context, step deadline.Step) error {
		o.keeping = true
		defer func() { o.keeping = false }()
		o.follow(execute[Standing](ctx, activityOrderLate, Lateness{Case: o.reference(), Deadline: step}))
		return o.failed
	})
	if err != nil {
		o.failed = err
	}
}

// listen takes the acts that come, one after the other. What is wrong in the case's state is counted and changes nothing.
func (o *orderCase) listen(ctx workflow.Context) {
	acts := workflow.GetSignalChannel(ctx, promise.SignalAct)
	for {
		var act rules.Act
		acts.Receive(ctx, &act)
		taken, err := execute[Taken](ctx, activityOrderTake, Taking{Case: o.reference(), Act: act})
		o.follow(taken.Standing, err)
		if taken.Refused != "" {
			o.ignored++
			workflow.GetLogger(ctx).Warn("Ignored an act that was wrong in the case's state", "action", string(act.Action), "reason", taken.Refused)
		}
	}
}

func (o *orderCase) reference() Reference {
	return Reference{ID: o.input.ID, SkillGroup: o.input.SkillGroup}
}
