package temporal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// A worker that is to be killed is this test binary again, started with these variables.
const (
	workerAddress   = "TEMPORAL_TEST_WORKER_ADDRESS"
	workerNamespace = "TEMPORAL_TEST_WORKER_NAMESPACE"
	workerBuild     = "TEMPORAL_TEST_WORKER_BUILD"
	workerDeclared  = "TEMPORAL_TEST_WORKER_DECLARED"
)

func TestMain(m *testing.M) {
	if os.Getenv(workerAddress) == "" {
		os.Exit(m.Run())
	}
	quiet := slog.New(slog.DiscardHandler)
	c, err := temporal.Dial(temporal.Options{Address: os.Getenv(workerAddress), Namespace: os.Getenv(workerNamespace), Logger: quiet})
	if err == nil {
		build := os.Getenv(workerBuild)
		err = temporal.NewWorker(c, quiet, steps(build)).As(declaredIn(build, os.Getenv(workerDeclared))).Run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// declaredIn is a version, of those of which the file names the one that is to be current.
func declaredIn(build, path string) temporal.Version {
	return temporal.Version{Build: build, Declared: func(context.Context) (declared string, turn int64, err error) {
		content, err := os.ReadFile(path)
		if err == nil {
			_, err = fmt.Sscan(string(content), &turn, &declared)
		}
		return declared, turn, err
	}}
}

const (
	older = "v1"
	newer = "v2"
	// rounds a case has, each after a signal.
	rounds = 4
)

// steps is a case of several rounds. In each it takes a step, and the newer version before that another one.
func steps(build string) func(worker.Registry) {
	return func(registry worker.Registry) {
		registry.RegisterActivityWithOptions(func(_ context.Context, name string) (string, error) {
			return name + " by " + build, nil
		}, activity.RegisterOptions{Name: "Step"})
		registry.RegisterWorkflowWithOptions(func(ctx workflow.Context) ([]string, error) {
			var taken []string
			if err := workflow.SetQueryHandler(ctx, "taken", func() ([]string, error) { return taken, nil }); err != nil {
				return nil, err
			}
			ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 5 * time.Second})
			take := func(name string) error {
				var what string
				err := workflow.ExecuteActivity(ctx, "Step", name).Get(ctx, &what)
				taken = append(taken, what)
				return err
			}
			for round := range rounds {
				workflow.GetSignalChannel(ctx, "next").Receive(ctx, nil)
				if build == newer && workflow.GetVersion(ctx, fmt.Sprintf("more-%d", round), workflow.DefaultVersion, 1) == 1 {
					if err := take("more"); err != nil {
						return nil, err
					}
				}
				if err := take("step"); err != nil {
					return nil, err
				}
			}
			return taken, nil
		}, workflow.RegisterOptions{Name: "Rounds"})
	}
}

// rollout is a namespace with cases, and the workers that come and go.
type rollout struct {
	t        *testing.T
	options  temporal.Options
	client   client.Client
	declared string
	turn     int
	cases    []string
}

func newRollout(t *testing.T) *rollout {
	t.Helper()
	o := newNamespace(t)
	return &rollout{t: t, options: o, client: dial(t, o), declared: filepath.Join(t.TempDir(), "declared")}
}

// declares says which version is to be current, as setup does before any of it runs.
func (r *rollout) declares(build string) {
	r.t.Helper()
	r.turn++
	if err := os.WriteFile(r.declared+".new", fmt.Append(nil, r.turn, " ", build), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(r.declared+".new", r.declared); err != nil {
		r.t.Fatal(err)
	}
}

// runs starts a worker in a process of its own and returns how to kill it.
func (r *rollout) runs(build string) (kill func()) {
	r.t.Helper()
	command := exec.CommandContext(r.t.Context(), os.Args[0])
	command.Env = append(os.Environ(), workerAddress+"="+r.options.Address, workerNamespace+"="+r.options.Namespace,
		workerBuild+"="+build, workerDeclared+"="+r.declared)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		r.t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		if err := command.Process.Kill(); err != nil {
			r.t.Error(err)
		}
		_ = command.Wait() // Killed, as was asked.
	})
	r.t.Cleanup(kill)
	return kill
}

// begins starts cases.
func (r *rollout) begins() {
	r.t.Helper()
	for range 8 {
		run, err := r.client.ExecuteWorkflow(r.t.Context(), client.StartWorkflowOptions{TaskQueue: temporal.TaskQueue}, "Rounds")
		if err != nil {
			r.t.Fatal(err)
		}
		r.cases = append(r.cases, run.GetID())
	}
}

// goesOn has every case go through a round, and wants these steps to have been taken in it.
func (r *rollout) goesOn(want ...string) {
	r.t.Helper()
	before := r.taken(r.cases[0])
	for _, id := range r.cases {
		if err := r.client.SignalWorkflow(r.t.Context(), id, "", "next", nil); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, id := range r.cases {
		var got []string
		waitUntil(r.t, "a case to take its steps", func() error {
			if got = r.taken(id); len(got) < len(before)+len(want) {
				return fmt.Errorf("it has taken %q", got)
			}
			return nil
		})
		if diff := cmp.Diff(want, got[len(before):]); diff != "" {
			r.t.Errorf("steps (-want +got):\n%s", diff)
		}
	}
}

// taken are the steps of a case; none while no worker answers.
func (r *rollout) taken(id string) []string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Second)
	defer cancel()
	value, err := r.client.QueryWorkflow(ctx, id, "", "taken")
	if err != nil {
		return nil
	}
	var taken []string
	if err := value.Get(&taken); err != nil {
		r.t.Fatal(err)
	}
	return taken
}

// becomes waits until a version is current, and all parts of the service know it.
func (r *rollout) becomes(build string) {
	r.t.Helper()
	waitUntil(r.t, build+" to be current", func() error {
		described, err := r.client.WorkflowService().DescribeWorkerDeployment(r.t.Context(), &workflowservice.DescribeWorkerDeploymentRequest{
			Namespace: r.options.Namespace, DeploymentName: temporal.Deployment,
		})
		if err != nil {
			return err
		}
		info := described.GetWorkerDeploymentInfo()
		current := info.GetRoutingConfig().GetCurrentDeploymentVersion().GetBuildId()
		if current != build || info.GetRoutingConfigUpdateState() != enumspb.ROUTING_CONFIG_UPDATE_STATE_COMPLETED {
			return fmt.Errorf("current is %q (%s)", current, info.GetRoutingConfigUpdateState())
		}
		return nil
	})
}

// wantNoFailure checks that no worker met what it did not know.
func (r *rollout) wantNoFailure() {
	r.t.Helper()
	for _, id := range r.cases {
		if r.failed(id) {
			r.t.Errorf("a worker met a case with commands that it does not know")
		}
	}
}

func (r *rollout) failed(id string) bool {
	r.t.Helper()
	for history := r.client.GetWorkflowHistory(r.t.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); history.HasNext(); {
		event, err := history.Next()
		if err != nil {
			r.t.Fatal(err)
		}
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED {
			return true
		}
	}
	return false
}

func TestADeployInTheMiddleOfCasesIsSafe(t *testing.T) {
	r := newRollout(t)
	r.declares(older)
	kill := r.runs(older)
	r.becomes(older)
	r.begins()
	r.goesOn("step by v1")
	// The newer one polls before it is declared: it gets nothing.
	r.runs(newer)
	r.goesOn("step by v1")
	r.declares(newer)
	r.becomes(newer)
	// The older one still polls.
	r.goesOn("more by v2", "step by v2")
	kill()
	r.goesOn("more by v2", "step by v2")
	r.wantNoFailure()
}

func TestCasesThatGoOnWhileADeployHappensMeetNoOlderCode(t *testing.T) {
	r := newRollout(t)
	r.declares(older)
	kill := r.runs(older)
	r.becomes(older)
	r.begins()
	r.runs(newer)
	r.declares(newer)
	for range rounds {
		for _, id := range r.cases {
			if err := r.client.SignalWorkflow(t.Context(), id, "", "next", nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.becomes(newer)
	kill()
	for _, id := range r.cases {
		if err := r.client.GetWorkflow(t.Context(), id, "").Get(t.Context(), nil); err != nil {
			t.Errorf("a case ended with the error %v", err)
		}
	}
	r.wantNoFailure()
}

func TestAnOldWorkerThatStartsAnewTakesNothingBack(t *testing.T) {
	r := newRollout(t)
	r.declares(newer)
	r.runs(newer)
	r.becomes(newer)
	r.begins()
	r.goesOn("more by v2", "step by v2")
	c := dial(t, r.options)
	old := temporal.NewWorker(c, slog.New(slog.DiscardHandler), steps(older)).As(declaredIn(older, r.declared))
	stop := runs(t, old)
	defer stop()
	waitUntil(t, "the old worker to be ready, which holds nobody up", func() error { return old.Ready(t.Context()) })
	r.goesOn("more by v2", "step by v2")
	r.wantNoFailure()
}

func TestARollbackGivesCasesBackToTheOlderWorker(t *testing.T) {
	r := newRollout(t)
	r.declares(older)
	r.runs(older)
	r.becomes(older)
	r.declares(newer)
	kill := r.runs(newer)
	r.becomes(newer)
	r.declares(older)
	r.becomes(older)
	kill()
	r.begins()
	r.goesOn("step by v1")
	r.wantNoFailure()
}

func TestACaseThatWentOnByNewerCodeWaitsForItAfterARollback(t *testing.T) {
	r := newRollout(t)
	r.declares(newer)
	kill := r.runs(newer)
	r.becomes(newer)
	r.begins()
	r.goesOn("more by v2", "step by v2")
	kill()
	r.declares(older)
	kill = r.runs(older)
	r.becomes(older)
	if err := r.client.SignalWorkflow(t.Context(), r.cases[0], "", "next", nil); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the older worker to refuse the case", func() error {
		if !r.failed(r.cases[0]) {
			return errors.New("it has not")
		}
		return nil
	})
	kill()
	r.declares(newer)
	r.runs(newer)
	r.becomes(newer)
	waitUntil(t, "the case to go on", func() error {
		if got := r.taken(r.cases[0]); !slices.Equal(got, []string{"more by v2", "step by v2", "more by v2", "step by v2"}) {
			return fmt.Errorf("it has taken %q", got)
		}
		return nil
	})
}

func TestCasesOfBeforeVersionsMoveOnToOne(t *testing.T) {
	r := newRollout(t)
	stop := work(t, r.client, steps(older))
	r.begins()
	r.goesOn("step by v1")
	r.declares(newer)
	r.runs(newer)
	r.becomes(newer)
	r.goesOn("more by v2", "step by v2")
	stop()
	r.goesOn("more by v2", "step by v2")
	r.wantNoFailure()
}

// runs has a worker run until the test ends or the returned function is called.
func runs(t *testing.T, w *temporal.Worker) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// unversioned is a real service that knows no versions.
type unversioned struct {
	workflowservice.WorkflowServiceServer
	code codes.Code
}

func (u *unversioned) DescribeWorkerDeployment(context.Context, *workflowservice.DescribeWorkerDeploymentRequest) (*workflowservice.DescribeWorkerDeploymentResponse, error) {
	return nil, status.Error(u.code, "no versions here")
}

func TestAServiceWithoutVersionsWorksAsBefore(t *testing.T) {
	for name, code := range map[string]codes.Code{"of an older release": codes.Unimplemented, "that has them switched off": codes.PermissionDenied} {
		t.Run(name, func(t *testing.T) {
			o := newNamespace(t)
			connection, err := grpc.NewClient(testenv.Temporal(t), grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			through, err := proxy.NewWorkflowServiceProxyServer(proxy.WorkflowServiceProxyOptions{Client: workflowservice.NewWorkflowServiceClient(connection)})
			if err != nil {
				t.Fatal(err)
			}
			o.Address = serve(t, func(s *grpc.Server) {
				workflowservice.RegisterWorkflowServiceServer(s, &unversioned{through, code})
				healthy := health.NewServer()
				healthy.SetServingStatus(workflowservice.WorkflowService_ServiceDesc.ServiceName, healthpb.HealthCheckResponse_SERVING)
				healthpb.RegisterHealthServer(s, healthy)
			})
			r := &rollout{t: t, options: o, client: dial(t, o)}
			nothing := func(context.Context) (string, int64, error) { return "", 0, errors.New("nobody asks") }
			w := temporal.NewWorker(r.client, slog.New(slog.DiscardHandler), steps(older)).As(temporal.Version{Build: older, Declared: nothing})
			stop := runs(t, w)
			defer stop()
			r.begins()
			r.goesOn("step by v1")
			waitUntil(t, "the worker to be ready", func() error { return w.Ready(t.Context()) })
		})
	}
}
