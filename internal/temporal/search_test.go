package temporal_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/yingda-dev/yingda/internal/temporal"
)

// deadlines is a workflow with attributes, which loses its owner and its deadline when it is told so.
func deadlines(registry worker.Registry) {
	registry.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		attributes := temporal.Attributes{
			Brand: "shop/lumi", Kind: "complaint", State: "open", Owner: "Supervisor", Deadline: time.Date(2026, 11, 11, 21, 0, 0, 0, time.UTC),
		}
		if err := attributes.Upsert(ctx); err != nil {
			return err
		}
		workflow.GetSignalChannel(ctx, "resolve").Receive(ctx, nil)
		return temporal.Attributes{Brand: "shop/lumi", Kind: "complaint", State: "resolved"}.Upsert(ctx)
	}, workflow.RegisterOptions{Name: "Deadlines"})
}

func TestPromisesAreFoundByTheirAttributes(t *testing.T) {
	o := newNamespace(t)
	c := dial(t, o)
	work(t, c, deadlines)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: temporal.TaskQueue}, "Deadlines")
	if err != nil {
		t.Fatal(err)
	}
	found := func(query string) {
		t.Helper()
		waitUntil(t, query, func() error {
			answer, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
			if err == nil && answer.GetCount() != 1 {
				err = errors.New("not found")
			}
			return err
		})
	}
	found(`YingdaBrand = "shop/lumi" AND YingdaKind = "complaint" AND YingdaOwner = "Supervisor" AND YingdaDeadline < "2026-11-11T22:00:00Z"`)
	if err := c.SignalWorkflow(t.Context(), run.GetID(), "", "resolve", nil); err != nil {
		t.Fatal(err)
	}
	found(`YingdaState = "resolved" AND YingdaOwner IS NULL AND YingdaDeadline IS NULL`)
}

// refusing is a service that knows the namespace and none of the attributes, and lets nobody add any.
type refusing struct {
	workflowservice.UnimplementedWorkflowServiceServer
	operatorservice.UnimplementedOperatorServiceServer
	code codes.Code
}

func (r *refusing) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{}, nil
}

func (r *refusing) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	return &workflowservice.DescribeNamespaceResponse{}, nil
}

func (r *refusing) CountWorkflowExecutions(context.Context, *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	return nil, status.Error(codes.InvalidArgument, "column name 'YingdaBrand' is not a valid search attribute")
}

func (r *refusing) AddSearchAttributes(context.Context, *operatorservice.AddSearchAttributesRequest) (*operatorservice.AddSearchAttributesResponse, error) {
	return nil, status.Error(r.code, "no")
}

// serve starts a service and returns its address.
func serve(t *testing.T, register func(*grpc.Server)) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, done := grpc.NewServer(), make(chan error, 1)
	register(server)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func TestAServiceThatRefusesSearchAttributesSaysWhichToAdd(t *testing.T) {
	for name, code := range map[string]codes.Code{
		"to this login": codes.PermissionDenied, "to everybody": codes.Unimplemented, "as it has too many": codes.InvalidArgument,
	} {
		t.Run(name, func(t *testing.T) {
			service := &refusing{code: code}
			address := serve(t, func(s *grpc.Server) {
				workflowservice.RegisterWorkflowServiceServer(s, service)
				operatorservice.RegisterOperatorServiceServer(s, service)
			})
			err := temporal.EnsureNamespace(t.Context(), temporal.Options{Address: address, Namespace: "lumi"}, temporal.Retention)
			if !errors.Is(err, temporal.ErrAttributes) || !strings.Contains(err.Error(), "YingdaDeadline (Datetime)") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
