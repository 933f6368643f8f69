// Package temporal connects the product to its Temporal service: clients that survive a service that is away, the brand's
// namespace, and workers with the product's settings.
//
// It knows no workflow. Invariants: a service that is away is an error of the call, never of Dial; traces pass through
// every start, signal, workflow and activity; what a client with keys hands over, only who has them can read.
package temporal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/tink-crypto/tink-go/v2/tink"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	workflowservice "go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/yingda-dev/yingda/internal/tlsfiles"
)

// TaskQueue is where all workflows and activities of a brand run. A brand has a namespace of its own, so the name needs no brand in it.
const TaskQueue = "yingda"

// Retention is how long ended workflows stay in their namespace: as long as somebody may ask what became of a promise.
const Retention = 30 * 24 * time.Hour

// callTimeout is for calls that set up and remove.
const callTimeout = 5 * time.Second

const (
	// stopTimeout leaves running activities, one transaction each, time to end; it is below a pod's grace period.
	stopTimeout = 15 * time.Second
	// Enough for the dozens of complaints a second that the largest brand could have, few enough for a small database pool.
	activitiesAtOnce = 16
	workflowsAtOnce  = 16
)

// Options say where the service is.
type Options struct {
	// Address is host:port of the frontend.
	Address   string
	Namespace string
	// Owner is the Brand, as <namespace>/<name>; only making and deleting a namespace need it.
	Owner string
	// TLS is nil for a connection in plain text. A client certificate is read again for every connection, the authorities once.
	TLS *tlsfiles.Files
	// Keys encrypt what is handed to the service. Nil leaves it as it is, which is for who starts, signals and reads no workflow.
	Keys tink.AEAD
	// Identity names this process to who looks at the service, the pod's name; empty is the client's default.
	Identity string
	Logger   *slog.Logger
	// Metrics gets what the SDK tells of calls, workers and pollers; it may be nil.
	Metrics prometheus.Registerer
}

// client are the options that every client has.
func (o *Options) client() (client.Options, error) {
	options := client.Options{HostPort: o.Address, Identity: o.Identity, Logger: log.NewStructuredLogger(o.Logger)}
	if o.TLS == nil {
		return options, nil
	}
	var err error
	if options.ConnectionOptions.TLS, err = o.TLS.Config(); err != nil {
		return options, fmt.Errorf("preparing TLS for Temporal at %s: %w", o.Address, err)
	}
	return options, nil
}

// Dial returns a client that connects with its first call. Traces of the process's tracer provider pass through it, so
// tracing is set up before.
func Dial(o Options) (client.Client, error) {
	tracing, err := opentelemetry.NewTracingInterceptor(opentelemetry.TracerOptions{})
	if err != nil {
		return nil, fmt.Errorf("making the tracing interceptor: %w", err)
	}
	options, err := o.client()
	if err != nil {
		return nil, err
	}
	options.Namespace = o.Namespace
	options.Interceptors = []interceptor.ClientInterceptor{tracing}
	options.MetricsHandler = newMetricsHandler(o.Metrics)
	if o.Keys != nil {
		encrypt(&options, o.Keys)
	}
	c, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("making the Temporal client: %w", err)
	}
	return c, nil
}

// Reach asks the service for what it can do, which every caller may know.
func Reach(c client.Client) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if _, err := c.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{}); err != nil {
			return fmt.Errorf("reaching Temporal: %w", err)
		}
		return nil
	}
}

// ErrClaimed says that the namespace is not the Brand's.
var ErrClaimed = errors.New("the Temporal namespace is not this Brand's: it is another one's, or was made by somebody else")

// claimKey is under what a namespace says whose it is.
const claimKey = "yingda.dev/brand"

func (o *Options) claimedByOther(described *workflowservice.DescribeNamespaceResponse) bool {
	owner := described.GetNamespaceInfo().GetData()[claimKey]
	return owner != "" && owner != o.Owner
}

// EnsureNamespace makes the namespace for its owner when it is missing, and has it know the search attributes. One that exists
// is left as it is but for these; one of another owner is ErrClaimed.
func EnsureNamespace(ctx context.Context, o Options, retention time.Duration) error {
	return o.explained(func(options client.Options) error {
		namespaces, err := client.NewNamespaceClient(options)
		if err != nil {
			return fmt.Errorf("reaching Temporal at %s: %w", o.Address, err)
		}
		defer namespaces.Close()
		if err := inTime(ctx, func(ctx context.Context) error { return o.ensureNamespace(ctx, namespaces, retention) }); err != nil {
			return err
		}
		return o.with(options, func(c client.Client) error { return o.ensureAttributes(ctx, c) })
	})
}

// inTime bounds a call: the client repeats it for as long as it may, and says only then why.
func inTime(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return call(ctx)
}

// explained calls the service, and says why that failed and what to do about it.
func (o *Options) explained(call func(client.Options) error) error {
	options, err := o.client()
	if err != nil {
		return err
	}
	why := reason{secured: o.TLS != nil}
	options.ConnectionOptions.DialOptions = why.dialOptions()
	return why.explain(call(options))
}

// with calls the service by a client of its own.
func (o *Options) with(options client.Options, call func(client.Client) error) error {
	c, err := client.NewLazyClient(options)
	if err != nil {
		return fmt.Errorf("reaching Temporal at %s: %w", o.Address, err)
	}
	defer c.Close()
	return call(c)
}

func (o *Options) ensureNamespace(ctx context.Context, c client.NamespaceClient, retention time.Duration) error {
	described, err := c.Describe(ctx, o.Namespace)
	var missing *serviceerror.NamespaceNotFound
	switch {
	case err == nil && o.claimedByOther(described):
		return ErrClaimed
	case err == nil:
		return nil
	case !errors.As(err, &missing):
		return fmt.Errorf("looking for the namespace %s of Temporal at %s: %w", o.Namespace, o.Address, err)
	}
	err = c.Register(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace:                        o.Namespace,
		Description:                      "Promises of a Yingda brand",
		WorkflowExecutionRetentionPeriod: durationpb.New(retention),
		Data:                             map[string]string{claimKey: o.Owner},
	})
	if err != nil {
		// Somebody may have been quicker: whose it is shows the next try.
		return fmt.Errorf("making the namespace %s of Temporal at %s: %w", o.Namespace, o.Address, err)
	}
	return nil
}

// DeleteNamespace deletes the namespace with all its workflows; one that does not exist is no error, one that was not made for
// the owner is ErrClaimed. Temporal takes it out of sight at once and its contents in the background.
func DeleteNamespace(ctx context.Context, o Options) error {
	return o.explained(func(options client.Options) error {
		return o.with(options, func(c client.Client) error {
			return inTime(ctx, func(ctx context.Context) error { return o.deleteNamespace(ctx, c) })
		})
	})
}

func (o *Options) deleteNamespace(ctx context.Context, c client.Client) error {
	// Asked first: of one that was just made, deletion says that it is not there.
	described, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: o.Namespace})
	if _, missing := errors.AsType[*serviceerror.NamespaceNotFound](err); missing {
		return nil
	}
	if err == nil && described.GetNamespaceInfo().GetData()[claimKey] != o.Owner {
		return ErrClaimed
	}
	if err == nil {
		_, err = c.OperatorService().DeleteNamespace(ctx, &operatorservice.DeleteNamespaceRequest{Namespace: o.Namespace})
	}
	if err != nil {
		return fmt.Errorf("deleting the namespace %s of Temporal at %s: %w", o.Namespace, o.Address, err)
	}
	return nil
}

// WorkerOptions are those of every worker.
func WorkerOptions() worker.Options {
	return worker.Options{
		WorkerStopTimeout:                      stopTimeout,
		MaxConcurrentActivityExecutionSize:     activitiesAtOnce,
		MaxConcurrentWorkflowTaskExecutionSize: workflowsAtOnce,
	}
}
