package aftersales

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

// lengthen makes a history so long, by notes too long to be taken, that the server wants another run, and waits until that has begun.
// It returns how many acts are ignored.
func (b *brand) lengthen(id string) (ignored int) {
	b.T.Helper()
	run := func(ctx context.Context) (string, error) {
		described, err := b.Client.DescribeWorkflowExecution(ctx, id, "")
		return described.GetWorkflowExecutionInfo().GetExecution().GetRunId(), err
	}
	first := workflowtest.Read(b.Brand, "the run", run)
	// Temporal suggests it at 4 MB; the history holds each act twice, as a signal and as what an activity is given.
	for ; ignored < 6; ignored++ {
		act := rules.Act{ID: "long", By: "an", Action: rules.ActionRefuse, Note: strings.Repeat("x", 400<<10)}
		if err := b.Client.SignalWorkflow(b.T.Context(), id, "", promise.SignalAct, act); err != nil {
			b.T.Fatal(err)
		}
	}
	workflowtest.Await(b.Brand, "another run", run, func(now string) bool { return now != first })
	return ignored
}

func TestACaseGoesOnInAnotherRun(t *testing.T) {
	t.Parallel()
	b, faulty := under(t, workflowtest.WorkerKilled)
	var done atomic.Bool
	b.provider.answers = func(operation string, _ int) (int, string) {
		if operation != string(rules.OperationRefund) || done.Load() {
			return 0, ""
		}
		return http.StatusAccepted, `{"state":"pending","reference":"P-1"}`
	}
	in := b.apply(b.Converse("customer", 20), "customer", insured, func(in *promise.AfterSalesInput) {
		in.Terms.Limits.Review, in.Terms.RemindBefore, in.Terms.Limits.Overall = 10, 9, 11
		in.Ladder = []promise.Rung{{AfterSeconds: 1, Notify: promise.RoleSupervisor}, {AfterSeconds: 2, Notify: promise.RoleAdmin}}
	})
	// Between the reminder and the breach.
	c := b.await(in.ID, "reminded", func(c rules.Case) bool { return !c.Now().RemindedAt.IsZero() })
	ignored := b.lengthen(in.ID)
	faulty.Strike(c.Now().Due)
	b.await(in.ID, "late", func(c rules.Case) bool { return c.Now().Escalated == 2 && !c.OverallLateAt.IsZero() })
	b.act(in.ID, rules.ActionApprove)
	// While the customer has to do something.
	b.awaitStep(in.ID, rules.StateReturning)
	ignored += b.lengthen(in.ID)
	b.act(in.ID, rules.ActionReceive)
	b.awaitStep(in.ID, rules.StateReceived)
	b.act(in.ID, rules.ActionAccept)
	// While the provider thinks: it is asked by the next run, under the same key.
	pending := func(c rules.Case) bool { return c.Refund != nil && c.Refund.State == rules.EffectPending }
	b.await(in.ID, "pending", pending)
	ignored += b.lengthen(in.ID)
	b.await(in.ID, "pending still", pending)
	done.Store(true)
	faulty.Strike(time.Now())
	b.awaitStep(in.ID, rules.StateSettled)
	b.act(in.ID, rules.ActionConfirm)
	if status := b.ended(in.ID); status.State != rules.StateDone || !status.OverallLate || status.IgnoredSignals != ignored {
		t.Errorf("the status is %+v, want %d ignored", status, ignored)
	}
	if diff := cmp.Diff(map[string]int64{"refund/1": 100_00, "claim/1": 0}, b.provider.moved(in.ID)); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
	want := []string{"breach/0", "escalate/0/1", "escalate/0/2", "overall", "remind/0"}
	if diff := cmp.Diff(want, b.steps(in.ID, "remind/0", "breach", "escalate", "overall")); diff != "" {
		t.Errorf("deadlines (-want +got):\n%s", diff)
	}
	said := map[string]int{}
	for _, words := range b.Said(*in.Conversation) {
		if said[words]++; said[words] > 1 {
			t.Errorf("the customer was told %d times: %s", said[words], words)
		}
	}
}
