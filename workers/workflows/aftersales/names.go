package aftersales

import (
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/provider"
)

// The activities' names. Histories hold them: a name is never changed or used for something else.
const (
	activityOpen        = "aftersales.Open"
	activityEnter       = "aftersales.Enter"
	activityTake        = "aftersales.Take"
	activityLate        = "aftersales.Late"
	activityWarnOverall = "aftersales.WarnOverall"
	activityPerform     = "aftersales.Perform"
	activityTell        = "aftersales.Tell"
	activityDispute     = "aftersales.Dispute"
	activityUntold      = "aftersales.Untold"

	activityOrderPerform = "order.Perform"
	activityOrderTake    = "order.Take"
	activityOrderLate    = "order.Late"
	activityOrderTell    = "order.Tell"
	activityOrderUntold  = "order.Untold"
)

// changeDispute is since when supervisors are called where a customer disputes the end. Histories hold it.
const changeDispute = "dispute"

// changeListed is since when a case that is given to another Agent is found under their name. Histories hold it.
const changeListed = "listed"

// changeFollows is since when a case is found by the deadline of goods that are on their way as soon as they are. Histories hold it.
const changeFollows = "follows"

// changeAsks is since when it is late that nobody asked the customer whether all is well. Histories hold it.
const changeAsks = "asks"

// changeUntold is since when it is written down that a customer could not be told in time. Histories hold it.
const changeUntold = "untold"

// errorGone is the type of the error that no retry heals: the case is not there any more, or never was one.
const errorGone = "CaseGone"

const (
	// attempt bounds one run of an activity, one transaction; it is how long a step waits when its worker dies.
	attempt = 5 * time.Second
	// callAttempt bounds one run of Perform: two transactions and a call of the provider between them.
	callAttempt = provider.Timeout + 2*attempt
	// tellWithin is how long news are worth telling.
	tellWithin = 10 * time.Minute
)

// options are those of an activity: tried until it succeeds, for database and provider come back and what is owed stays owed.
func options(name string) workflow.ActivityOptions {
	o := workflow.ActivityOptions{
		StartToCloseTimeout: attempt,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: time.Minute, NonRetryableErrorTypes: []string{errorGone},
		},
	}
	switch name {
	case activityPerform, activityOrderPerform:
		o.StartToCloseTimeout = callAttempt
		o.RetryPolicy.InitialInterval, o.RetryPolicy.MaximumInterval = time.Second, 5*time.Minute
	case activityTell, activityOrderTell:
		o.ScheduleToCloseTimeout = tellWithin
	}
	return o
}

func execute[Result any](ctx workflow.Context, name string, argument any) (result Result, err error) {
	err = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options(name)), name, argument).Get(ctx, &result)
	return result, err
}

func open(ctx workflow.Context, input promise.AfterSalesInput) (Standing, error) {
	return execute[Standing](ctx, activityOpen, input)
}

func enter(ctx workflow.Context, e Entering) (Entered, error) {
	return execute[Entered](ctx, activityEnter, e)
}

func take(ctx workflow.Context, t Taking) (Taken, error) { return execute[Taken](ctx, activityTake, t) }

func late(ctx workflow.Context, l Lateness) (Standing, error) {
	return execute[Standing](ctx, activityLate, l)
}

func warnOverall(ctx workflow.Context, l Lateness) (Standing, error) {
	return execute[Standing](ctx, activityWarnOverall, l)
}

func dispute(ctx workflow.Context, r Reference) error {
	_, err := execute[Standing](ctx, activityDispute, r)
	return err
}

func perform(ctx workflow.Context, p Performing) (Standing, error) {
	return execute[Standing](ctx, activityPerform, p)
}

func tell(ctx workflow.Context, t Telling) error { return tellBy(ctx, activityTell, activityUntold, t) }

func tellOrder(ctx workflow.Context, t Telling) error {
	return tellBy(ctx, activityOrderTell, activityOrderUntold, t)
}

// tellBy tells the customer, or, where that took longer than news are worth telling, sees to it that somebody knows that they were not. That
// they were not told is an error all the same.
func tellBy(ctx workflow.Context, name, untold string, t Telling) error {
	run := func(name string) error {
		return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options(name)), name, t).Get(ctx, nil)
	}
	err := run(name)
	if err == nil || workflow.GetVersion(ctx, changeUntold, workflow.DefaultVersion, 1) != 1 {
		return err
	}
	return errors.Join(err, run(untold))
}

// Register makes a worker serve after-sales cases, and what is asked of orders.
func Register(registry worker.Registry, activities *Activities) {
	registry.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: promise.AfterSalesWorkflow})
	registry.RegisterWorkflowWithOptions(OrderWorkflow, workflow.RegisterOptions{Name: promise.OrderWorkflow})
	for name, function := range activities.table() {
		registry.RegisterActivityWithOptions(function, activity.RegisterOptions{Name: name})
	}
}
