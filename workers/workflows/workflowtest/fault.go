package workflowtest

import (
	"context"
	"errors"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/yingda-dev/yingda/internal/testenv"
)

// Fault is what breaks while workflows run.
type Fault string

// The faults.
const (
	// Nothing is what the others are compared with.
	Nothing Fault = "nothing breaks"
	// DeathBefore and DeathAfter kill the worker at the first try of each activity: before it did anything, or when it did it all and
	// could not tell. They need no Strike.
	DeathBefore Fault = "the worker dies before each activity"
	DeathAfter  Fault = "the worker dies after each activity"
	// WorkerKilled, TemporalKilled and PostgresKilled kill that, with SIGKILL, at each Strike.
	WorkerKilled   Fault = "the worker is killed"
	TemporalKilled Fault = "Temporal is killed"
	PostgresKilled Fault = "Postgres is killed"
)

// Faulty is a brand with a worker in a process of its own, and the fault that it suffers.
type Faulty struct {
	*Brand

	fault  Fault
	server *testenv.Server // Of those that are killed.
	// life guards the server, and is held by who keeps the worker down.
	life   sync.Mutex
	worker *exec.Cmd
}

// Under is a brand that suffers a fault. A server that is killed is its own. Arguments are those of its workers' Registration.
func Under(t *testing.T, fault Fault, arguments ...string) *Faulty {
	t.Helper()
	f := &Faulty{fault: fault}
	death, other := map[Fault]string{Nothing: natural, DeathBefore: before, DeathAfter: after}[fault]
	if !other {
		death = killed
	}
	switch fault {
	case TemporalKilled:
		f.server = testenv.NewServer(t, testenv.StartTemporal)
		f.Brand = NewBrandOn(t, testenv.Database(t, Migrate), f.server.Address())
	case PostgresKilled:
		f.server = testenv.NewServer(t, testenv.StartPostgres)
		if err := Migrate(t.Context(), f.server.URL()); err != nil {
			t.Fatal(err)
		}
		f.Brand = NewBrandOn(t, f.server.URL(), testenv.Temporal(t))
	default:
		f.Brand = NewBrand(t)
	}
	f.Run(func(ctx context.Context) error { return f.keepWorking(ctx, death, arguments) })
	return f
}

// keepWorking has a worker serve, and another in its place whenever it was killed, or came up while a server was away.
func (f *Faulty) keepWorking(ctx context.Context, death string, arguments []string) error {
	for ctx.Err() == nil {
		f.life.Lock()
		command, err := f.process(ctx, death, arguments)
		f.worker = command
		f.life.Unlock()
		if err != nil {
			return err
		}
		_ = command.Wait()
		if status, ok := command.ProcessState.Sys().(syscall.WaitStatus); ok && !status.Signaled() && f.server == nil {
			return errors.New("a worker ended by itself")
		}
	}
	return nil
}

// Strike has the fault happen now: what breaks is killed, and is back when a time has come.
func (f *Faulty) Strike(until time.Time) {
	f.life.Lock()
	defer f.life.Unlock()
	switch f.fault {
	case WorkerKilled:
		// It may be dead already.
		_ = f.worker.Process.Kill()
		<-time.After(time.Until(until))
	case Nothing, DeathBefore, DeathAfter:
	case TemporalKilled, PostgresKilled:
		if err := f.server.Kill(); err != nil {
			f.T.Error(err)
		}
		<-time.After(time.Until(until))
		if err := f.server.Restart(f.T.Context()); err != nil {
			f.T.Error(err)
		}
	}
}

// WantRetries checks that the worker died at the first try of each activity of a workflow, where it was to.
func (f *Faulty) WantRetries(id string) {
	f.T.Helper()
	if f.fault != DeathBefore && f.fault != DeathAfter {
		return
	}
	tries := 0
	for events := f.Client.GetWorkflowHistory(f.T.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		event, err := events.Next()
		if err != nil {
			f.T.Fatal(err)
		}
		if started := event.GetActivityTaskStartedEventAttributes(); started != nil {
			tries++
			if started.GetAttempt() == 1 {
				f.T.Errorf("activity %d was done at the first try", started.GetScheduledEventId())
			}
		}
	}
	if tries == 0 {
		f.T.Error("the workflow had no activities")
	}
}

// EveryFault has each life lived under each fault, and wants it to come to what it comes to under Nothing.
func EveryFault[End any](t *testing.T, lives map[string]func(t *testing.T, fault Fault) End) {
	t.Helper()
	for name, live := range lives {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := live(t, Nothing)
			for _, fault := range []Fault{DeathBefore, DeathAfter, WorkerKilled, TemporalKilled, PostgresKilled} {
				t.Run(string(fault), func(t *testing.T) {
					t.Parallel()
					if diff := cmp.Diff(want, live(t, fault)); diff != "" {
						t.Errorf("the end (-without the fault +with it):\n%s", diff)
					}
				})
			}
		})
	}
}
