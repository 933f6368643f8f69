package emergency

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
)

// start is when every emergency of these tests begins.
func start() time.Time { return time.Date(2026, 11, 11, 12, 0, 0, 0, time.UTC) }

func input() promise.EmergencyInput {
	return promise.EmergencyInput{
		ID: promise.EmergencyID("shop", "lumi", 7), Number: 7, SkillGroup: "after-sales", ScopeName: "售后组",
		Since: start().Add(-15 * time.Minute), StartedAt: start(), Complaints: 12, UsualPerHour: 2, CalmForSeconds: 1800, CheckEverySeconds: 300,
	}
}

// scene is a workflow in time that skips, with activities that only take notes: "<minutes since the start> <what>".
type scene struct {
	*testsuite.TestWorkflowEnvironment

	// calmAfter is when complaints are as usual again, heldUntil until when the row says that it is to last.
	calmAfter, heldUntil time.Duration

	mu    sync.Mutex
	notes []string
	// fails is how often each activity fails before it succeeds.
	fails map[string]int
}

func newScene(t *testing.T) *scene {
	t.Helper()
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s := &scene{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), fails: map[string]int{}}
	s.SetStartTime(start())
	s.SetWorkflowRunTimeout(365 * 24 * time.Hour)
	s.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: promise.EmergencyWorkflow})
	register(s, activityRecordOpened, func(o Opening) (any, string) {
		return nil, fmt.Sprintf("opened of %s, %d complaints", o.ScopeName, o.Complaints)
	})
	register(s, activityCheck, func(Scope) (any, string) {
		return CheckOutcome{s.Now().Sub(start()) >= s.calmAfter}, ""
	})
	register(s, activityRecordClosed, func(c Closing) (any, string) {
		if c.By == "" && s.Now().Sub(start()) < s.heldUntil {
			return CloseOutcome{false}, "is held"
		}
		return CloseOutcome{true}, "closed by " + c.By
	})
	return s
}

func register[T any](s *scene, name string, act func(T) (result any, note string)) {
	s.RegisterActivityWithOptions(func(_ context.Context, argument T) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.fails[name] > 0 {
			s.fails[name]--
			return nil, errors.New("database away")
		}
		result, note := act(argument)
		if note != "" {
			s.notes = append(s.notes, fmt.Sprintf("%dm %s", int(s.Now().Sub(start()).Minutes()), note))
		}
		return result, nil
	}, activity.RegisterOptions{Name: name})
}

func (s *scene) signal(after time.Duration, name string, argument any) {
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(name, argument) }, after)
}

func (s *scene) closes(after time.Duration, by string) {
	s.signal(after, promise.SignalEmergencyClose, promise.EmergencyClose{By: by})
}

func (s *scene) extends(after, until time.Duration) {
	s.signal(after, promise.SignalEmergencyExtend, promise.EmergencyExtend{By: "sup", Until: start().Add(until)})
}

func TestEmergency(t *testing.T) {
	tests := map[string]struct {
		calmAfter time.Duration
		play      func(s *scene)
		want      []string
		status    promise.EmergencyStatus
	}{
		"it ends when complaints are as usual again": {
			calmAfter: 42 * time.Minute, play: func(*scene) {},
			want:   []string{"0m opened of 售后组, 12 complaints", "45m closed by "},
			status: promise.EmergencyStatus{State: promise.EmergencyClosed, Checks: 9},
		},
		"a supervisor ends it at once": {
			calmAfter: time.Hour, play: func(s *scene) { s.closes(13*time.Minute, "sup") },
			want:   []string{"0m opened of 售后组, 12 complaints", "13m closed by sup"},
			status: promise.EmergencyStatus{State: promise.EmergencyClosed, Checks: 2},
		},
		"held, it lasts on until then": {
			calmAfter: 10 * time.Minute, play: func(s *scene) { s.extends(3*time.Minute, 62*time.Minute) },
			want:   []string{"0m opened of 售后组, 12 complaints", "65m closed by "},
			status: promise.EmergencyStatus{State: promise.EmergencyClosed, Checks: 13, HeldUntil: start().Add(62 * time.Minute)},
		},
		"what is held may be ended all the same": {
			calmAfter: time.Hour, play: func(s *scene) { s.extends(time.Minute, time.Hour); s.closes(2*time.Minute, "sup") },
			want:   []string{"0m opened of 售后组, 12 complaints", "2m closed by sup"},
			status: promise.EmergencyStatus{State: promise.EmergencyClosed, HeldUntil: start().Add(time.Hour)},
		},
		"what somebody holds in the same moment is looked at again": {
			calmAfter: 10 * time.Minute, play: func(s *scene) { s.heldUntil = 12 * time.Minute },
			want:   []string{"0m opened of 售后组, 12 complaints", "10m is held", "15m closed by "},
			status: promise.EmergencyStatus{State: promise.EmergencyClosed, Checks: 3},
		},
		"signals that mean nothing change nothing": {
			calmAfter: 10 * time.Minute, play: func(s *scene) {
				s.extends(time.Minute, 7*time.Minute)
				s.extends(2*time.Minute, 7*time.Minute)
				s.extends(3*time.Minute, -time.Hour)
			},
			want:   []string{"0m opened of 售后组, 12 complaints", "10m closed by "},
			status: promise.EmergencyStatus{State: promise.EmergencyClosed, Checks: 2, HeldUntil: start().Add(7 * time.Minute), IgnoredSignals: 2},
		},
		"failing steps are repeated until they succeed": {
			calmAfter: 0, play: func(s *scene) {
				s.fails[activityRecordOpened], s.fails[activityCheck], s.fails[activityRecordClosed] = 3, 3, 3
			},
			want:   []string{"0m opened of 售后组, 12 complaints", "5m closed by "},
			status: promise.EmergencyStatus{State: promise.EmergencyClosed, Checks: 1},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.calmAfter = test.calmAfter
			test.play(s)
			s.ExecuteWorkflow(promise.EmergencyWorkflow, input())
			var status promise.EmergencyStatus
			if err := s.GetWorkflowResult(&status); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, s.notes); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.status, status); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}

func TestALongEmergencyGoesOnInTheNextRun(t *testing.T) {
	long := time.Duration(checksARun) * 5 * time.Minute
	s := newScene(t)
	s.calmAfter = long + 12*time.Minute
	s.extends(time.Minute, long+24*time.Minute)
	s.ExecuteWorkflow(promise.EmergencyWorkflow, input())
	var next *workflow.ContinueAsNewError
	if err := s.GetWorkflowError(); !errors.As(err, &next) {
		t.Fatalf("it ended with %v, not in another run", err)
	}
	var carried promise.EmergencyInput
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &carried); err != nil {
		t.Fatal(err)
	}
	rest := newScene(t)
	rest.SetStartTime(start().Add(long))
	rest.calmAfter, rest.notes = s.calmAfter, slices.Clone(s.notes)
	rest.ExecuteWorkflow(promise.EmergencyWorkflow, carried)
	var status promise.EmergencyStatus
	if err := rest.GetWorkflowResult(&status); err != nil {
		t.Fatal(err)
	}
	want := []string{"0m opened of 售后组, 12 complaints", fmt.Sprintf("%dm closed by ", int(long.Minutes())+25)}
	if diff := cmp.Diff(want, rest.notes); diff != "" {
		t.Errorf("steps of both runs (-want +got):\n%s", diff)
	}
	wantStatus := promise.EmergencyStatus{State: promise.EmergencyClosed, Checks: checksARun + 5, HeldUntil: start().Add(long + 24*time.Minute)}
	if diff := cmp.Diff(wantStatus, status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestStatusIsAnsweredWhileItLasts(t *testing.T) {
	s := newScene(t)
	s.calmAfter = time.Hour
	var got promise.EmergencyStatus
	s.RegisterDelayedCallback(func() {
		value, err := s.QueryWorkflow(promise.QueryStatus)
		if err != nil {
			t.Error(err)
			return
		}
		if err := value.Get(&got); err != nil {
			t.Error(err)
		}
	}, 11*time.Minute)
	s.ExecuteWorkflow(promise.EmergencyWorkflow, input())
	if diff := cmp.Diff(promise.EmergencyStatus{State: promise.EmergencyOpen, Checks: 2}, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}
