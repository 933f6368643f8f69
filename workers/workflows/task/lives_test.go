package task

import (
	"context"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

// end is what a task came to, without times.
type end struct {
	Status  promise.TaskStatus
	Said    []string
	History []string
	// Told is how often each agent's desk was told.
	Told map[string]int
}

// end ends the task, and waits for that.
func (b *brand) end(in promise.TaskInput) end {
	b.T.Helper()
	e := end{Status: b.ends(in), Said: b.Said(in.Conversation), Told: map[string]int{}}
	e.Status.Due = time.Time{}
	for _, step := range b.History(in.ID) {
		e.History = append(e.History, regexp.MustCompile(`^plan/\S+`).ReplaceAllString(step, "plan"))
	}
	for _, agent := range []string{"an", "bo", "sup", "boss"} {
		e.Told[agent] = b.told(agent)
	}
	return e
}

func under(t *testing.T, fault workflowtest.Fault, arguments ...string) (*brand, *workflowtest.Faulty) {
	t.Helper()
	f := workflowtest.Under(t, fault, arguments...)
	return &brand{f.Brand}, f
}

// TestEveryFaultLeadsToTheSameEnd breaks a part while timers are pending, brings it back when they are overdue, and wants
// what comes without any fault: each step once, each told once.
func TestEveryFaultLeadsToTheSameEnd(t *testing.T) {
	t.Parallel()
	workflowtest.EveryFault(t, map[string]func(*testing.T, workflowtest.Fault) end{
		"a promise that is late": func(t *testing.T, fault workflowtest.Fault) end {
			t.Helper()
			b, faulty := under(t, fault)
			in := b.owes(dueIn(6 * time.Second))
			b.awaits(in.ID, "remind")
			faulty.Strike(in.Due)
			b.awaits(in.ID, "escalate/1")
			got := b.end(in)
			want := end{
				Status: promise.TaskStatus{State: promise.TaskDone, Owner: "an", Late: true, Rung: 1},
				Said:   []string{"text 晚了"},
				// an owes it and hears everything, the supervisor that it is late, the admin that nobody does it.
				Told:    map[string]int{"an": 5, "sup": 1, "boss": 1, "bo": 0},
				History: got.History,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the end (-want +got):\n%s", diff)
			}
			steps, err := b.Steps(t.Context(), in.ID)
			if diff := cmp.Diff([]string{"open", "remind", "breach", "escalate/1", "end"}, steps); diff != "" || err != nil {
				t.Errorf("steps (-want +got):\n%s, err %v", diff, err)
			}
			faulty.WantRetries(in.ID)
			if fault == workflowtest.Nothing {
				b.StoreHistory(newest, in.ID, "late-and-done")
			}
			return got
		},
		"an answer that is owed after the opening": func(t *testing.T, fault workflowtest.Fault) end {
			t.Helper()
			opens := time.Now().Add(5 * time.Second).UTC().Truncate(time.Second) // As schedules open.
			b, faulty := under(t, fault, opens.Format(time.RFC3339Nano))
			in := b.owes(func(in *promise.TaskInput) {
				in.ID, in.Kind, in.Owner, in.AfterOpeningSeconds = promise.TaskID("shop", "lumi", promise.CaseOffHours, in.Conversation.String()), promise.CaseOffHours, "", 2
				in.RemindBeforeSeconds, in.Ladder = 1, []promise.Rung{{AfterSeconds: 1, Notify: promise.RoleAdmin}}
			})
			faulty.Strike(opens)
			b.awaits(in.ID, "remind")
			faulty.Strike(opens.Add(2 * time.Second))
			b.awaits(in.ID, "escalate/1")
			got := b.end(in)
			faulty.WantRetries(in.ID)
			return got
		},
		"a call back that is put off, and late again": func(t *testing.T, fault workflowtest.Fault) end {
			t.Helper()
			b, faulty := under(t, fault)
			in := b.owes(func(in *promise.TaskInput) {
				in.ID, in.Kind, in.Owner = promise.TaskID("shop", "lumi", promise.CaseCallBack, in.Conversation.String()), promise.CaseCallBack, ""
				in.Due = in.StartedAt.Add(2 * time.Second)
			})
			faulty.Strike(in.Due)
			b.awaits(in.ID, "breach")
			due := time.Now().Add(3 * time.Second)
			b.Insist(func(ctx context.Context, u *store.Unit) error {
				return u.SignalWorkflow(ctx, in.ID, promise.SignalTaskPostpone, promise.TaskPostpone{ID: "p1", By: "an", Due: due})
			})
			faulty.Strike(due)
			b.awaits(in.ID, "breach/p1")
			got := b.end(in)
			faulty.WantRetries(in.ID)
			return got
		},
	})
}
