package emergency

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
	activityRecordOpened = "emergency.RecordOpened"
	activityCheck        = "emergency.Check"
	activityRecordClosed = "emergency.RecordClosed"
)

// changeAttributes is since when an emergency has search attributes. Histories hold it.
const changeAttributes = "search-attributes"

// attempt bounds one run of an activity, one transaction; it is how long a step waits when its worker dies.
const attempt = 10 * time.Second

// options are those of every activity: tried until it succeeds, for the database comes back and the promise stays.
func options() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: attempt,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: time.Minute},
	}
}

func execute(ctx workflow.Context, name string, argument, result any) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options()), name, argument).Get(ctx, result)
}

func recordOpened(ctx workflow.Context, input promise.EmergencyInput) error {
	input.Carried = nil
	return execute(ctx, activityRecordOpened, Opening{EmergencyInput: input}, nil)
}

func check(ctx workflow.Context, input promise.EmergencyInput) (calm bool, err error) {
	var outcome CheckOutcome
	err = execute(ctx, activityCheck, Scope{Number: input.Number, SkillGroup: input.SkillGroup, CalmForSeconds: input.CalmForSeconds}, &outcome)
	return outcome.Calm, err
}

// recordClosed is false where somebody has said meanwhile that it is to last on.
func recordClosed(ctx workflow.Context, input promise.EmergencyInput, by *promise.EmergencyClose) (closed bool, err error) {
	closing := Closing{ID: input.ID, Number: input.Number}
	if by != nil {
		closing.By = by.By
	}
	var outcome CloseOutcome
	err = execute(ctx, activityRecordClosed, closing, &outcome)
	return outcome.Closed, err
}

// Register makes a worker keep emergencies.
func Register(registry worker.Registry, activities *Activities) {
	registry.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: promise.EmergencyWorkflow})
	for name, function := range activities.table() {
		registry.RegisterActivityWithOptions(function, activity.RegisterOptions{Name: name})
	}
}
