package mail

import (
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/mailer"
	"github.com/yingda-dev/yingda/internal/promise"
)

// The activities' names. Histories hold them: a name is never changed or used for something else.
const (
	activitySend        = "mail.Send"
	activityUndelivered = "mail.Undelivered"
)

// The types of the errors of Send.
const (
	// errorGone: the case, or its customer's address, is not there any more. errorRefused: no other try helps.
	errorGone    = "CaseGone"
	errorRefused = "MailRefused"
	// errorNotTaken is tried again.
	errorNotTaken = "MailNotTaken"
)

const (
	// attempt bounds one transaction, sendAttempt the handing in of a mail.
	attempt     = 5 * time.Second
	sendAttempt = mailer.Timeout + attempt
	// worthSending is how long news of a case are worth sending.
	worthSending = 24 * time.Hour
)

// options are those of an activity. Servers that want a mail later mean minutes: who asks more often is held for a sender of spam.
func options(name string) workflow.ActivityOptions {
	if name == activitySend {
		return workflow.ActivityOptions{
			StartToCloseTimeout: sendAttempt, ScheduleToCloseTimeout: worthSending,
			RetryPolicy: &temporal.RetryPolicy{
				InitialInterval: time.Minute, BackoffCoefficient: 2, MaximumInterval: time.Hour, NonRetryableErrorTypes: []string{errorGone, errorRefused},
			},
		}
	}
	return workflow.ActivityOptions{
		StartToCloseTimeout: attempt,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: time.Minute, NonRetryableErrorTypes: []string{errorGone},
		},
	}
}

func send(ctx workflow.Context, input promise.MailInput) error {
	return execute(ctx, activitySend, input)
}

func undelivered(ctx workflow.Context, input promise.MailInput) error {
	return execute(ctx, activityUndelivered, input)
}

func execute(ctx workflow.Context, name string, input promise.MailInput) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options(name)), name, input).Get(ctx, nil)
}

// Register makes a worker write mails.
func Register(registry worker.Registry, activities *Activities) {
	registry.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: promise.MailWorkflow})
	for name, function := range activities.table() {
		registry.RegisterActivityWithOptions(function, activity.RegisterOptions{Name: name})
	}
}
