package complaint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
)

const hour = int64(time.Hour / time.Second)

// start is when every complaint of these tests begins.
func start() time.Time { return time.Date(2026, 11, 11, 20, 0, 0, 0, time.UTC) }

func input(modify ...func(*promise.ComplaintInput)) promise.ComplaintInput {
	conversation := uuid.MustParse("019a0000-0000-7000-8000-000000000001")
	in := promise.ComplaintInput{
		ID: promise.ComplaintID("shop", "lumi", conversation), Conversation: conversation, Channel: "mini", Customer: "customer",
		SkillGroup: "after-sales", FollowUpWithinDays: 3, Acknowledgement: "收到", StartedAt: start(),
		Ladder: []promise.Rung{{AfterSeconds: hour, Notify: "Supervisor"}, {AfterSeconds: 4 * hour, Notify: "Admin"}},
	}
	for _, m := range modify {
		m(&in)
	}
	return in
}

// scene is a workflow in time that skips, with activities that only take notes: "<hours since the start> <what>".
type scene struct {
	*testsuite.TestWorkflowEnvironment

	// mu guards what follows: the suite runs activities side by side.
	mu    sync.Mutex
	notes []string
	// fails is how often each activity fails before it succeeds.
	fails map[string]int
	// asked is who has asked the customer again when the activities look.
	asked string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s := &scene{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), fails: map[string]int{}}
	s.SetStartTime(start())
	// Far beyond the longest complaint, so that the suite does not end one that waits.
	s.SetWorkflowRunTimeout(10 * 365 * day)
	s.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: promise.ComplaintWorkflow})
	register(s, activityRecordOpened, func(Opening) string { return "opened" })
	register(s, activityAcknowledge, func(a Acknowledgement) string { return "acknowledged " + a.Text })
	register(s, activityEscalate, func(e Escalation) string {
		return fmt.Sprintf("escalated rung %d to %s, telling %s", e.Rung, e.Notify, strings.Join(e.Tell, "+"))
	})
	register(s, activityRecordResolved, func(r Resolution) string {
		return fmt.Sprintf("resolved by %s (%s), due %s, telling %s", r.By, r.Resolution, r.FollowUpDue.Sub(start()), strings.Join(r.Tell, "+"))
	})
	register(s, activityRemind, func(f FollowUp) string { return "reminded " + f.By })
	registerAsking(s, activityMarkOverdue, func(f FollowUp) string { return "overdue, telling " + strings.Join(f.Tell, "+") })
	register(s, activityRecordFollowedUp, func(f FollowUp) string { return "followed up by " + f.By })
	registerAsking(s, activityLapse, func(FollowUp) string { return "lapsed" })
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

// registerAsking is register for an activity that does nothing where somebody has asked the customer again.
func registerAsking(s *scene, name string, note func(FollowUp) string) {
	s.RegisterActivityWithOptions(func(_ context.Context, f FollowUp) (Asked, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.asked == "" {
			s.notes = append(s.notes, fmt.Sprintf("%.1fh %s", s.Now().Sub(start()).Hours(), note(f)))
		}
		return Asked{By: s.asked}, nil
	}, activity.RegisterOptions{Name: name})
}

// signal sends a signal after a time.
func (s *scene) signal(after time.Duration, name string, argument any) {
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(name, argument) }, after)
}

func (s *scene) resolve(after time.Duration) {
	s.signal(after, promise.SignalResolve, promise.Resolve{By: "an", Resolution: "refunded"})
}

func (s *scene) followUp(after time.Duration) {
	s.signal(after, promise.SignalFollowedUp, promise.FollowedUp{By: "an"})
}

func TestComplaint(t *testing.T) {
	tests := map[string]struct {
		input  promise.ComplaintInput
		play   func(s *scene)
		want   []string
		status promise.ComplaintStatus
	}{
		"resolved in time nobody is called": {
			input: input(),
			play:  func(s *scene) { s.resolve(30 * time.Minute); s.followUp(24 * time.Hour) },
			want: []string{
				"0.0h opened", "0.0h acknowledged 收到",
				"0.5h resolved by an (refunded), due 72h30m0s, telling Supervisor", "24.0h followed up by an",
			},
			status: promise.ComplaintStatus{State: promise.ComplaintFollowedUp, FollowUpDue: start().Add(72*time.Hour + 30*time.Minute)},
		},
		"the follow-up counts from when it was resolved, however late the process hears of it": {
			input: input(),
			play: func(s *scene) {
				s.signal(30*time.Minute, promise.SignalResolve, promise.Resolve{By: "an", Resolution: "refunded", At: start().Add(10 * time.Minute)})
				s.followUp(24 * time.Hour)
			},
			want: []string{
				"0.0h opened", "0.0h acknowledged 收到",
				"0.5h resolved by an (refunded), due 72h10m0s, telling Supervisor", "24.0h followed up by an",
			},
			status: promise.ComplaintStatus{State: promise.ComplaintFollowedUp, FollowUpDue: start().Add(72*time.Hour + 10*time.Minute)},
		},
		"left alone it climbs each rung once": {
			input: input(),
			play:  func(s *scene) { s.resolve(100 * time.Hour); s.followUp(101 * time.Hour) },
			want: []string{
				"0.0h opened", "0.0h acknowledged 收到",
				"1.0h escalated rung 1 to Supervisor, telling Supervisor",
				"4.0h escalated rung 2 to Admin, telling Supervisor+Admin",
				"100.0h resolved by an (refunded), due 172h0m0s, telling Supervisor+Admin", "101.0h followed up by an",
			},
			status: promise.ComplaintStatus{
				State: promise.ComplaintFollowedUp, Rung: 2, EscalatedTo: "Admin", FollowUpDue: start().Add(172 * time.Hour),
			},
		},
		"resolved between the rungs the next is spared": {
			input: input(),
			play:  func(s *scene) { s.resolve(2 * time.Hour); s.followUp(3 * time.Hour) },
			want: []string{
				"0.0h opened", "0.0h acknowledged 收到", "1.0h escalated rung 1 to Supervisor, telling Supervisor",
				"2.0h resolved by an (refunded), due 74h0m0s, telling Supervisor", "3.0h followed up by an",
			},
			status: promise.ComplaintStatus{
				State: promise.ComplaintFollowedUp, Rung: 1, EscalatedTo: "Supervisor", FollowUpDue: start().Add(74 * time.Hour),
			},
		},
		"who resolved it is reminded of the follow-up": {
			input: input(func(in *promise.ComplaintInput) { in.FollowUpRemindSeconds = 2 * hour }),
			play:  func(s *scene) { s.resolve(30 * time.Minute); s.followUp(71 * time.Hour) },
			want: []string{
				"0.0h opened", "0.0h acknowledged 收到",
				"0.5h resolved by an (refunded), due 72h30m0s, telling Supervisor", "70.5h reminded an", "71.0h followed up by an",
			},
			status: promise.ComplaintStatus{State: promise.ComplaintFollowedUp, FollowUpDue: start().Add(72*time.Hour + 30*time.Minute)},
		},
		"nobody is reminded of what was done": {
			input: input(func(in *promise.ComplaintInput) { in.FollowUpRemindSeconds = 2 * hour }),
			play:  func(s *scene) { s.resolve(30 * time.Minute); s.followUp(70 * time.Hour) },
			want: []string{
				"0.0h opened", "0.0h acknowledged 收到",
				"0.5h resolved by an (refunded), due 72h30m0s, telling Supervisor", "70.0h followed up by an",
			},
			status: promise.ComplaintStatus{State: promise.ComplaintFollowedUp, FollowUpDue: start().Add(72*time.Hour + 30*time.Minute)},
		},
		"an overdue follow-up is told once and may still come": {
			input: input(),
			play:  func(s *scene) { s.resolve(time.Hour / 10); s.followUp(200 * time.Hour) },
			want: []string{
				"0.0h opened", "0.0h acknowledged 收到", "0.1h resolved by an (refunded), due 72h6m0s, telling Supervisor",
				"72.1h overdue, telling Supervisor", "200.0h followed up by an",
			},
			status: promise.ComplaintStatus{
				State: promise.ComplaintFollowedUp, FollowUpDue: start().Add(72*time.Hour + 6*time.Minute), FollowUpOverdue: true,
			},
		},
		"a follow-up that never comes ends the wait after thirty days more": {
			input: input(),
			play:  func(s *scene) { s.resolve(time.Hour / 10) },
			want: []string{
				"0.0h opened", "0.0h acknowledged 收到", "0.1h resolved by an (refunded), due 72h6m0s, telling Supervisor",
				"72.1h overdue, telling Supervisor", "792.1h lapsed",
			},
			status: promise.ComplaintStatus{
				State: promise.ComplaintResolved, FollowUpDue: start().Add(72*time.Hour + 6*time.Minute), FollowUpOverdue: true,
			},
		},
		"a follow-up in time whose signal comes after the timer is not late": {
			input: input(),
			play:  func(s *scene) { s.asked = "an"; s.resolve(time.Hour / 10); s.followUp(73 * time.Hour) },
			want: []string{
				"0.0h opened", "0.0h acknowledged 收到", "0.1h resolved by an (refunded), due 72h6m0s, telling Supervisor", "73.0h followed up by an",
			},
			status: promise.ComplaintStatus{State: promise.ComplaintFollowedUp, FollowUpDue: start().Add(72*time.Hour + 6*time.Minute)},
		},
		"a follow-up whose signal is still on its way does not lapse": {
			input: input(),
			play: func(s *scene) {
				s.resolve(time.Hour / 10)
				s.RegisterDelayedCallback(func() { s.asked = "bo" }, 700*time.Hour)
			},
			want: []string{
				"0.0h opened", "0.0h acknowledged 收到", "0.1h resolved by an (refunded), due 72h6m0s, telling Supervisor",
				"72.1h overdue, telling Supervisor", "792.1h followed up by bo",
			},
			status: promise.ComplaintStatus{
				State: promise.ComplaintFollowedUp, FollowUpDue: start().Add(72*time.Hour + 6*time.Minute), FollowUpOverdue: true,
			},
		},
		"signals at the wrong time change nothing": {
			input: input(),
			play: func(s *scene) {
				s.followUp(10 * time.Minute)
				s.resolve(20 * time.Minute)
				s.signal(30*time.Minute, promise.SignalResolve, promise.Resolve{By: "bo", Resolution: "again"})
				s.followUp(time.Hour)
			},
			want: []string{
				"0.0h opened", "0.0h acknowledged 收到", "0.3h resolved by an (refunded), due 72h20m0s, telling Supervisor", "1.0h followed up by an",
			},
			status: promise.ComplaintStatus{
				State: promise.ComplaintFollowedUp, FollowUpDue: start().Add(72*time.Hour + 20*time.Minute), IgnoredSignals: 2,
			},
		},
		"started late it calls at once for what is due": {
			input: input(func(in *promise.ComplaintInput) {
				in.StartedAt = start().Add(-2 * time.Hour)
				in.Acknowledgement = ""
			}),
			play: func(s *scene) { s.resolve(time.Hour); s.followUp(time.Hour + time.Minute) },
			want: []string{
				"0.0h opened", "0.0h escalated rung 1 to Supervisor, telling Supervisor",
				"1.0h resolved by an (refunded), due 73h0m0s, telling Supervisor", "1.0h followed up by an",
			},
			status: promise.ComplaintStatus{
				State: promise.ComplaintFollowedUp, Rung: 1, EscalatedTo: "Supervisor", FollowUpDue: start().Add(73 * time.Hour),
			},
		},
		"one from outside is at the top at once": {
			input: input(func(in *promise.ComplaintInput) {
				in.Source, in.Acknowledgement, in.Ladder = promise.ComplaintFromPlatform, "", []promise.Rung{{Notify: promise.RoleAdmin}}
			}),
			play: func(s *scene) { s.resolve(time.Hour); s.followUp(2 * time.Hour) },
			want: []string{
				"0.0h opened", "0.0h escalated rung 1 to Admin, telling Supervisor+Admin",
				"1.0h resolved by an (refunded), due 73h0m0s, telling Supervisor+Admin", "2.0h followed up by an",
			},
			status: promise.ComplaintStatus{
				State: promise.ComplaintFollowedUp, Rung: 1, EscalatedTo: "Admin", FollowUpDue: start().Add(73 * time.Hour),
			},
		},
		"failing steps are repeated until they succeed": {
			input: input(),
			play: func(s *scene) {
				s.fails[activityRecordOpened], s.fails[activityEscalate] = 3, 5
				s.resolve(3 * time.Hour)
				s.followUp(4 * time.Hour)
			},
			want: []string{
				"0.0h opened", "0.0h acknowledged 收到", "1.0h escalated rung 1 to Supervisor, telling Supervisor",
				"3.0h resolved by an (refunded), due 75h0m0s, telling Supervisor", "4.0h followed up by an",
			},
			status: promise.ComplaintStatus{
				State: promise.ComplaintFollowedUp, Rung: 1, EscalatedTo: "Supervisor", FollowUpDue: start().Add(75 * time.Hour),
			},
		},
		"an acknowledgement that cannot be sent holds up no escalation": {
			input: input(),
			play: func(s *scene) {
				s.fails[activityAcknowledge] = 1 << 20
				s.resolve(2 * time.Hour)
				s.followUp(4 * time.Hour)
			},
			want: []string{
				"0.0h opened", "1.0h escalated rung 1 to Supervisor, telling Supervisor",
				"2.0h resolved by an (refunded), due 74h0m0s, telling Supervisor", "4.0h followed up by an",
			},
			status: promise.ComplaintStatus{
				State: promise.ComplaintFollowedUp, Rung: 1, EscalatedTo: "Supervisor", FollowUpDue: start().Add(74 * time.Hour),
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			test.play(s)
			s.ExecuteWorkflow(promise.ComplaintWorkflow, test.input)
			var status promise.ComplaintStatus
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

func TestStatusIsAnsweredWhileTheComplaintWaits(t *testing.T) {
	s := newScene(t)
	var got promise.ComplaintStatus
	s.RegisterDelayedCallback(func() {
		value, err := s.QueryWorkflow(promise.QueryStatus)
		if err != nil {
			t.Error(err)
			return
		}
		if err := value.Get(&got); err != nil {
			t.Error(err)
		}
	}, 90*time.Minute)
	s.resolve(2 * time.Hour)
	s.followUp(3 * time.Hour)
	s.ExecuteWorkflow(promise.ComplaintWorkflow, input())
	want := promise.ComplaintStatus{State: promise.ComplaintEscalated, Rung: 1, EscalatedTo: "Supervisor"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestResolutionsAreBounded(t *testing.T) {
	s := newScene(t)
	s.signal(0, promise.SignalResolve, promise.Resolve{By: "an", Resolution: strings.Repeat("退", maxResolution+1)})
	s.followUp(time.Hour)
	s.ExecuteWorkflow(promise.ComplaintWorkflow, input())
	if got := strings.Count(strings.Join(s.notes, ""), "退"); got != maxResolution {
		t.Errorf("the resolution has %d characters, want %d", got, maxResolution)
	}
}
