package aftersales

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/temporal"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

func insured(in *promise.AfterSalesInput) { in.Application.Order.FreightInsured = true }

func vip(in *promise.AfterSalesInput) { in.Tier = "vip" }

// end is what a case came to.
type end struct {
	States []rules.State
	Moved  map[string]int64
	Said   []string
	// Taken are the steps of its history that are taken once.
	Taken []string
}

func (b *brand) end(in promise.AfterSalesInput) end {
	b.t.Helper()
	c := b.await(in.ID, "ended", func(c rules.Case) bool { return c.State.Ended() })
	b.ended(in.ID)
	e := end{Moved: b.provider.moved(), Said: b.said(*in.Conversation), Taken: b.history(in.ID, "enter", "act", "done", "begin", "remind", "breach", "escalate")}
	for _, step := range c.Steps {
		e.States = append(e.States, step.State)
	}
	slices.Sort(e.Taken)
	return e
}

// play is the life of an insured return; between its steps something may happen.
func play(t *testing.T, between func(b *brand, in promise.AfterSalesInput)) end {
	t.Helper()
	b := newBrand(t, newProvider(t))
	in := b.apply(b.converse("customer", 20), "customer", insured)
	for _, step := range []struct {
		in     rules.State
		action rules.Action
	}{
		{rules.StateReview, rules.ActionApprove},
		{rules.StateReturning, rules.ActionReceive},
		{rules.StateReceived, rules.ActionAccept},
		{rules.StateSettled, rules.ActionConfirm},
	} {
		between(b, in)
		b.awaitStep(in.ID, step.in)
		between(b, in)
		b.act(in.ID, step.action)
	}
	between(b, in)
	e := b.end(in)
	b.storeHistory(in.ID, "return-paid-and-claimed")
	return e
}

func TestAWorkerMayDieInEachState(t *testing.T) {
	var once sync.Once
	undisturbed := play(t, func(b *brand, _ promise.AfterSalesInput) {
		once.Do(func() { b.run(newWorker(b.client, b.activities()).Run) })
	})
	want := map[string]int64{"refund/1": 100_00, "claim/1": 0}
	if diff := cmp.Diff(want, undisturbed.Moved); diff != "" {
		t.Errorf("moved without faults (-want +got):\n%s", diff)
	}
	if *update {
		return
	}
	kill := func() {}
	disturbed := play(t, func(b *brand, _ promise.AfterSalesInput) {
		kill()
		kill = b.killableWorker()
	})
	if diff := cmp.Diff(undisturbed, disturbed); diff != "" {
		t.Errorf("the end with workers killed in each state (-without +with):\n%s", diff)
	}
}

func TestMoneyMovesOnceWhereTheWorkerDiesBeforeItHearsTheAnswer(t *testing.T) {
	p := newProvider(t)
	b := newBrand(t, p)
	died := make(chan struct{})
	var once sync.Once
	kill := b.killableWorker()
	p.meanwhile = func(string) { once.Do(func() { kill(); close(died) }) }
	in := b.apply(b.converse("customer", 20), "customer", vip)
	select {
	case <-died:
	case <-time.After(patience):
		t.Fatal("the provider was not told")
	}
	if c := b.await(in.ID, "sending", func(c rules.Case) bool { return c.Refund != nil && c.Refund.Key != "" }); c.Refund.State != rules.EffectSending {
		t.Errorf("the refund is %s, want it written down before the provider was told", c.Refund.State)
	}
	// Nobody pays by hand what may be paid already.
	err := b.try(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ActOnAfterSales(ctx, in.ID, rules.Act{ID: "hand", By: "an", Action: rules.ActionRefunded, Reference: "R1"})
		return err
	})
	if refusal := (*rules.RefusalError)(nil); !errors.As(err, &refusal) || refusal.Reason != "UnderWay" {
		t.Errorf("paying by hand: %v", err)
	}
	b.run(newWorker(b.client, b.activities()).Run)
	c := b.awaitStep(in.ID, rules.StateReturning)
	if c.Refund.Reference != "P-refund" || p.called("refund") < 2 {
		t.Errorf("the refund is %+v after %d calls", c.Refund, p.called("refund"))
	}
	if diff := cmp.Diff(map[string]int64{"refund/1": 100_00}, p.moved()); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
}

func TestAProviderMayFailAndThink(t *testing.T) {
	p := newProvider(t)
	p.answers = func(_ string, before int) (int, string) {
		return [...]func() (int, string){
			func() (int, string) { return 500, "" },
			func() (int, string) { return 302, "" },
			func() (int, string) { return 202, `{"state":"pending","reference":"P-1"}` },
			func() (int, string) { return 404, "" }, // It forgot for a moment: nothing is told again.
			func() (int, string) { return 200, `{"state":"done","reference":"P-2"}` },
		}[min(before, 4)]()
	}
	b := newBrand(t, p)
	b.run(newWorker(b.client, b.activities()).Run)
	in := b.apply(b.converse("customer", 20), "customer", vip)
	b.await(in.ID, "pending", func(c rules.Case) bool { return c.Refund.State == rules.EffectPending && c.Refund.Reference == "P-1" })
	c := b.awaitStep(in.ID, rules.StateReturning)
	if c.Refund.Reference != "P-2" || c.Refund.Attempt != 1 {
		t.Errorf("the refund is %+v", c.Refund)
	}
	if diff := cmp.Diff(map[string]int64{"refund/1": 100_00}, p.moved()); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
}

func TestWhatAProviderRefusesComesBackToSomebody(t *testing.T) {
	p := newProvider(t)
	p.answers = func(operation string, before int) (int, string) {
		if operation == "refund" && before == 0 {
			return 422, `{"reason":"原支付方式已失效"}`
		}
		return 0, ""
	}
	b := newBrand(t, p)
	b.run(newWorker(b.client, b.activities()).Run)
	in := b.apply(b.converse("customer", 20), "customer", vip)
	c := b.await(in.ID, "refused", func(c rules.Case) bool { return c.Refund.State == rules.EffectRefused })
	if c.Refund.Reason != "原支付方式已失效" || !slices.Contains(c.Allowed("an"), rules.ActionRetry) {
		t.Errorf("the refund is %+v, allowed %v", c.Refund, c.Allowed("an"))
	}
	b.act(in.ID, rules.ActionRetry)
	b.awaitStep(in.ID, rules.StateReturning)
	if diff := cmp.Diff(map[string]int64{"refund/2": 100_00}, p.moved()); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
}

func TestWhatWasPaidForGoodsThatNeverComeIsTakenBack(t *testing.T) {
	p := newProvider(t)
	b := newBrand(t, p)
	b.run(newWorker(b.client, b.activities()).Run)
	in := b.apply(b.converse("customer", 20), "customer", vip, func(in *promise.AfterSalesInput) { in.Terms.Limits.Return = 1 })
	e := b.end(in)
	want := end{
		States: []rules.State{rules.StateRefunding, rules.StateReturning, rules.StateUndoing, rules.StateExpired},
		Moved:  map[string]int64{"refund/1": 100_00, "reversal/1": 100_00},
	}
	e.Said, e.Taken = nil, nil
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("the end (-want +got):\n%s", diff)
	}
	if order := p.orders[store.AfterSalesKey(in.ID, rules.OperationReversal, 1)]; !strings.Contains(order, `"refund":"P-refund"`) {
		t.Errorf("the reversal does not name what it takes back: %s", order)
	}
	b.storeHistory(in.ID, "instant-refund-taken-back")
}

func TestACancelledWorkflowTakesBackWhatItPaid(t *testing.T) {
	p := newProvider(t)
	b := newBrand(t, p)
	b.run(newWorker(b.client, b.activities()).Run)
	in := b.apply(b.converse("customer", 20), "customer", vip)
	b.awaitStep(in.ID, rules.StateReturning)
	if err := b.client.CancelWorkflow(t.Context(), in.ID, ""); err != nil {
		t.Fatal(err)
	}
	b.awaitStep(in.ID, rules.StateWithdrawn)
	if err := b.client.GetWorkflow(t.Context(), in.ID, "").Get(t.Context(), nil); !errors.As(err, new(*temporal.CanceledError)) {
		t.Errorf("the workflow ended with %v", err)
	}
	if diff := cmp.Diff(map[string]int64{"refund/1": 100_00, "reversal/1": 100_00}, p.moved()); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
	b.storeHistory(in.ID, "cancelled")
}

func TestNoOrderIsPaidBackTwice(t *testing.T) {
	p := newProvider(t)
	b := newBrand(t, p)
	b.run(newWorker(b.client, b.activities()).Run)
	same := func(amount int64) func(*promise.AfterSalesInput) {
		return func(in *promise.AfterSalesInput) { in.Application.Order.Number, in.Application.Amount = "same", amount }
	}
	var cases []promise.AfterSalesInput
	for _, customer := range []string{"one", "two", "three"} {
		cases = append(cases, b.apply(b.converse(customer, 20), customer, vip, same(60_00)))
	}
	refused := 0
	for _, in := range cases {
		c := b.await(in.ID, "paid or refused", func(c rules.Case) bool {
			return c.State == rules.StateReturning || c.Refund.State == rules.EffectRefused
		})
		if c.Refund.State == rules.EffectRefused {
			refused++
			// By hand it is refused as well.
			err := b.try(func(ctx context.Context, u *store.Unit) error {
				_, _, err := u.ActOnAfterSales(ctx, in.ID, rules.Act{ID: "hand", By: "an", Action: rules.ActionRefunded, Reference: "R1"})
				return err
			})
			if refusal := (*rules.RefusalError)(nil); !errors.As(err, &refusal) || refusal.Reason != "AmountTooHigh" {
				t.Errorf("paying by hand: %v", err)
			}
		}
	}
	if diff := cmp.Diff(map[string]int64{"refund/1": 60_00}, p.moved()); diff != "" || refused != 2 {
		t.Errorf("%d refused; moved (-want +got):\n%s", refused, diff)
	}
}

func TestEachDeadlineIsTakenOnceThoughTheWorkerDies(t *testing.T) {
	b := newBrand(t, nil)
	kill := b.killableWorker()
	in := b.apply(b.converse("customer", 20), "customer", func(in *promise.AfterSalesInput) {
		in.Terms.Limits.Review, in.Terms.RemindBefore, in.Terms.Limits.Overall = 3, 1, 4
		in.Ladder = []promise.Rung{{AfterSeconds: 1, Notify: promise.RoleSupervisor}, {AfterSeconds: 3, Notify: promise.RoleAdmin}}
	})
	b.await(in.ID, "reminded", func(c rules.Case) bool { return !c.Now().RemindedAt.IsZero() })
	kill()
	kill = b.killableWorker()
	b.await(in.ID, "late", func(c rules.Case) bool { return !c.Now().BreachedAt.IsZero() })
	kill()
	b.run(newWorker(b.client, b.activities()).Run)
	c := b.await(in.ID, "escalated", func(c rules.Case) bool { return c.Now().Escalated == 2 && !c.OverallLateAt.IsZero() })
	if late := c.Now().BreachedAt.Sub(c.Now().EnteredAt); late != 3*time.Second {
		t.Errorf("late after %s", late)
	}
	b.act(in.ID, rules.ActionApprove)
	b.awaitStep(in.ID, rules.StateReturning)
	b.act(in.ID, rules.ActionWithdraw)
	if status := b.ended(in.ID); status.State != rules.StateWithdrawn || !status.OverallLate || status.IgnoredSignals != 0 {
		t.Errorf("the status is %+v", status)
	}
	want := []string{"remind/0", "breach/0", "escalate/0/1", "escalate/0/2", "overall"}
	got := b.history(in.ID, "remind", "breach", "escalate", "overall")
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deadlines (-want +got):\n%s", diff)
	}
	row, err := b.store.Queries().CaseGet(t.Context(), in.ID)
	if err != nil || row.BreachedAt == nil || row.ClosedAt == nil || row.DueAt != nil {
		t.Errorf("the row is %+v, %v", row, err)
	}
	b.storeHistory(in.ID, "late-and-withdrawn")
}

func TestWithoutAProviderItIsDoneByHand(t *testing.T) {
	b := newBrand(t, nil)
	b.run(newWorker(b.client, b.activities()).Run)
	conversation := b.converse("customer", 20)
	in := b.apply(conversation, "customer", func(in *promise.AfterSalesInput) {
		in.Application.Kind, in.Application.Reason = rules.Reissue, rules.MissingItem
	})
	b.awaitStep(in.ID, rules.StateReview)
	b.act(in.ID, rules.ActionApprove)
	b.await(in.ID, "left to somebody's hands", func(c rules.Case) bool { return c.Shipment != nil && c.Shipment.State == rules.EffectByHand })
	b.act(in.ID, rules.ActionShipped, func(a *rules.Act) { a.Carrier = "顺丰" })
	b.awaitStep(in.ID, rules.StateSettled)
	b.act(in.ID, rules.ActionConfirm)
	if status := b.ended(in.ID); status.State != rules.StateDone {
		t.Errorf("the status is %+v", status)
	}
	said := b.said(conversation)
	if len(said) == 0 || !strings.Contains(said[len(said)-1], "顺丰 SF1") {
		t.Errorf("the customer was told %q", said)
	}
	b.storeHistory(in.ID, "reissue-by-hand")
}

func TestASignalInTheWrongStateChangesNothing(t *testing.T) {
	b := newBrand(t, nil)
	b.run(newWorker(b.client, b.activities()).Run)
	in := b.apply(b.converse("customer", 20), "customer")
	before := b.awaitStep(in.ID, rules.StateReview)
	if err := b.client.SignalWorkflow(t.Context(), in.ID, "", promise.SignalAct, rules.Act{ID: "x", By: "an", Action: rules.ActionRefunded, Reference: "R1"}); err != nil {
		t.Fatal(err)
	}
	b.act(in.ID, rules.ActionWithdraw)
	if status := b.ended(in.ID); status.IgnoredSignals != 1 || status.State != rules.StateWithdrawn {
		t.Errorf("the status is %+v", status)
	}
	if after := b.awaitStep(in.ID, rules.StateWithdrawn); after.Refund != nil || len(after.Steps) != len(before.Steps)+1 {
		t.Errorf("the case is %+v", after)
	}
}

func TestHowACustomerIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		messages int32
		notices  bool
		want     string
	}{
		"by text while the platform takes it":                  {2, true, "text"},
		"by the platform's template rather than the last text": {1, true, "notice"},
		"by the last text where there is no template":          {1, false, "text"},
		"by the template when no window is open":               {0, true, "notice"},
		"else those who work on it are told":                   {0, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newStore(t)
			a := activitiesOn(b.store)
			a.Directory = people{notices: test.notices}
			conversation := b.converse("customer", test.messages)
			in := input(func(in *promise.AfterSalesInput) { in.Conversation = &conversation })
			if _, err := a.Open(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			reference := Reference{ID: in.ID, SkillGroup: in.SkillGroup}
			for range 3 { // An activity runs again when its worker died before it could report.
				if _, err := a.Enter(t.Context(), Entering{Case: reference, Terms: in.Terms}); err != nil {
					t.Fatal(err)
				}
				if err := a.Tell(t.Context(), Telling{Case: reference}); err != nil {
					t.Fatal(err)
				}
			}
			said, untold := b.said(conversation), b.history(in.ID, "untold")
			if test.want == "" {
				if len(said) != 0 || len(untold) != 1 {
					t.Errorf("said %q, untold %q", said, untold)
				}
				return
			}
			if len(said) != 1 || !strings.HasPrefix(said[0], test.want+" ") || len(untold) != 0 {
				t.Errorf("said %q, untold %q, want one %s", said, untold, test.want)
			}
		})
	}
}
