package quality

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
	activitySelect = "quality.Select"
	activityAssign = "quality.Assign"
	activityRemind = "quality.Remind"
	activityReport = "quality.Report"
)

// errorSettings is the type of the error that no retry heals: the input says what cannot be.
const errorSettings = "BadSettings"

const (
	// aReport is how long reading some weeks may take, aDay a day or telling of all that is late, aStep some dozens of transactions; a
	// step waits so long when its worker dies.
	aReport = 15 * time.Minute
	aDay    = 2 * time.Minute
	aStep   = 20 * time.Second
)

// options are those of an activity: tried until it succeeds or the run ends, for the database comes back.
func options(name string) workflow.ActivityOptions {
	o := workflow.ActivityOptions{
		StartToCloseTimeout: aStep,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:        200 * time.Millisecond,
			BackoffCoefficient:     2,
			MaximumInterval:        time.Minute,
			NonRetryableErrorTypes: []string{errorSettings},
		},
	}
	switch name {
	case activitySelect, activityRemind:
		o.StartToCloseTimeout = aDay
	case activityReport:
		o.StartToCloseTimeout = aReport
	}
	return o
}

func execute(ctx workflow.Context, name string, argument, result any) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options(name)), name, argument).Get(ctx, result)
}

func choose(ctx workflow.Context, s Selection) (chosen Selected, err error) {
	err = execute(ctx, activitySelect, s, &chosen)
	return chosen, err
}

func assign(ctx workflow.Context, a Assignments) error { return execute(ctx, activityAssign, a, nil) }

func remind(ctx workflow.Context, r Reminder) (overdue int, err error) {
	err = execute(ctx, activityRemind, r, &overdue)
	return overdue, err
}

func count(ctx workflow.Context, w Weeks) (counted promise.QualityWeekResult, err error) {
	err = execute(ctx, activityReport, w, &counted)
	return counted, err
}

// Register makes a worker look back on conversations.
func Register(registry worker.Registry, activities *Activities) {
	registry.RegisterWorkflowWithOptions(Sample, workflow.RegisterOptions{Name: promise.QualitySampleWorkflow})
	registry.RegisterWorkflowWithOptions(Week, workflow.RegisterOptions{Name: promise.QualityWeekWorkflow})
	for name, function := range activities.table() {
		registry.RegisterActivityWithOptions(function, activity.RegisterOptions{Name: name})
	}
}
