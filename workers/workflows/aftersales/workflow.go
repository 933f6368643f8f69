// Package aftersales is the workflow that carries a return, an exchange, a refund or a reissue: it keeps the deadline of each step, has the
// Brand's provider pay and send, and tells customer and desk of each change.
//
//	Open --> for each step:  Enter --> Tell, beside
//	                          |-- deadline: Remind, Breach, Escalate...    (the customer's: Remind, and the case expires,
//	                          |                                             but not of goods that are on their way;
//	                          |                                             that to ask them: 30 days later it is done)
//	                          |-- overall:  WarnOverall, once a case
//	                          |-- Perform, where something is to be paid or sent
//	                          +-- until somebody acts, or the provider has done it: the next step
//	 \-> at the end Dispute, where the customer is not content
//
// What a case is, and what may be done to it, internal/domain/aftersales says; the truth is the case's row, which desk and workflow change by
// the same rules under the same lock. The workflow follows it: each activity returns where the case stands. Invariants: every step has
// effect once, however often its activity runs; an act that is wrong in the case's state is counted and changes nothing; limits
// are those of the time when the case began. All of it runs detached from the workflow's own context: a workflow that is cancelled
// withdraws the case by the rules, takes back what was paid for goods that do not come, and ends then.
package aftersales

import (
	"strconv"
	"time"

	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/workers/workflows/deadline"
)

// atOnce is how quickly a provider does what is not worth announcing.
const atOnce = 10 * time.Second

// patience is how long somebody may still ask the customer after the last step of that deadline.
const patience = 30 * 24 * time.Hour

// Workflow carries one case; its type is promise.AfterSalesWorkflow. Carried is of the run before, where there was one.
func Workflow(ctx workflow.Context, input promise.AfterSalesInput, carried *Carried) (promise.AfterSalesStatus, error) {
	detached, _ := workflow.NewDisconnectedContext(ctx)
	c, err := newCase(detached, input, carried)
	if err != nil {
		return promise.AfterSalesStatus{}, err
	}
	workflow.Go(ctx, c.awaitCancel)
	if err := c.run(detached); err != nil {
		return c.status(), err
	}
	if c.Cancelled {
		return c.status(), sdk.NewCanceledError()
	}
	return c.status(), nil
}

// Carried is what a case takes along when it continues as a new run. Histories hold it: fields are added, never renamed.
type Carried struct {
	Standing Standing `json:"standing"`
	// Entered is the step whose Deadline this is; -1 before the first.
	Entered  int               `json:"entered"`
	Deadline deadline.Deadline `json:"deadline,omitzero"`
	// Follows says that the Deadline moves as soon as the goods are on their way, not once the customer's is over.
	Follows bool `json:"follows,omitempty"`
	// Asks says that the customer who got all is to be asked by the Deadline: it is missed where nobody does.
	Asks bool `json:"asks,omitempty"`
	// Spent is how much of the overall limit is gone, and since when the rest runs; zero while it stands still.
	Spent time.Duration `json:"spent,omitempty"`
	Since time.Time     `json:"since,omitzero"`
	// Warned says that the overall limit was passed.
	Warned bool `json:"warned,omitempty"`
	// Announced is the newest step of which the customer was to hear, -1 before the first; Untold are those of which they have not yet.
	Announced int   `json:"announced"`
	Untold    []int `json:"untold,omitempty"`
	// Ignored is how many signals meant nothing.
	Ignored   int  `json:"ignored,omitempty"`
	Cancelled bool `json:"cancelled,omitempty"`
}

// afterSales is the state of one run.
type afterSales struct {
	Carried

	input promise.AfterSalesInput
	acts  workflow.ReceiveChannel
	// busy is how many things are done that must not be cut off.
	busy int
	// telling says that the customer is being told.
	telling bool
	// listed is under whose name people find the case.
	listed string
}

// newCase registers the query, and begins to take signals once the case is open.
func newCase(ctx workflow.Context, input promise.AfterSalesInput, carried *Carried) (*afterSales, error) {
	c := &afterSales{input: input, Carried: Carried{Entered: -1, Announced: -1}, acts: workflow.GetSignalChannel(ctx, promise.SignalAct)}
	err := workflow.SetQueryHandlerWithOptions(ctx, promise.QueryStatus,
		func() (promise.AfterSalesStatus, error) { return c.status(), nil },
		workflow.QueryHandlerOptions{Description: "Where the case stands."})
	if err != nil {
		return nil, err
	}
	if carried != nil {
		c.Carried = *carried
		c.listed = c.Standing.Owner // The run before listed it, and a run inherits that.
		return c, nil
	}
	standing, err := open(ctx, input)
	c.follow(standing)
	return c, err
}

func (c *afterSales) status() promise.AfterSalesStatus {
	return promise.AfterSalesStatus{
		State: c.Standing.State, Step: c.Standing.Step, Due: c.Deadline.Due, OverallLate: c.Warned, IgnoredSignals: c.Ignored,
	}
}

// follow takes note of where the case stands, unless newer is known.
func (c *afterSales) follow(s Standing) {
	if s.Revision >= c.Standing.Revision {
		c.Standing = s
	}
}

// run goes from step to step until the case has ended.
func (c *afterSales) run(ctx workflow.Context) error {
	workflow.Go(ctx, c.listen)
	workflow.Go(ctx, c.tellAll)
	for !c.Standing.State.Ended() {
		step := c.Standing.Step
		if err := c.enter(ctx, step); err != nil {
			return err
		}
		again, err := c.stay(ctx, step)
		if err != nil {
			return err
		}
		if again {
			return workflow.NewContinueAsNewError(ctx, promise.AfterSalesWorkflow, c.input, &c.Carried)
		}
	}
	c.Deadline = deadline.Deadline{}
	if c.Standing.Disputed && workflow.GetVersion(ctx, changeDispute, workflow.DefaultVersion, 1) == 1 {
		if err := dispute(ctx, c.reference()); err != nil {
			return err
		}
	}
	if err := c.list(ctx); err != nil {
		return err
	}
	c.untold(c.Standing.Step)
	return workflow.Await(ctx, func() bool { return c.quiet() && len(c.Untold) == 0 && !c.telling })
}

// enter learns until when a step has to be done, once.
func (c *afterSales) enter(ctx workflow.Context, step int) error {
	if c.Entered >= step {
		return nil
	}
	byProvider := c.Standing.Operation != ""
	entered, err := enter(ctx, Entering{Case: c.reference(), Step: step, Terms: c.input.Terms})
	if err != nil {
		return err
	}
	c.follow(entered.Standing)
	c.Entered = step
	c.Deadline = deadline.Deadline{Due: entered.Due, RemindAt: entered.RemindAt, Ladder: c.input.Ladder}
	switch c.Standing.State {
	case rules.StateReturning:
		c.Follows = workflow.GetVersion(ctx, changeFollows, workflow.DefaultVersion, 1) == 1
	case rules.StateSettled:
		c.Asks = workflow.GetVersion(ctx, changeAsks, workflow.DefaultVersion, 1) == 1
	default:
	}
	if c.expires() {
		c.Deadline.Ladder = nil
	}
	if !byProvider { // Also where the case has left the step meanwhile: the customer hears of each.
		c.untold(step)
	}
	return c.list(ctx)
}

// expires says whether the step's deadline is that of a customer who has to do something, so that the case ends with it.
func (c *afterSales) expires() bool {
	return c.Standing.State.Waits() && c.Standing.ArriveBy.IsZero() && !c.Asks
}

// list lets people find the case in Temporal by where it stands.
func (c *afterSales) list(ctx workflow.Context) error {
	c.listed = c.Standing.Owner
	return temporal.Attributes{
		Brand: promise.BrandOf(c.input.ID), Kind: string(promise.CaseAfterSales), State: string(c.Standing.State), Owner: c.Standing.Owner,
		Deadline: c.Deadline.Due,
	}.Upsert(ctx)
}

// keepListed lets people find the case by its owner while that changes within a step.
func (c *afterSales) keepListed(within, ctx workflow.Context, left func() bool) error {
	for {
		if err := workflow.Await(within, func() bool { return left() || c.Standing.Owner != c.listed }); err != nil || left() {
			return err
		}
		if workflow.GetVersion(ctx, changeListed, workflow.DefaultVersion, 1) != 1 {
			return nil
		}
		if err := c.list(ctx); err != nil {
			return err
		}
	}
}

// stay keeps the deadlines of a step, and has done what is to be done in it, until the case leaves it; or until this run has become so long
// that another is to go on.
func (c *afterSales) stay(ctx workflow.Context, step int) (again bool, err error) {
	left := func() bool { return c.Standing.Step != step }
	within, stop := workflow.WithCancel(ctx)
	running := workflow.NewWaitGroup(ctx)
	for _, keep := range []func(within, ctx workflow.Context, left func() bool) error{c.keepDeadline, c.keepOverall, c.perform, c.announce, c.keepListed} {
		running.Add(1)
		workflow.Go(within, func(within workflow.Context) {
			defer running.Done()
			// What has begun when the case leaves the step is brought to its end.
			ctx, _ := workflow.NewDisconnectedContext(within)
			if failed := keep(within, ctx, left); failed != nil && !sdk.IsCanceledError(failed) && err == nil {
				err = failed
			}
		})
	}
	awaited := workflow.Await(ctx, func() bool {
		again = !left() && workflow.GetInfo(ctx).GetContinueAsNewSuggested() && c.quiet() && !c.telling
		return left() || err != nil || again
	})
	stop()
	running.Wait(ctx)
	if awaited != nil {
		return false, awaited
	}
	return again && !left() && c.quiet() && !c.telling, err
}

// quiet says that nothing is done, or waits to be, that must not be cut off.
func (c *afterSales) quiet() bool { return c.busy == 0 && c.acts.Len() == 0 }

// doing counts what must not be cut off.
func (c *afterSales) doing(f func() error) error {
	c.busy++
	defer func() { c.busy-- }()
	return f()
}

// keepDeadline keeps the step's own.
func (c *afterSales) keepDeadline(within, ctx workflow.Context, left func() bool) error {
	if c.Deadline.Due.IsZero() {
		return nil
	}
	over := func() bool { return left() || c.Follows && c.moved() }
	keep := func() error {
		return c.Deadline.Keep(within, over, func(_ workflow.Context, s deadline.Step) error {
			return c.doing(func() error { return c.takeStep(ctx, s) })
		})
	}
	for {
		if err := keep(); err != nil || left() {
			return err
		}
		if c.Asks {
			return c.lapse(within, ctx, left)
		}
		if !c.moved() {
			return nil
		}
		// The wait for the customer has no ladder; that for goods which should be here by then has.
		next := deadline.Deadline{Due: c.Standing.ArriveBy, Ladder: c.input.Ladder}
		if !c.Deadline.RemindAt.IsZero() {
			next.RemindAt = next.Due.Add(c.Deadline.RemindAt.Sub(c.Deadline.Due))
		}
		c.Deadline = next
		if err := c.list(ctx); err != nil {
			return err
		}
	}
}

// moved says whether the goods are on their way, which takes until later than the customer had.
func (c *afterSales) moved() bool { return c.Standing.ArriveBy.After(c.Deadline.Due) }

// takeStep does what is to be done now that a step is nearly due, or late.
func (c *afterSales) takeStep(ctx workflow.Context, s deadline.Step) error {
	step := c.Standing.Step
	if c.moved() {
		return nil
	}
	if s.Kind == deadline.Breach && c.expires() {
		if err := c.expire(ctx, ""); err != nil {
			return err
		}
		// Where the desk knew first that the goods are on their way, the rules have refused it.
		if c.Standing.Step != step || c.Standing.ArriveBy.IsZero() || c.moved() {
			return nil
		}
	}
	standing, err := late(ctx, Lateness{
		Case: c.reference(), Step: step, Deadline: s, OnTheWay: !c.Standing.ArriveBy.IsZero(), TimeZone: c.input.Terms.Policy.TimeZone,
	})
	c.follow(standing)
	return err
}

// expire ends the wait of the step, and says why where that is not plain.
func (c *afterSales) expire(ctx workflow.Context, note string) error {
	return c.take(ctx, rules.Act{ID: "expire/" + strconv.Itoa(c.Standing.Step), Action: rules.ActionExpire, Note: note})
}

// lapse ends the case whose customer nobody has asked for so long that nobody waits for it any more.
func (c *afterSales) lapse(within, ctx workflow.Context, left func() bool) error {
	asked, err := workflow.AwaitWithTimeout(within, patience, left)
	if err != nil || asked {
		return err
	}
	return c.doing(func() error { return c.expire(ctx, "无人回访客户") })
}

// keepOverall warns once of a case that has waited for the brand for too long. While neither money nor goods are owed it stands still.
func (c *afterSales) keepOverall(within, ctx workflow.Context, left func() bool) error {
	overall := time.Duration(c.input.Terms.Limits.Overall) * time.Second
	if overall == 0 || c.Warned || c.Standing.State.Waits() {
		return nil
	}
	c.Since = workflow.Now(ctx)
	defer func() {
		c.Spent += workflow.Now(ctx).Sub(c.Since)
		c.Since = time.Time{}
	}()
	whole := deadline.Deadline{Due: c.Since.Add(overall - c.Spent)}
	return whole.Keep(within, left, func(_ workflow.Context, s deadline.Step) error {
		c.Warned = true
		return c.doing(func() error {
			standing, err := warnOverall(ctx, Lateness{Case: c.reference(), Step: c.Standing.Step, Deadline: s})
			c.follow(standing)
			return err
		})
	})
}

// perform has the provider do what is to be done in the step. Cut off, it is taken up again by the next run under the same key.
func (c *afterSales) perform(within, _ workflow.Context, left func() bool) error {
	for !left() && c.Standing.Operation != "" {
		if c.Standing.underWay() {
			standing, err := perform(within, Performing{Case: c.reference(), Operation: c.Standing.Operation, Attempt: c.Standing.Attempt})
			if err != nil {
				return err
			}
			c.follow(standing)
		}
		// Until somebody did it by hand, or has it tried again.
		if err := workflow.Await(within, func() bool { return left() || c.Standing.underWay() }); err != nil {
			return err
		}
	}
	return nil
}

// listen takes the acts that come, one after the other. One that is not taken yet stays in its channel, where quiet sees it.
func (c *afterSales) listen(ctx workflow.Context) {
	for {
		if err := workflow.Await(ctx, func() bool { return c.acts.Len() > 0 }); err != nil {
			return
		}
		_ = c.doing(func() error {
			var act rules.Act
			if !c.acts.ReceiveAsync(&act) {
				return nil
			}
			return c.take(ctx, act)
		})
	}
}

// take does something to the case. What is wrong in its state is counted and changes nothing.
func (c *afterSales) take(ctx workflow.Context, act rules.Act) error {
	taken, err := take(ctx, Taking{Case: c.reference(), Act: act})
	if err != nil {
		return err
	}
	c.follow(taken.Standing)
	if taken.Refused != "" {
		c.Ignored++
		workflow.GetLogger(ctx).Warn("Ignored an act that was wrong in the case's state", "action", string(act.Action), "reason", taken.Refused)
	}
	return nil
}

// awaitCancel withdraws the case when its workflow is cancelled, as soon as nothing is under way that nobody knows the end of.
func (c *afterSales) awaitCancel(ctx workflow.Context) {
	_ = workflow.Await(ctx, func() bool { return c.Cancelled }) // It ends with the context, or did so in the run before.
	c.Cancelled = true
	detached, _ := workflow.NewDisconnectedContext(ctx)
	if err := workflow.Await(detached, func() bool { return !c.Standing.underWay() || c.Standing.State.Ended() }); err != nil {
		return
	}
	if c.Standing.State.Ended() {
		return
	}
	_ = c.doing(func() error {
		return c.take(detached, rules.Act{ID: string(rules.ActionCancel), Action: rules.ActionCancel, Note: "流程被取消"})
	})
}

// announce has the customer hear of what a provider does, unless it does so at once, and they hear that it is done: messages are few.
func (c *afterSales) announce(within, _ workflow.Context, left func() bool) error {
	if left() || c.Announced >= c.Standing.Step {
		return nil
	}
	if gone, err := workflow.AwaitWithTimeout(within, atOnce, left); err != nil || gone {
		return err
	}
	c.untold(c.Standing.Step)
	return nil
}

// untold notes that the customer is to hear of a step.
func (c *afterSales) untold(step int) {
	c.Announced = step
	c.Untold = append(c.Untold, step)
}

// tellAll tells the customer of each step, in their order. A customer who cannot be told holds nothing up.
func (c *afterSales) tellAll(ctx workflow.Context) {
	for {
		if err := workflow.Await(ctx, func() bool { return len(c.Untold) > 0 }); err != nil {
			return
		}
		c.telling = true
		step := c.Untold[0]
		c.Untold = c.Untold[1:]
		if err := tell(ctx, Telling{Case: c.reference(), Step: step, TimeZone: c.input.Terms.Policy.TimeZone}); err != nil {
			workflow.GetLogger(ctx).Error("Could not tell the customer of a step", "error", err)
		}
		c.telling = false
	}
}

func (c *afterSales) reference() Reference {
	return Reference{ID: c.input.ID, SkillGroup: c.input.SkillGroup}
}
