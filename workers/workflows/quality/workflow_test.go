package quality

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
)

// four is when a day's schedule starts a workflow.
func four() time.Time { return time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC) }

// scene is a workflow in time that skips, with activities that only take notes.
type scene struct {
	*testsuite.TestWorkflowEnvironment

	// mu guards what follows: the suite runs activities side by side.
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
	s.SetStartTime(four().Add(3 * time.Hour))
	s.SetWorkflowRunTimeout(awaited)
	s.RegisterWorkflowWithOptions(Sample, workflow.RegisterOptions{Name: promise.QualitySampleWorkflow})
	return s
}

func register[A, R any](s *scene, name string, result func(A) R, note func(A) string) {
	s.RegisterActivityWithOptions(func(_ context.Context, argument A) (R, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.fails[name] > 0 {
			s.fails[name]--
			return *new(R), errors.New("database away")
		}
		s.notes = append(s.notes, note(argument))
		return result(argument), nil
	}, activity.RegisterOptions{Name: name})
}

// chosen are so many reviews.
func chosen(n int) []Review {
	reviews := make([]Review, n)
	for i := range reviews {
		reviews[i] = Review{Conversation: uuid.NewSHA1(uuid.Nil, []byte(strconv.Itoa(i))), Agent: "an", Reviewer: "sup"}
	}
	return reviews
}

func TestSample(t *testing.T) {
	input := promise.QualitySampleInput{
		Namespace: "shop", Brand: "lumi", SamplePercent: 5, ReviewResponsesOverSeconds: 300, DueWithinSeconds: 3600, TimeZone: "Asia/Shanghai",
	}
	late := four().Add(-30 * time.Hour)
	for name, tc := range map[string]struct {
		chosen    int
		scheduled *time.Time
		fails     map[string]int
		want      []string
	}{
		"a day of many is given out in parts": {
			chosen: 101,
			want: []string{
				"select 5 % of the day before 2026-11-21T23:00:00Z, slow over 300 s", "assign 50 due within 3600 s", "assign 50 due within 3600 s",
				"assign 1 due within 3600 s", "remind in the name of 2026-11-21",
			},
		},
		"a day without conversations still reminds": {
			want: []string{"select 5 % of the day before 2026-11-21T23:00:00Z, slow over 300 s", "remind in the name of 2026-11-21"},
		},
		"started late it goes by when it was due": {
			chosen: 1, scheduled: &late,
			want: []string{
				"select 5 % of the day before 2026-11-20T14:00:00Z, slow over 300 s", "assign 1 due within 3600 s", "remind in the name of 2026-11-21",
			},
		},
		"failing steps are repeated until they succeed": {
			chosen: 1, fails: map[string]int{activitySelect: 5, activityAssign: 5, activityRemind: 5},
			want: []string{
				"select 5 % of the day before 2026-11-21T23:00:00Z, slow over 300 s", "assign 1 due within 3600 s", "remind in the name of 2026-11-21",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			if tc.fails != nil {
				s.fails = tc.fails
			}
			if tc.scheduled != nil {
				key := temporal.NewSearchAttributeKeyTime(promise.ScheduledAt)
				if err := s.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(key.ValueSet(*tc.scheduled))); err != nil {
					t.Fatal(err)
				}
			}
			register(s, activitySelect, func(Selection) Selected {
				return Selected{Day: "2026-11-21", Reviews: chosen(tc.chosen)}
			}, func(sel Selection) string {
				return fmt.Sprintf("select %d %% of the day before %s, slow over %d s", sel.Percent, sel.At.Format(time.RFC3339), sel.WaitedOverSeconds)
			})
			register(s, activityAssign, func(Assignments) struct{} { return struct{}{} }, func(a Assignments) string {
				return fmt.Sprintf("assign %d due within %d s", len(a.Reviews), a.DueWithinSeconds)
			})
			register(s, activityRemind, func(Reminder) int { return 3 }, func(r Reminder) string { return "remind in the name of " + r.Day })
			s.ExecuteWorkflow(promise.QualitySampleWorkflow, input)
			var result promise.QualitySampleResult
			if err := s.GetWorkflowResult(&result); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, s.notes); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			want := promise.QualitySampleResult{Day: "2026-11-21", Chosen: tc.chosen, Overdue: 3}
			if diff := cmp.Diff(want, result); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADayOfManyPartsGoesOnInTheNextRun(t *testing.T) {
	input := promise.QualitySampleInput{Namespace: "shop", Brand: "lumi", TimeZone: "Asia/Shanghai"}
	run := func(input promise.QualitySampleInput, long bool) (*scene, error) {
		s := newScene(t)
		s.SetContinueAsNewSuggested(long)
		register(s, activitySelect, func(sel Selection) Selected {
			parts := map[string]Selected{
				"":  {Day: "2026-11-21", Reviews: chosen(51), Next: []byte("a"), Given: map[string]int{"sup": 51}},
				"a": {Day: "2026-11-21", Next: []byte("b"), Given: map[string]int{"sup": 51}},
				"b": {Day: "2026-11-21", Reviews: chosen(2), Given: map[string]int{"sup": 53}},
			}
			return parts[string(sel.After)]
		}, func(sel Selection) string {
			return fmt.Sprintf("select after %q of the day before %s, %d are given", sel.After, sel.At.Format(time.RFC3339), sel.Given["sup"])
		})
		register(s, activityAssign, func(Assignments) struct{} { return struct{}{} }, func(a Assignments) string { return fmt.Sprint("assign ", len(a.Reviews)) })
		register(s, activityRemind, func(Reminder) int { return 0 }, func(r Reminder) string { return "remind in the name of " + r.Day })
		s.ExecuteWorkflow(promise.QualitySampleWorkflow, input)
		return s, s.GetWorkflowError()
	}
	s, err := run(input, true)
	notes := s.notes
	for next := (*workflow.ContinueAsNewError)(nil); errors.As(err, &next); {
		var carried promise.QualitySampleInput
		if err := converter.GetDefaultDataConverter().FromPayloads(next.Input, &carried); err != nil {
			t.Fatal(err)
		}
		s, err = run(carried, true)
		notes = append(notes, s.notes...)
	}
	var result promise.QualitySampleResult
	if err := s.GetWorkflowResult(&result); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(promise.QualitySampleResult{Day: "2026-11-21", Chosen: 53}, result); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	want := []string{
		`select after "" of the day before 2026-11-21T23:00:00Z, 0 are given`, "assign 50", "assign 1",
		`select after "a" of the day before 2026-11-21T23:00:00Z, 51 are given`,
		`select after "b" of the day before 2026-11-21T23:00:00Z, 51 are given`, "assign 2", "remind in the name of 2026-11-21",
	}
	if diff := cmp.Diff(want, notes); diff != "" {
		t.Errorf("steps of all runs (-want +got):\n%s", diff)
	}
	if s, err = run(input, false); err != nil || !cmp.Equal(want, s.notes) {
		t.Errorf("in one run the steps are %q, %v", s.notes, err)
	}
}

func TestATimeZoneThatDoesNotExistEndsTheWorkflow(t *testing.T) {
	s := newScene(t)
	s.RegisterActivityWithOptions((&Activities{}).Select, activity.RegisterOptions{Name: activitySelect})
	s.ExecuteWorkflow(promise.QualitySampleWorkflow, promise.QualitySampleInput{TimeZone: "Mars/Olympus"})
	var failure *temporal.ApplicationError
	if err := s.GetWorkflowError(); !errors.As(err, &failure) || failure.Type() != errorSettings {
		t.Errorf("it ended with %v", err)
	}
}

func TestWeek(t *testing.T) {
	due := four().Add(25 * time.Hour)
	for name, tc := range map[string]struct {
		input     promise.QualityWeekInput
		scheduled *time.Time
		want      string
	}{
		"the week before it was due":       {promise.QualityWeekInput{TimeZone: "Asia/Shanghai"}, &due, "0 weeks to  before 2026-11-22T21:00:00Z in Asia/Shanghai"},
		"the weeks that somebody asks for": {promise.QualityWeekInput{TimeZone: "UTC", Weeks: 13, LastWeek: "2026-W40"}, nil, "13 weeks to 2026-W40 before 2026-11-21T23:00:00Z in UTC"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.RegisterWorkflowWithOptions(Week, workflow.RegisterOptions{Name: promise.QualityWeekWorkflow})
			s.fails[activityReport] = 3
			if tc.scheduled != nil {
				key := temporal.NewSearchAttributeKeyTime(promise.ScheduledAt)
				if err := s.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(key.ValueSet(*tc.scheduled))); err != nil {
					t.Fatal(err)
				}
			}
			want := promise.QualityWeekResult{Report: "2026-W47", Conversations: 7}
			register(s, activityReport, func(Weeks) promise.QualityWeekResult { return want }, func(w Weeks) string {
				return fmt.Sprintf("%d weeks to %s before %s in %s", w.Weeks, w.LastWeek, w.At.Format(time.RFC3339), w.TimeZone)
			})
			s.ExecuteWorkflow(promise.QualityWeekWorkflow, tc.input)
			var result promise.QualityWeekResult
			if err := s.GetWorkflowResult(&result); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{tc.want}, s.notes); diff != "" || result != want {
				t.Errorf("it became %+v by (-want +got):\n%s", result, diff)
			}
		})
	}
}
