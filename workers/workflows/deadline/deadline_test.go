package deadline_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/workers/workflows/deadline"
)

// taken is a step, and after what time it was taken.
type taken struct {
	Kind  deadline.Kind
	Rung  int
	Role  string
	After time.Duration
}

func TestDeadline(t *testing.T) {
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	ladder := []promise.Rung{{AfterSeconds: 3600, Notify: promise.RoleSupervisor}, {AfterSeconds: 7200, Notify: promise.RoleAdmin}}
	full := deadline.Deadline{Due: start.Add(2 * time.Hour), RemindAt: start.Add(90 * time.Minute), Ladder: ladder}
	remind := taken{Kind: deadline.Remind, After: 90 * time.Minute}
	breach := taken{Kind: deadline.Breach, After: 2 * time.Hour}
	first := taken{Kind: deadline.Escalate, Rung: 1, Role: promise.RoleSupervisor, After: 3 * time.Hour}
	second := taken{Kind: deadline.Escalate, Rung: 2, Role: promise.RoleAdmin, After: 4 * time.Hour}
	for name, test := range map[string]struct {
		deadline  deadline.Deadline
		doneAfter time.Duration
		want      []taken
	}{
		"what is done in time disturbs nobody":                    {full, time.Hour, nil},
		"its owner is reminded before it is late":                 {full, 100 * time.Minute, []taken{remind}},
		"late, it is marked and then climbs":                      {full, 200 * time.Minute, []taken{remind, breach, first}},
		"nobody who does it: every step is taken, and it ends":    {full, 0, []taken{remind, breach, first, second}},
		"a reminder that would come too late is left out":         {deadline.Deadline{Due: start.Add(2 * time.Hour), RemindAt: start.Add(2 * time.Hour)}, 0, []taken{breach}},
		"a deadline of the past is late at once":                  {deadline.Deadline{Due: start.Add(-time.Hour)}, 0, []taken{{Kind: deadline.Breach}}},
		"steps that were taken before continue-as-new stay taken": {deadline.Deadline{Due: full.Due, RemindAt: full.RemindAt, Ladder: ladder, Taken: 3}, 0, []taken{second}},
	} {
		t.Run(name, func(t *testing.T) {
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			env.SetStartTime(start)
			var got []taken
			env.ExecuteWorkflow(func(ctx workflow.Context, d deadline.Deadline) error {
				done := false
				if test.doneAfter > 0 {
					workflow.Go(ctx, func(ctx workflow.Context) {
						if err := workflow.Sleep(ctx, test.doneAfter); err == nil {
							done = true
						}
					})
				}
				return d.Keep(ctx, func() bool { return done }, func(ctx workflow.Context, s deadline.Step) error {
					got = append(got, taken{s.Kind, s.Rung, s.Notify, workflow.Now(ctx).Sub(start)})
					return nil
				})
			}, test.deadline)
			if err := env.GetWorkflowError(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}
