package testenv_test

import (
	"context"
	"errors"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/yingda-dev/yingda/internal/testenv"
)

const queue = "queue"

// waitForAnswer ends with what the signal "answer" brings.
func waitForAnswer(ctx workflow.Context) (string, error) {
	var answer string
	workflow.GetSignalChannel(ctx, "answer").Receive(ctx, &answer)
	return answer, nil
}

func dial(t *testing.T, address, namespace string) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: address, Namespace: namespace, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func startWorker(t *testing.T, c client.Client) {
	t.Helper()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(waitForAnswer)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
}

func TestTemporalKeepsRunningWorkflowsOverACrash(t *testing.T) {
	server := testenv.NewServer(t, testenv.StartTemporal)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := dial(t, server.Address(), "default")
	startWorker(t, c)
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "complaint", TaskQueue: queue}, waitForAnswer)
	if err != nil {
		t.Fatal(err)
	}
	kill(t, server)
	restart(t, server)
	if err := c.SignalWorkflow(ctx, run.GetID(), run.GetRunID(), "answer", "kept"); err != nil {
		t.Fatal(err)
	}
	var answer string
	if err := run.Get(ctx, &answer); err != nil {
		t.Fatal(err)
	}
	if answer != "kept" {
		t.Errorf("answer after the crash: got %q, want kept", answer)
	}
}

func TestTemporalClientsRegisterNamespacesAndSearchAttributes(t *testing.T) {
	address, namespace := testenv.Temporal(t), testenv.Unique("brand")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	registrar, err := client.NewNamespaceClient(client.Options{HostPort: address, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	defer registrar.Close()
	if err := registrar.Register(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: namespace, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	}); err != nil {
		t.Fatal(err)
	}
	c := dial(t, address, namespace)
	if _, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: namespace, SearchAttributes: map[string]enumspb.IndexedValueType{"CaseNumber": enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	}); err != nil {
		t.Fatal(err)
	}
	awaitStarted(ctx, t, c, client.StartWorkflowOptions{
		ID: "after-sales", TaskQueue: queue,
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyKeyword("CaseNumber").ValueSet("42")),
	})
	awaitListed(ctx, t, c, "CaseNumber = '42'")
}

// awaitStarted starts a workflow as soon as its search attributes are known: a service hears of them with a delay.
func awaitStarted(ctx context.Context, t *testing.T, c client.Client, options client.StartWorkflowOptions) {
	t.Helper()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		_, err := c.ExecuteWorkflow(ctx, options, waitForAnswer)
		if err == nil {
			return
		}
		if _, unheardOf := errors.AsType[*serviceerror.InvalidArgument](err); !unheardOf {
			t.Fatal(err)
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-retry.C:
		}
	}
}

// awaitListed waits for one workflow that the query finds: lists follow starts with a delay.
func awaitListed(ctx context.Context, t *testing.T, c client.Client, query string) {
	t.Helper()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.GetExecutions()) == 1 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		case <-retry.C:
		}
	}
}

// quiet drops the SDK's log, which tells at length of the crash that a test makes.
type quiet struct{}

var _ log.Logger = quiet{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
