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
	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/order"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

func home() *order.Address {
	return &order.Address{Recipient: "王女士", Phone: "13800001234", Address: "上海市徐汇区1号"}
}

// asking is what an agent asks of an order for a customer.
func (b *brand) asking(operation rules.Operation, customer string, modify ...func(*promise.OrderInput)) promise.OrderInput {
	b.T.Helper()
	in := promise.OrderInput{
		ID: promise.OrderID("shop", "lumi", uuid.Must(uuid.NewV7())), Order: "LM0001", Operation: operation, Conversation: b.Converse(customer, 20), Channel: "mini",
		Customer: customer, SkillGroup: "after-sales", OpenedBy: "an", StartedAt: time.Now().UTC(), Due: time.Now().UTC().Add(time.Hour),
	}
	for _, m := range modify {
		m(&in)
	}
	return in
}

// tryAsk asks as a desk does.
func (b *brand) tryAsk(in promise.OrderInput) error {
	var address *order.Address
	if in.Operation == order.OperationAddress {
		address = home()
	}
	return b.Try(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.OpenOrder(ctx, in, address, store.Taking{Step: "open", Actor: "an"})
		return err
	})
}

// asks does so twice, as an agent who is not sure that it went through.
func (b *brand) asks(operation rules.Operation, modify ...func(*promise.OrderInput)) promise.OrderInput {
	b.T.Helper()
	in := b.asking(operation, "customer", modify...)
	for range 2 {
		if err := b.tryAsk(in); err != nil {
			b.T.Fatal(err)
		}
	}
	return in
}

func (b *brand) awaitOrder(id, what string, ok func(c order.Case) bool) order.Case {
	b.T.Helper()
	return workflowtest.Await(b.Brand, "the case to be "+what, func(ctx context.Context) (order.Case, error) {
		row, err := b.Store.Queries().CaseGet(ctx, id)
		if err != nil {
			return order.Case{}, err
		}
		return store.OrderOf(store.CaseView(row))
	}, ok)
}

// orderEnds waits until the workflow has ended.
func (b *brand) orderEnds(id string) (status promise.OrderStatus) {
	b.T.Helper()
	b.awaitOrder(id, "ended", func(c order.Case) bool { return c.State.Ended() })
	b.Result(id, &status)
	return status
}

func TestAnOrderIsCancelledOnceThoughTheWorkerDies(t *testing.T) {
	p := newProvider(t)
	b := newBrand(t, p)
	var once sync.Once
	died := make(chan struct{})
	kill := b.startWorker()
	p.meanwhile = func(string) { once.Do(func() { kill(); close(died) }) }
	in := b.asks(order.OperationCancel)
	select {
	case <-died:
	case <-time.After(workflowtest.Patience):
		t.Fatal("the provider was not told")
	}
	b.awaitOrder(in.ID, "sending", func(c order.Case) bool { return c.Outside.State == rules.EffectSending })
	b.startWorker()
	if status := b.orderEnds(in.ID); status.State != order.StateDone {
		t.Errorf("it ends as %+v", status)
	}
	if diff := cmp.Diff(map[string]int64{"cancel/1": 0}, p.moved("")); diff != "" || p.called("cancel") < 2 {
		t.Errorf("done in %d calls (-want +got):\n%s", p.called("cancel"), diff)
	}
	if diff := cmp.Diff([]string{"text 您的订单（****001）已取消。"}, b.Said(in.Conversation)); diff != "" {
		t.Errorf("the customer was told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"open", "begin/case/cancel/1", "done/case/cancel/1", "told"}, b.orderSteps(in.ID)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestACustomerHearsWhyTheAddressWasNotChanged(t *testing.T) {
	p := newProvider(t)
	p.answers = func(_ string, before int) (int, string) {
		if before == 0 {
			return 202, `{"state":"pending"}`
		}
		return 409, `{"reason":"已经发货"}`
	}
	b := newBrand(t, p)
	b.work()
	in := b.asks(order.OperationAddress)
	b.orderEnds(in.ID)
	if diff := cmp.Diff([]string{"text 您的订单（****001）的收货地址未能修改，原因：已经发货。"}, b.Said(in.Conversation)); diff != "" {
		t.Errorf("the customer was told (-want +got):\n%s", diff)
	}
	if body := p.orders[in.ID+"/address/1"]; !strings.Contains(body, `"address":{"recipient":"王女士","phone":"13800001234","address":"上海市徐汇区1号"}`) {
		t.Errorf("the provider was told %s", body)
	}
	// What desks are sent, and what is kept of the case for good, holds no address.
	row, err := b.Store.Queries().CaseGet(t.Context(), in.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range append(workflowtest.News[store.Case](b.Brand, "an", message.FrameCase), store.CaseView(row)) {
		if kept := string(c.Detail) + c.Title; strings.Contains(kept, "1380") || strings.Contains(kept, "徐汇") {
			t.Errorf("the address is in %s", kept)
		}
	}
	b.StoreHistory(newest, in.ID, "order-address-refused")
}

// orderSteps are those of the case's history, in order, with its id left out.
func (b *brand) orderSteps(id string) []string {
	b.T.Helper()
	steps, err := b.Steps(b.T.Context(), id)
	if err != nil {
		b.T.Fatal(err)
	}
	for i, step := range steps {
		steps[i] = strings.ReplaceAll(step, id, "case")
	}
	return steps
}

func TestWithoutAProviderSomebodyCancelsByHandAndIsReminded(t *testing.T) {
	b := newBrand(t, nil)
	b.work()
	in := b.asks(order.OperationCancel, func(in *promise.OrderInput) {
		in.Due, in.RemindBeforeSeconds, in.Ladder = in.StartedAt.Add(2*time.Second), 1, []promise.Rung{{AfterSeconds: 1, Notify: promise.RoleSupervisor}}
	})
	b.awaitOrder(in.ID, "left to somebody's hands", func(c order.Case) bool { return c.Outside.State == rules.EffectByHand })
	b.Eventually("the supervisor to be called", func() error {
		steps, err := b.Steps(t.Context(), in.ID)
		if err == nil && !slices.Contains(steps, "escalate/0/1") {
			err = context.DeadlineExceeded
		}
		return err
	})
	if news := workflowtest.News[store.Case](b.Brand, "sup", message.FrameCase); len(news) != 1 || news[0].BreachedAt == nil {
		t.Errorf("the supervisor was told %d times", len(news))
	}
	b.Signal(in.ID, promise.SignalAct, rules.Act{ID: "raw", By: "an", Action: rules.ActionApprove}) // Means nothing here.
	for range 2 {
		b.Do(func(ctx context.Context, u *store.Unit) error {
			_, _, err := u.ActOnOrder(ctx, in.ID, rules.Act{ID: "1", By: "an", Action: order.ActionRefuse, Note: "已经发货"})
			return err
		})
	}
	if status := b.orderEnds(in.ID); status.State != order.StateRefused || status.IgnoredSignals != 1 {
		t.Errorf("it ends as %+v", status)
	}
	if diff := cmp.Diff([]string{"text 您的订单（****001）未能取消，原因：已经发货。"}, b.Said(in.Conversation)); diff != "" {
		t.Errorf("the customer was told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"open", "begin/case/cancel/1", "remind/0", "breach/0", "escalate/0/1", "act/1", "told"}, b.orderSteps(in.ID)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	b.StoreHistory(newest, in.ID, "order-by-hand-late")
}

func TestWhatIsAskedOfAnOrderGoesWithItsOtherCases(t *testing.T) {
	b := newStore(t)
	wants := func(err error, reason string) {
		t.Helper()
		refusal, refused := err.(*rules.RefusalError) //nolint:errorlint // Units return it as it is.
		if (reason == "") != (err == nil) || refused && refusal.Reason != reason {
			t.Errorf("it says %v, want %q", err, reason)
		}
	}
	approve := rules.Act{ID: "approve", By: "an", Action: rules.ActionApprove}
	wants(b.tryAsk(b.asking(order.OperationAddress, "one")), "")
	wants(b.tryAsk(b.asking(order.OperationCancel, "two")), "UnderWay")

	other := func(in *promise.OrderInput) { in.Order = "LM0002" }
	granted := b.apply(b.Converse("three", 20), "three", ofOrder("LM0002", 60_00))
	b.act(granted.ID, rules.ActionApprove)
	wants(b.tryAsk(b.asking(order.OperationCancel, "four", other)), "MoneyGranted")
	b.act(granted.ID, rules.ActionWithdraw)
	late := b.apply(b.Converse("five", 20), "five", ofOrder("LM0002", 60_00))
	wants(b.tryAsk(b.asking(order.OperationCancel, "six", other)), "")
	wants(b.tryAct(late.ID, approve), "OrderCancelled")
	spelt := b.apply(b.Converse("nine", 20), "nine", ofOrder("lm0002", 60_00))
	wants(b.tryAct(spelt.ID, approve), "OrderCancelled")
	wants(b.tryAsk(b.asking(order.OperationAddress, "seven", other)), "OrderCancelled")
	// At once nothing is paid, either.
	if c := b.await(b.apply(b.Converse("eight", 20), "eight", vip, ofOrder("LM0002", 60_00)).ID, "there", func(rules.Case) bool { return true }); c.State != rules.StateReview {
		t.Errorf("a refund of an order that is being cancelled is in %s", c.State)
	}
}

func TestWhatBecameOfAnOrderIsNotLostWhereItCannotBeTold(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	untold := 0
	for name, run := range map[string]any{
		activityOrderPerform: func(context.Context, Performing) (Standing, error) {
			return Standing{Revision: 1, State: order.StateDone}, nil
		},
		activityOrderTell:   func(context.Context, Telling) error { return errors.New("database away") },
		activityOrderUntold: func(context.Context, Telling) error { untold++; return nil },
	} {
		env.RegisterActivityWithOptions(run, activity.RegisterOptions{Name: name})
	}
	env.ExecuteWorkflow(OrderWorkflow, promise.OrderInput{
		ID: "order/shop/lumi/1", Operation: order.OperationCancel, StartedAt: env.Now(), Due: env.Now().Add(time.Hour),
	})
	if err := env.GetWorkflowError(); err != nil || untold != 1 {
		t.Errorf("it ends with %v, and %d times somebody knows that the customer does not", err, untold)
	}
}
