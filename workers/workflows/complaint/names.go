package complaint

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
	activityRecordOpened     = "complaint.RecordOpened"
	activityAcknowledge      = "complaint.Acknowledge"
	activityEscalate         = "complaint.Escalate"
	activityRecordResolved   = "complaint.RecordResolved"
	activityRemind           = "complaint.Remind"
	activityMarkOverdue      = "complaint.MarkOverdue"
	activityRecordFollowedUp = "complaint.RecordFollowedUp"
	activityLapse            = "complaint.Lapse"
)

// The changes of what running complaints do, by the names that histories hold.
const (
	// changeLapse closes the case when nobody waits for the follow-up any more.
	changeLapse = "lapse"
	// changeResolvedAt counts the follow-up's days from when somebody resolved the complaint.
	changeResolvedAt = "resolved-at"
	// changeRemind reminds of the follow-up before it is due.
	changeRemind = "remind"
)

// changeAttributes is since when a complaint has search attributes. Histories hold it.
const changeAttributes = "search-attributes"

// errorGone is the type of the error that no retry heals: the conversation is not there any more.
const errorGone = "ConversationGone"

// attempt bounds one run of an activity, one transaction; it is how long a step waits when its worker dies.
const attempt = 5 * time.Second

// acknowledgeWithin is how long an acknowledgement is worth sending.
const acknowledgeWithin = 10 * time.Minute

// options are those of an activity: tried until it succeeds, for the database comes back and the promise stays.
func options(name string) workflow.ActivityOptions {
	o := workflow.ActivityOptions{
		StartToCloseTimeout: attempt,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:        200 * time.Millisecond,
			BackoffCoefficient:     2,
			MaximumInterval:        time.Minute,
			NonRetryableErrorTypes: []string{errorGone},
		},
	}
	if name == activityAcknowledge {
		o.ScheduleToCloseTimeout = acknowledgeWithin
	}
	return o
}

func execute(ctx workflow.Context, name string, argument any) error {
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options(name)), name, argument).Get(ctx, nil)
}

// ask is execute for an activity that answers who has asked the customer again.
func ask(ctx workflow.Context, name string, argument any) (asked Asked, err error) {
	err = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options(name)), name, argument).Get(ctx, &asked)
	return asked, err
}

func recordOpened(ctx workflow.Context, input promise.ComplaintInput, due time.Time) error {
	return execute(ctx, activityRecordOpened, Opening{
		ID: input.ID, Conversation: input.Conversation, Channel: input.Channel, Customer: input.Customer,
		SkillGroup: input.SkillGroup, OpenedAt: input.StartedAt, Due: due, Tell: []string{promise.RoleSupervisor},
	})
}

func acknowledge(ctx workflow.Context, a Acknowledgement) error {
	return execute(ctx, activityAcknowledge, a)
}

func escalate(ctx workflow.Context, e Escalation) error { return execute(ctx, activityEscalate, e) }

func recordResolved(ctx workflow.Context, r Resolution) error {
	return execute(ctx, activityRecordResolved, r)
}

func remind(ctx workflow.Context, f FollowUp) error { return execute(ctx, activityRemind, f) }

func markOverdue(ctx workflow.Context, f FollowUp) (Asked, error) {
	return ask(ctx, activityMarkOverdue, f)
}

func lapse(ctx workflow.Context, f FollowUp) (Asked, error) { return ask(ctx, activityLapse, f) }

func recordFollowedUp(ctx workflow.Context, f FollowUp) error {
	return execute(ctx, activityRecordFollowedUp, f)
}

// Register makes a worker serve complaints.
func Register(registry worker.Registry, activities *Activities) {
	registry.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: promise.ComplaintWorkflow})
	for name, function := range activities.table() {
		registry.RegisterActivityWithOptions(function, activity.RegisterOptions{Name: name})
	}
}
