package workflowtest

import (
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/temporal"
)

// WorkInHaste is Work whose workflows wait for a second where they would wait for a day or longer.
func (b *Brand) WorkInHaste(register func(worker.Registry)) {
	b.T.Helper()
	hasty, err := client.NewClientFromExistingWithContext(b.T.Context(), b.Client, client.Options{
		Namespace: b.namespace, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)), Interceptors: []interceptor.ClientInterceptor{&haste{}},
	})
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(hasty.Close)
	b.Run(temporal.NewWorker(hasty, slog.New(slog.DiscardHandler), register).Run)
}

type haste struct{ interceptor.InterceptorBase }

func (*haste) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &hasty{interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

type hasty struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (h *hasty) Init(next interceptor.WorkflowOutboundInterceptor) error {
	return h.Next.Init(&waiting{interceptor.WorkflowOutboundInterceptorBase{Next: next}})
}

type waiting struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (w *waiting) AwaitWithTimeout(ctx workflow.Context, timeout time.Duration, condition func() bool) (bool, error) {
	if timeout >= 24*time.Hour {
		timeout = time.Second
	}
	return w.Next.AwaitWithTimeout(ctx, timeout, condition)
}
