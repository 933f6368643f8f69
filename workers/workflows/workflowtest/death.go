package workflowtest

import (
	"context"
	"log/slog"
	"os"
	"syscall"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"
)

// How a worker dies.
const (
	// natural is a worker as in the product, which lives until the test kills it.
	natural = "natural"
	// killed is one that the test kills, too, but whose activities are soon missed.
	killed = "killed"
	// before and after are those that kill themselves with SIGKILL when they are given an activity for the first time: before they do
	// anything, or when it is done and nobody was told.
	before = "before"
	after  = "after"
)

// soon is when an activity of a worker that died is missed; the product waits for longer.
const soon = time.Second

// mortal are the options of a client whose workers die that way.
func mortal(death, namespace string) client.Options {
	return client.Options{
		Namespace: namespace, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		Interceptors: []interceptor.ClientInterceptor{&fate{death: death}},
	}
}

type fate struct {
	interceptor.InterceptorBase

	death string
}

func (f *fate) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &dying{interceptor.ActivityInboundInterceptorBase{Next: next}, f.death}
}

type dying struct {
	interceptor.ActivityInboundInterceptorBase

	death string
}

func (d *dying) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	d.perhaps(ctx, before)
	result, err := d.Next.ExecuteActivity(ctx, in)
	d.perhaps(ctx, after)
	return result, err
}

func (d *dying) perhaps(ctx context.Context, now string) {
	if d.death == now && activity.GetInfo(ctx).Attempt == 1 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // It comes at once.
	}
}

func (*fate) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &impatient{interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

type impatient struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (i *impatient) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&missing{interceptor.WorkflowOutboundInterceptorBase{Next: next}})
}

type missing struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (m *missing) ExecuteActivity(ctx workflow.Context, name string, arguments ...any) workflow.Future {
	options := workflow.GetActivityOptions(ctx)
	options.StartToCloseTimeout = soon
	return m.Next.ExecuteActivity(workflow.WithActivityOptions(ctx, options), name, arguments...)
}
