package task

import (
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
)

// The activities' names. Histories hold them: a name is never changed or used for something else.
const (
	activityPlan     = "task.Plan"
	activityRemind   = "task.Remind"
	activityMarkLate = "task.MarkLate"
	activityCall     = "task.Call"
	activityClose    = "task.Close"
)

// changeAttributes is since when a task has search attributes. Histories hold it.
const changeAttributes = "search-attributes"

// changeOwner is since when they tell of a new owner at once. Histories hold it.
const changeOwner = "owner-at-once"

// errorGone is the type of the error that no retry heals: the case is not there any more.
const errorGone = "CaseGone"

// attempt bounds one run of an activity, one transaction; it is how long a step waits when its worker dies.
const attempt = 5 * time.Second

// options are those of every activity: tried until it succeeds, for the database comes back and the promise stays.
func options() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: attempt,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:        200 * time.Millisecond,
			BackoffCoefficient:     2,
			MaximumInterval:        time.Minute,
			NonRetryableErrorTypes: []string{errorGone},
		},
	}
}

func execute(ctx workflow.Context, name string, argument, result any) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options()), name, argument).Get(ctx, result)
}

func plan(ctx workflow.Context, p Planning) (o Opening, err error) {
	err = execute(ctx, activityPlan, p, &o)
	return o, err
}

func remind(ctx workflow.Context, t Taking) error   { return execute(ctx, activityRemind, t, nil) }
func markLate(ctx workflow.Context, t Taking) error { return execute(ctx, activityMarkLate, t, nil) }
func call(ctx workflow.Context, t Taking) error     { return execute(ctx, activityCall, t, nil) }

func closeCase(ctx workflow.Context, c Closing) error { return execute(ctx, activityClose, c, nil) }

// Register makes a worker serve tasks.
func Register(registry worker.Registry, activities *Activities) {
	registry.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: promise.TaskWorkflow})
	for name, function := range activities.table() {
		registry.RegisterActivityWithOptions(function, activity.RegisterOptions{Name: name})
	}
}
