package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// start is a Monday at nine in Shanghai.
func start() time.Time { return time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC) }

// promised is due within four hours, and calls an admin an hour later.
func promised(change ...func(*promise.TaskInput)) promise.TaskInput {
	in := promise.TaskInput{
		ID: "task/shop/lumi/promise/1", Kind: promise.CasePromise, SkillGroup: "after-sales", Owner: "an", StartedAt: start(),
		Due: start().Add(4 * time.Hour), RemindBeforeSeconds: 1800, Ladder: []promise.Rung{{AfterSeconds: 3600, Notify: promise.RoleAdmin}},
		LateText: "晚了",
	}
	for _, f := range change {
		f(&in)
	}
	return in
}

// offHours is due an hour after the opening.
func offHours() promise.TaskInput {
	return promise.TaskInput{
		ID: "task/shop/lumi/offHours/1", Kind: promise.CaseOffHours, SkillGroup: "after-sales", StartedAt: start(),
		AfterOpeningSeconds: 3600, RemindBeforeSeconds: 900,
	}
}

// unsent is an order that was paid an hour before that was reported, and is to be sent within 48 hours.
func unsent() promise.TaskInput {
	return promise.TaskInput{
		ID: "shipping/shop/lumi/1", Kind: promise.CaseShipping, SkillGroup: "after-sales", StartedAt: start().Add(-time.Hour),
		Due: start().Add(47 * time.Hour), RemindBeforeSeconds: 7200,
		Ladder: []promise.Rung{{AfterSeconds: 1800, Notify: promise.RoleSupervisor}, {AfterSeconds: 14400, Notify: promise.RoleAdmin}},
	}
}

// scene is a workflow in an environment that skips time, with activities that note what they are asked to do.
type scene struct {
	*testsuite.TestWorkflowEnvironment
	// mu guards what follows: the suite runs activities side by side.
	mu    sync.Mutex
	notes []string
	// fails is how often each activity fails before it succeeds.
	fails map[string]int
	// opening is when the group opens, as its schedule is at a time; zero is not known.
	opening func(now time.Time) time.Time
}

func newScene(t *testing.T) *scene {
	t.Helper()
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s := &scene{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), fails: map[string]int{}}
	s.SetStartTime(start())
	// Far beyond the longest task, so that the suite does not end one that waits.
	s.SetWorkflowRunTimeout(10 * 365 * 24 * time.Hour)
	s.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: promise.TaskWorkflow})
	step := func(word string) func(Taking) string {
		return func(t Taking) string {
			if t.Due.IsZero() {
				return word + ", of no deadline"
			}
			if t.Step.Rung > 0 {
				return fmt.Sprintf("%s %s (%s)", word, t.Step.Notify, t.step())
			}
			return fmt.Sprintf("%s %s (%s)", word, t.Owner, t.step())
		}
	}
	register(s, activityRemind, step("reminded"))
	register(s, activityMarkLate, step("late with"))
	register(s, activityCall, step("called"))
	register(s, activityClose, func(c Closing) string { return fmt.Sprintf("closed as %s by %s", c.State, c.By) })
	s.RegisterActivityWithOptions(func(_ context.Context, p Planning) (Opening, error) {
		at := s.opening(p.Now)
		return Opening{At: at, Known: !at.IsZero()}, nil
	}, activity.RegisterOptions{Name: activityPlan})
	return s
}

func register[T any](s *scene, name string, note func(T) string) {
	s.RegisterActivityWithOptions(func(_ context.Context, argument T) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.fails[name] > 0 {
			s.fails[name]--
			return errors.New("database away")
		}
		s.notes = append(s.notes, fmt.Sprintf("%.1fh %s", s.Now().Sub(start()).Hours(), note(argument)))
		return nil
	}, activity.RegisterOptions{Name: name})
}

// signal sends a signal after a time.
func (s *scene) signal(after time.Duration, name string, argument any) {
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(name, argument) }, after)
}

func (s *scene) end(after time.Duration) {
	s.signal(after, promise.SignalTaskEnd, promise.TaskEnd{By: "an", State: promise.TaskDone})
}

func (s *scene) postpone(after time.Duration, id string, due time.Duration) {
	s.signal(after, promise.SignalTaskPostpone, promise.TaskPostpone{ID: id, By: "an", Due: start().Add(due)})
}

func TestTask(t *testing.T) {
	done := promise.TaskStatus{State: promise.TaskDone, Owner: "an", Due: start().Add(4 * time.Hour)}
	late := done
	late.Late, late.Rung = true, 1
	tests := map[string]struct {
		input  promise.TaskInput
		play   func(s *scene)
		want   []string
		status promise.TaskStatus
	}{
		"what is kept in time disturbs nobody": {
			input:  promised(),
			play:   func(s *scene) { s.end(time.Hour) },
			want:   []string{"1.0h closed as done by an"},
			status: done,
		},
		"its agent is reminded, and then it is late and climbs": {
			input: promised(),
			play:  func(s *scene) { s.end(100 * time.Hour) },
			want: []string{
				"3.5h reminded an (remind)", "4.0h late with an (breach)", "5.0h called Admin (escalate/1)", "100.0h closed as done by an",
			},
			status: late,
		},
		"an order that is not sent is told of to its group, and climbs": {
			input: unsent(),
			play:  func(s *scene) { s.end(53 * time.Hour) },
			want: []string{
				"45.0h reminded  (remind)", "47.0h late with  (breach)", "47.5h called Supervisor (escalate/1)", "51.0h called Admin (escalate/2)",
				"53.0h closed as done by an",
			},
			status: promise.TaskStatus{State: promise.TaskDone, Due: start().Add(47 * time.Hour), Late: true, Rung: 2},
		},
		"an order that is sent in time disturbs nobody": {
			input: unsent(),
			play: func(s *scene) {
				s.signal(20*time.Hour, promise.SignalTaskEnd, promise.TaskEnd{By: "provider", State: promise.TaskDone})
			},
			want:   []string{"20.0h closed as done by provider"},
			status: promise.TaskStatus{State: promise.TaskDone, Due: start().Add(47 * time.Hour)},
		},
		"a short promise is reminded of after half of its time": {
			input:  promised(func(in *promise.TaskInput) { in.Due = start().Add(36 * time.Minute) }),
			play:   func(s *scene) { s.end(30 * time.Minute) },
			want:   []string{"0.3h reminded an (remind)", "0.5h closed as done by an"},
			status: promise.TaskStatus{State: promise.TaskDone, Owner: "an", Due: start().Add(36 * time.Minute)},
		},
		"what nobody does is given up thirty days after the last rung": {
			input: promised(),
			play:  func(*scene) {},
			want: []string{
				"3.5h reminded an (remind)", "4.0h late with an (breach)", "5.0h called Admin (escalate/1)", "725.0h closed as lapsed by ",
			},
			status: promise.TaskStatus{State: promise.TaskLapsed, Owner: "an", Due: start().Add(4 * time.Hour), Late: true, Rung: 1},
		},
		"postponed, its clock starts anew": {
			input: promised(),
			play: func(s *scene) {
				s.postpone(3*time.Hour+45*time.Minute, "p1", 10*time.Hour)
				s.end(10*time.Hour + time.Minute)
			},
			want: []string{
				"3.5h reminded an (remind)", "9.5h reminded an (remind/p1)", "10.0h late with an (breach/p1)", "10.0h closed as done by an",
			},
			status: promise.TaskStatus{State: promise.TaskDone, Owner: "an", Due: start().Add(10 * time.Hour), Late: true, Postponed: 1},
		},
		"a postponement that comes twice counts once": {
			input: promised(),
			play: func(s *scene) {
				s.postpone(time.Hour, "p1", 10*time.Hour)
				s.postpone(9*time.Hour+40*time.Minute, "p1", 10*time.Hour)
				s.end(9*time.Hour + 50*time.Minute)
			},
			want:   []string{"9.5h reminded an (remind/p1)", "9.8h closed as done by an"},
			status: promise.TaskStatus{State: promise.TaskDone, Owner: "an", Due: start().Add(10 * time.Hour), Postponed: 1, IgnoredSignals: 1},
		},
		"postponed after it was late it may be late again": {
			input: promised(),
			play: func(s *scene) {
				s.postpone(200*time.Hour, "p1", 202*time.Hour)
				s.end(202*time.Hour + time.Minute)
			},
			want: []string{
				"3.5h reminded an (remind)", "4.0h late with an (breach)", "5.0h called Admin (escalate/1)",
				"201.5h reminded an (remind/p1)", "202.0h late with an (breach/p1)", "202.0h closed as done by an",
			},
			status: promise.TaskStatus{State: promise.TaskDone, Owner: "an", Due: start().Add(202 * time.Hour), Late: true, Rung: 1, Postponed: 1},
		},
		"who gets it is who is reminded": {
			input: promised(),
			play: func(s *scene) {
				s.signal(time.Hour, promise.SignalTaskReassign, promise.TaskReassign{By: "an", Owner: "bo"})
				s.end(3*time.Hour + 50*time.Minute)
			},
			want:   []string{"3.5h reminded bo (remind)", "3.8h closed as done by an"},
			status: promise.TaskStatus{State: promise.TaskDone, Owner: "bo", Due: start().Add(4 * time.Hour)},
		},
		"cancelled, nobody is told any more": {
			input: promised(),
			play: func(s *scene) {
				s.signal(time.Hour, promise.SignalTaskEnd, promise.TaskEnd{By: "sup", State: promise.TaskCancelled})
			},
			want:   []string{"1.0h closed as cancelled by sup"},
			status: promise.TaskStatus{State: promise.TaskCancelled, Owner: "an", Due: start().Add(4 * time.Hour)},
		},
		"signals that mean nothing change nothing": {
			input: promised(),
			play: func(s *scene) {
				s.signal(time.Minute, promise.SignalTaskEnd, promise.TaskEnd{By: "an", State: "forgotten"})
				s.signal(2*time.Minute, promise.SignalTaskPostpone, promise.TaskPostpone{ID: "p"})
				s.end(time.Hour)
			},
			want:   []string{"1.0h closed as done by an"},
			status: promise.TaskStatus{State: promise.TaskDone, Owner: "an", Due: start().Add(4 * time.Hour), IgnoredSignals: 2},
		},
		"failing steps are repeated until they succeed": {
			input: promised(),
			play: func(s *scene) {
				s.fails[activityRemind], s.fails[activityClose] = 3, 2
				s.end(3*time.Hour + 50*time.Minute)
			},
			want:   []string{"3.5h reminded an (remind)", "3.8h closed as done by an"},
			status: done,
		},
		"started late it is late at once": {
			input: promised(func(in *promise.TaskInput) {
				in.StartedAt, in.Due = start().Add(-4*time.Hour), start().Add(-time.Hour/2)
			}),
			play:   func(s *scene) { s.end(time.Minute) },
			want:   []string{"0.0h reminded an (remind)", "0.0h late with an (breach)", "0.0h closed as done by an"},
			status: promise.TaskStatus{State: promise.TaskDone, Owner: "an", Due: start().Add(-time.Hour / 2), Late: true},
		},
		"off hours the clock starts with the opening": {
			input: offHours(),
			play: func(s *scene) {
				s.opening = func(time.Time) time.Time { return start().Add(10*time.Hour + 30*time.Minute) }
				s.end(12 * time.Hour)
			},
			want:   []string{"11.2h reminded  (remind)", "11.5h late with  (breach)", "12.0h closed as done by an"},
			status: promise.TaskStatus{State: promise.TaskDone, Due: start().Add(11*time.Hour + 30*time.Minute), Late: true},
		},
		"a schedule that changes moves the clock, later": {
			input: offHours(),
			play: func(s *scene) {
				s.opening = func(now time.Time) time.Time {
					if now.Before(start().Add(9 * time.Hour)) {
						return start().Add(10 * time.Hour)
					}
					return start().Add(20 * time.Hour)
				}
				s.end(21*time.Hour + time.Minute)
			},
			want:   []string{"20.8h reminded  (remind)", "21.0h late with  (breach)", "21.0h closed as done by an"},
			status: promise.TaskStatus{State: promise.TaskDone, Due: start().Add(21 * time.Hour), Late: true},
		},
		"and earlier, within the hour": {
			input: offHours(),
			play: func(s *scene) {
				s.opening = func(now time.Time) time.Time {
					if now.Before(start().Add(2 * time.Hour)) {
						return start().Add(10 * time.Hour)
					}
					return start().Add(2*time.Hour + 30*time.Minute)
				}
				s.end(3*time.Hour + 31*time.Minute)
			},
			want:   []string{"3.2h reminded  (remind)", "3.5h late with  (breach)", "3.5h closed as done by an"},
			status: promise.TaskStatus{State: promise.TaskDone, Due: start().Add(3*time.Hour + 30*time.Minute), Late: true},
		},
		"answered before the opening nobody is told": {
			input: offHours(),
			play: func(s *scene) {
				s.opening = func(time.Time) time.Time { return start().Add(10 * time.Hour) }
				s.end(9 * time.Hour)
			},
			want:   []string{"9.0h closed as done by an"},
			status: promise.TaskStatus{State: promise.TaskDone, Due: start().Add(11 * time.Hour)},
		},
		"of a group that does not open it waits until it does": {
			input: offHours(),
			play: func(s *scene) {
				s.opening = func(now time.Time) time.Time {
					if now.Before(start().Add(1000 * time.Hour)) {
						return time.Time{}
					}
					return start().Add(1001 * time.Hour)
				}
				s.end(1001*time.Hour + time.Minute)
			},
			want:   []string{"1001.0h closed as done by an"},
			status: promise.TaskStatus{State: promise.TaskDone, Due: start().Add(1002 * time.Hour)},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			test.play(s)
			s.ExecuteWorkflow(promise.TaskWorkflow, test.input)
			var status promise.TaskStatus
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

func TestStatusIsAnsweredWhileTheTaskWaits(t *testing.T) {
	s := newScene(t)
	var got promise.TaskStatus
	s.RegisterDelayedCallback(func() {
		value, err := s.QueryWorkflow(promise.QueryStatus)
		if err == nil {
			err = value.Get(&got)
		}
		if err != nil {
			t.Error(err)
		}
	}, 4*time.Hour+time.Minute)
	s.end(5 * time.Hour)
	s.ExecuteWorkflow(promise.TaskWorkflow, promised())
	want := promise.TaskStatus{State: promise.TaskOpen, Owner: "an", Due: start().Add(4 * time.Hour), Late: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

// TestNothingIsLostInANewRun lets runs end for their length after a postponement, and plays on in the next.
func TestNothingIsLostInANewRun(t *testing.T) {
	first := newScene(t)
	first.postpone(4*time.Hour+30*time.Minute, "p1", 10*time.Hour)
	first.signal(4*time.Hour+20*time.Minute, promise.SignalTaskReassign, promise.TaskReassign{By: "an", Owner: "bo"})
	first.RegisterDelayedCallback(func() { first.SetContinueAsNewSuggested(true) }, 4*time.Hour+10*time.Minute)
	first.ExecuteWorkflow(promise.TaskWorkflow, promised())
	var next *workflow.ContinueAsNewError
	if err := first.GetWorkflowError(); !errors.As(err, &next) {
		t.Fatalf("the run ended with %v", err)
	}
	var input Input
	if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &input); err != nil {
		t.Fatal(err)
	}
	second := newScene(t)
	second.SetStartTime(start().Add(4*time.Hour + 30*time.Minute))
	// The same postponement again, from a relay that crashed before it deleted its row.
	second.postpone(time.Hour, "p1", 10*time.Hour)
	second.end(6 * time.Hour)
	second.ExecuteWorkflow(promise.TaskWorkflow, input)
	var status promise.TaskStatus
	if err := second.GetWorkflowResult(&status); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"3.5h reminded an (remind)", "4.0h late with an (breach)", "9.5h reminded bo (remind/p1)", "10.0h late with bo (breach/p1)",
		"10.5h closed as done by an",
	}
	if diff := cmp.Diff(want, append(first.notes, second.notes...)); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	wantStatus := promise.TaskStatus{State: promise.TaskDone, Owner: "bo", Due: start().Add(10 * time.Hour), Late: true, Postponed: 1, IgnoredSignals: 1}
	if diff := cmp.Diff(wantStatus, status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}
