package aftersales

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

// life is a case, and what is done to it in its states.
type life struct {
	apply []func(*promise.AfterSalesInput)
	acts  []turn
	// states and moved are what comes of it, whatever breaks.
	states []rules.State
	moved  map[string]int64
}

// turn is what somebody does to a case in a state; late is once its ladder is climbed.
type turn struct {
	in     rules.State
	late   bool
	action rules.Action
	modify []func(*rules.Act)
}

func insured(in *promise.AfterSalesInput) { in.Application.Order.FreightInsured = true }

func vip(in *promise.AfterSalesInput) { in.Tier = "vip" }

// lives go through each state, and through each kind of application.
func lives() map[string]life {
	freight := func(amount int64) func(*rules.Act) { return func(a *rules.Act) { a.FreightAmount = &amount } }
	photographed := func(a *rules.Act) { a.Evidence = []rules.Evidence{{Message: uuid.Max}} }
	return map[string]life{
		"a return whose freight is insured": {
			apply: []func(*promise.AfterSalesInput){insured},
			acts: []turn{
				{in: rules.StateReview, action: rules.ActionApprove},
				{in: rules.StateReturning, action: rules.ActionReceive},
				{in: rules.StateReceived, action: rules.ActionAccept},
				{in: rules.StateSettled, action: rules.ActionConfirm},
			},
			states: []rules.State{
				rules.StateReview, rules.StateReturning, rules.StateReceived, rules.StateRefunding, rules.StateClaiming, rules.StateSettled, rules.StateDone,
			},
			moved: map[string]int64{"refund/1": 100_00, "claim/1": 0},
		},
		"an exchange that the customer says nothing of": {
			apply: []func(*promise.AfterSalesInput){of(rules.Exchange, rules.NoReason)},
			acts: []turn{
				{in: rules.StateReview, action: rules.ActionApprove},
				{in: rules.StateReturning, action: rules.ActionReceive},
				{in: rules.StateReceived, action: rules.ActionAccept},
				{in: rules.StateSettled, action: rules.ActionUnanswered},
			},
			states: []rules.State{rules.StateReview, rules.StateReturning, rules.StateReceived, rules.StateShipping, rules.StateSettled, rules.StateDone},
			moved:  map[string]int64{"shipment/1": 0},
		},
		"an exchange of broken goods, for whose way back the seller pays": {
			apply: []func(*promise.AfterSalesInput){of(rules.Exchange, rules.Damaged), func(in *promise.AfterSalesInput) { in.Terms.Policy.FreightUpTo = 20_00 }},
			acts: []turn{
				{in: rules.StateReview, action: rules.ActionApprove, modify: []func(*rules.Act){func(a *rules.Act) { a.ReturnGoods = true }}},
				{in: rules.StateReturning, action: rules.ActionSent, modify: []func(*rules.Act){freight(30_00)}},
				{in: rules.StateReturning, action: rules.ActionReceive},
				{in: rules.StateReceived, action: rules.ActionAccept, modify: []func(*rules.Act){freight(20_00)}},
				{in: rules.StateSettled, action: rules.ActionConfirm},
			},
			states: []rules.State{
				rules.StateReview, rules.StateReturning, rules.StateReceived, rules.StateShipping, rules.StateCompensating, rules.StateSettled, rules.StateDone,
			},
			moved: map[string]int64{"shipment/1": 0, "freight/1": 20_00},
		},
		"a refund that is looked at late": {
			apply: []func(*promise.AfterSalesInput){of(rules.RefundOnly, rules.NoReason), func(in *promise.AfterSalesInput) {
				in.Application.Order.DeliveredAt = time.Time{}
				in.Terms.Limits.Review, in.Terms.RemindBefore, in.Terms.Limits.Overall = 4, 2, 5
				in.Ladder = []promise.Rung{{AfterSeconds: 1, Notify: promise.RoleSupervisor}, {AfterSeconds: 2, Notify: promise.RoleAdmin}}
			}},
			acts: []turn{
				{in: rules.StateReview, late: true, action: rules.ActionApprove},
				{in: rules.StateSettled, action: rules.ActionConfirm},
			},
			states: []rules.State{rules.StateReview, rules.StateRefunding, rules.StateSettled, rules.StateDone},
			moved:  map[string]int64{"refund/1": 100_00},
		},
		"a reissue that needs photos": {
			apply: []func(*promise.AfterSalesInput){of(rules.Reissue, rules.Quality)},
			acts: []turn{
				{in: rules.StateEvidence, action: rules.ActionAddEvidence, modify: []func(*rules.Act){photographed}},
				{in: rules.StateReview, action: rules.ActionApprove},
				{in: rules.StateSettled, action: rules.ActionDispute},
			},
			states: []rules.State{rules.StateEvidence, rules.StateReview, rules.StateShipping, rules.StateSettled, rules.StateDone},
			moved:  map[string]int64{"shipment/1": 0},
		},
		"a payment for goods that never come": {
			apply:  []func(*promise.AfterSalesInput){vip, func(in *promise.AfterSalesInput) { in.Terms.Limits.Return = 1 }},
			states: []rules.State{rules.StateRefunding, rules.StateReturning, rules.StateUndoing, rules.StateExpired},
			moved:  map[string]int64{"refund/1": 100_00, "reversal/1": 100_00},
		},
	}
}

// end is what a case came to.
type end struct {
	States []rules.State
	Moved  map[string]int64
	Said   []string
	// History is what happened, by whom and in which state, without times and in no order: some of it happens side by side. What was
	// told, at any time beside it, is in Said.
	History []string
}

// live lives it, and has a fault strike while the timers of a case that is late are pending.
func (l life) live(b *brand, strike func(until time.Time)) (promise.AfterSalesInput, end) {
	b.T.Helper()
	customer := uuid.NewString()
	in := b.apply(b.Converse(customer, 20), customer, l.apply...)
	for _, turn := range l.acts {
		c := b.awaitStep(in.ID, turn.in)
		if turn.late {
			b.await(in.ID, "reminded", func(c rules.Case) bool { return !c.Now().RemindedAt.IsZero() })
			strike(c.Now().Due)
			b.await(in.ID, "late", func(c rules.Case) bool {
				return c.Now().Escalated == len(in.Ladder) && !c.OverallLateAt.IsZero()
			})
		}
		b.act(in.ID, turn.action, turn.modify...)
	}
	return in, b.end(in)
}

// then stands for the times that customers are told.
func then(words string) string {
	return regexp.MustCompile(`\d+月\d+日\d+:\d+`).ReplaceAllString(words, "then")
}

func (b *brand) end(in promise.AfterSalesInput) end {
	b.T.Helper()
	c := b.await(in.ID, "ended", func(c rules.Case) bool { return c.State.Ended() })
	b.ended(in.ID)
	e := end{Moved: b.provider.moved(in.ID)}
	e.History = slices.DeleteFunc(b.History(in.ID), func(step string) bool { return strings.HasPrefix(step, "told/") })
	var announced []string
	for i, step := range c.Steps {
		e.States = append(e.States, step.State)
		if slices.Contains([]rules.State{rules.StateRefunding, rules.StateShipping, rules.StateClaiming, rules.StateCompensating, rules.StateUndoing}, step.State) {
			announced = append(announced, then("text "+c.Words(i, in.Terms.Policy.Location())))
		}
	}
	for _, words := range b.Said(*in.Conversation) {
		// What a provider does is announced, once, only where that takes long.
		words = then(words)
		if i := slices.Index(announced, words); i >= 0 {
			announced[i] = ""
			continue
		}
		e.Said = append(e.Said, words)
	}
	slices.Sort(e.History)
	return e
}

func TestEveryFaultLeadsToTheSameEnd(t *testing.T) {
	t.Parallel()
	undisturbed := map[string]end{}
	var mu sync.Mutex
	t.Run(string(workflowtest.Nothing), func(t *testing.T) {
		b, _ := under(t, workflowtest.Nothing)
		for name, life := range lives() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				in, got := life.live(b.with(t), func(time.Time) {})
				if diff := cmp.Diff(end{life.states, life.moved, got.Said, got.History}, got); diff != "" {
					t.Errorf("the end (-want +got):\n%s", diff)
				}
				mu.Lock()
				undisturbed[name] = got
				mu.Unlock()
				if _, insured := life.moved["claim/1"]; insured {
					b.with(t).StoreHistory(newest, in.ID, "return-paid-and-claimed")
				}
			})
		}
	})
	if t.Failed() {
		return
	}
	want := func(t *testing.T, name string, got end) {
		t.Helper()
		if diff := cmp.Diff(undisturbed[name], got); diff != "" {
			t.Errorf("the end (-without the fault +with it):\n%s", diff)
		}
	}
	for _, fault := range []workflowtest.Fault{workflowtest.DeathBefore, workflowtest.DeathAfter} {
		for name, life := range lives() {
			t.Run(string(fault)+" of "+name, func(t *testing.T) {
				t.Parallel()
				b, faulty := under(t, fault)
				in, got := life.live(b, faulty.Strike)
				want(t, name, got)
				faulty.WantRetries(in.ID)
			})
		}
	}
	// All together, and between what a provider does and its answer, too.
	for _, fault := range []workflowtest.Fault{workflowtest.WorkerKilled, workflowtest.TemporalKilled, workflowtest.PostgresKilled} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			b, faulty := under(t, fault)
			var struck sync.Map
			b.provider.meanwhile = func(operation string) {
				if _, before := struck.LoadOrStore(operation, true); !before {
					faulty.Strike(time.Now())
				}
			}
			for name, life := range lives() {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					_, got := life.live(b.with(t), faulty.Strike)
					want(t, name, got)
				})
			}
			t.Cleanup(func() {
				if got := len(slices.Collect(maps.Keys(maps.Collect(struck.Range)))); got != 5 {
					t.Errorf("it struck at %d operations, want 5", got)
				}
			})
		})
	}
}
