package aftersales

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// ofOrder makes it a case of an order of 100 yuan, about so much of it.
func ofOrder(number string, amount int64) func(*promise.AfterSalesInput) {
	return func(in *promise.AfterSalesInput) { in.Application.Order.Number, in.Application.Amount = number, amount }
}

// tryAct does something to a case that may be refused.
func (b *brand) tryAct(id string, act rules.Act) error {
	return b.Try(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ActOnAfterSales(ctx, id, act, people{}.GroupAgents)
		return err
	})
}

func wantLeft(t *testing.T, err error, says string) {
	t.Helper()
	var refusal *rules.RefusalError
	if !errors.As(err, &refusal) || refusal.Reason != "AmountTooHigh" || !strings.Contains(refusal.Message, says) {
		t.Errorf("it says %v, want AmountTooHigh and %q", err, says)
	}
}

func TestNoOrderIsPaidBackTwice(t *testing.T) {
	p := newProvider(t)
	b := newBrand(t, p)
	b.work()
	reviewed := 0
	for _, customer := range []string{"one", "two", "three"} {
		in := b.apply(b.Converse(customer, 20), customer, vip, ofOrder("same", 60_00))
		c := b.await(in.ID, "paid or to be reviewed", func(c rules.Case) bool {
			return c.State == rules.StateReturning || c.State == rules.StateReview
		})
		if c.State == rules.StateReview {
			reviewed++
			if c.Decision.Rule != rules.RuleOrderSpent || !strings.Contains(c.Decision.Agent, "40 are left") {
				t.Errorf("who reviews it reads %q", c.Decision.Agent)
			}
			wantLeft(t, b.tryAct(in.ID, rules.Act{ID: "approve", By: "an", Action: rules.ActionApprove}), "of the 100 yuan paid for the order 40 are left to pay back, not 60")
		}
	}
	if diff := cmp.Diff(map[string]int64{"refund/1": 60_00}, p.moved("")); diff != "" || reviewed != 2 {
		t.Errorf("%d are reviewed; moved (-want +got):\n%s", reviewed, diff)
	}
}

func TestAnOrderInPartsIsReviewedBeyondWhatIsPaidAtOnce(t *testing.T) {
	b := newStore(t)
	upTo := func(in *promise.AfterSalesInput) {
		in.Terms.Policy.Speeds = []rules.TierSpeed{{Tier: "vip", Speed: rules.Instant, UpTo: 50_00}}
	}
	for _, part := range []struct {
		customer string
		want     rules.State
	}{{"one", rules.StateRefunding}, {"two", rules.StateReview}} {
		in := b.apply(b.Converse(part.customer, 20), part.customer, vip, upTo, ofOrder("same", 30_00))
		if c := b.await(in.ID, "there", func(rules.Case) bool { return true }); c.State != part.want {
			t.Errorf("of %s the case is in %s, want %s", part.customer, c.State, part.want)
		}
	}
}

func TestWhatIsPromisedAndNotPaidCountsForTheOrder(t *testing.T) {
	b := newStore(t)
	var cases []string
	for _, customer := range []string{"one", "two"} {
		cases = append(cases, b.apply(b.Converse(customer, 20), customer, ofOrder("same", 0)).ID)
	}
	approve := rules.Act{ID: "approve", By: "an", Action: rules.ActionApprove, Amount: 70_00}
	b.act(cases[0], rules.ActionApprove, func(a *rules.Act) { a.Amount = 70_00 })
	wantLeft(t, b.tryAct(cases[1], approve), "30 are left to pay back, not 70")
	b.act(cases[0], rules.ActionWithdraw)
	if err := b.tryAct(cases[1], approve); err != nil {
		t.Errorf("what was withdrawn is not given back: %v", err)
	}
}

func TestOfTwoCasesThatCameInOneParcelOnePaysItsFreight(t *testing.T) {
	b := newStore(t)
	freight := func(in *promise.AfterSalesInput) { in.Terms.Policy.FreightUpTo = 20_00 }
	accept := func(amount int64) rules.Act {
		return rules.Act{ID: fmt.Sprint("accept", amount), By: "an", Action: rules.ActionAccept, FreightAmount: &amount}
	}
	var cases []string
	for _, customer := range []string{"one", "two"} {
		id := b.apply(b.Converse(customer, 20), customer, freight, ofOrder("same", 30_00)).ID
		b.act(id, rules.ActionApprove, func(a *rules.Act) { a.Freight = rules.FreightSeller })
		b.act(id, rules.ActionSent)
		b.act(id, rules.ActionReceive)
		cases = append(cases, id)
	}
	if err := b.tryAct(cases[0], accept(12_00)); err != nil {
		t.Fatal(err)
	}
	var refusal *rules.RefusalError
	if err := b.tryAct(cases[1], accept(12_00)); !errors.As(err, &refusal) || refusal.Reason != "FreightTwice" {
		t.Errorf("the second says %v, want FreightTwice", err)
	}
	if err := b.tryAct(cases[1], accept(0)); err != nil {
		t.Errorf("without freight the second is refused: %v", err)
	}
}

func TestACaseGoesOnThoughItsNumberWouldBeRefusedNow(t *testing.T) {
	b := newStore(t)
	in := b.apply(b.Converse("one", 20), "one")
	record := func(in promise.AfterSalesInput) (now store.Case, fresh bool, err error) {
		ofOrder("LM 1", 0)(&in)
		err = b.Try(func(ctx context.Context, u *store.Unit) (err error) {
			now, fresh, err = u.RecordAfterSales(ctx, in, store.Taking{Step: "open", Actor: "an"})
			return err
		})
		return now, fresh, err
	}
	if now, fresh, err := record(in); err != nil || fresh || now.ID != in.ID {
		t.Errorf("the case is %q, fresh: %t, err %v; want the one that there is", now.ID, fresh, err)
	}
	in.ID = "new"
	var refusal *rules.RefusalError
	if _, _, err := record(in); !errors.As(err, &refusal) || refusal.Reason != "OrderMissing" {
		t.Errorf("a new one says %v, want OrderMissing", err)
	}
}

func TestOfTwoWhoGrantAtOnceOneIsRefused(t *testing.T) {
	b := newStore(t)
	var cases []string
	for _, customer := range []string{"one", "two", "three", "four"} {
		cases = append(cases, b.apply(b.Converse(customer, 20), customer, ofOrder("same", 60_00)).ID)
	}
	// Instant refunds of the same order come in between.
	refused := make([]error, len(cases))
	var all sync.WaitGroup
	for i, id := range cases {
		all.Go(func() { refused[i] = b.tryAct(id, rules.Act{ID: "approve", By: "an", Action: rules.ActionApprove}) })
		conversation := b.Converse("vip"+id, 20)
		all.Go(func() { b.apply(conversation, "vip"+id, vip, ofOrder("same", 60_00)) })
	}
	all.Wait()
	if granted := b.granted("same"); granted != 60_00 {
		t.Errorf("%d are granted, want 6000; refused: %v", granted, refused)
	}
}

// granted is what all cases of an order are granted.
func (b *brand) granted(order string) (sum int64) {
	b.T.Helper()
	rows, err := b.Store.Queries().CasesOfOrder(b.T.Context(), order, "")
	if err != nil {
		b.T.Fatal(err)
	}
	for _, row := range rows {
		c, err := store.AfterSalesOf(store.Case{Kind: promise.CaseAfterSales, Detail: row})
		if err != nil {
			b.T.Fatal(err)
		}
		sum += c.Granted()
	}
	return sum
}

// Whatever agents do to the cases of two orders, and a provider or nobody performs: no order is granted more than was paid.
func TestOrdersAreNeverGrantedMoreThanWasPaid(t *testing.T) {
	b := newStore(t)
	a := activitiesOn(b.Store)
	random := rand.New(rand.NewPCG(7, 22))
	actions := []rules.Action{
		rules.ActionApprove, rules.ActionApprove, rules.ActionReceive, rules.ActionAccept, rules.ActionReject, rules.ActionRefunded, rules.ActionRefunded,
		rules.ActionShipped, rules.ActionReversed, rules.ActionRefundInstead, rules.ActionRetry, rules.ActionWithdraw,
	}
	orders, refused := []string{"left", "right"}, 0
	for range 8 {
		var cases []string
		for i := range 120 {
			order := orders[random.IntN(2)]
			if i%12 == 0 {
				customer := store.EffectKey(order, "", random.Int())
				modify := []func(*promise.AfterSalesInput){ofOrder(order, random.Int64N(5)*25_00)}
				if random.IntN(2) == 0 {
					modify = append(modify, vip)
				}
				if random.IntN(4) == 0 {
					modify = append(modify, of(rules.Reissue, rules.MissingItem))
				}
				cases = append(cases, b.apply(b.Converse(customer, 0), customer, modify...).ID)
			}
			id := cases[random.IntN(len(cases))]
			if c := b.await(id, "there", func(rules.Case) bool { return true }); c.Operation() != "" {
				attempt, _ := c.Attempt()
				if _, err := a.Perform(t.Context(), Performing{Case: Reference{ID: id}, Operation: c.Operation(), Attempt: attempt}); err != nil {
					t.Fatal(err)
				}
			}
			err := b.tryAct(id, rules.Act{
				ID: store.EffectKey("act", "", random.Int()), By: "an", Action: actions[random.IntN(len(actions))], Amount: random.Int64N(5) * 25_00, Note: "因为",
				Tracking: "SF1", Reference: "R1",
			})
			if err != nil && strings.Contains(err.Error(), "are left to pay back") {
				refused++
			}
			for _, order := range orders {
				if granted := b.granted(order); granted > 100_00 {
					t.Fatalf("%d of 10000 are granted", granted)
				}
			}
		}
		orders = []string{"left" + cases[0], "right" + cases[0]}
	}
	if refused < 5 {
		t.Errorf("the test tries too little: %d refusals", refused)
	}
}
