package aftersales

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func wantRefusal(t *testing.T, err error, reason string) {
	t.Helper()
	var refusal *RefusalError
	switch {
	case reason == "" && err == nil:
	case !errors.As(err, &refusal):
		t.Errorf("error %v, want a refusal %s", err, reason)
	case refusal.Reason != reason || refusal.Message == "":
		t.Errorf("refused as %s: %s, want %s", refusal.Reason, refusal.Message, reason)
	}
}

func opened(a Application, tier string) Case {
	return Open(a, Decide(policy(), a, tier, noon()), "an", noon())
}

// do makes an act with all that any act may need.
func do(action Action) Act {
	return Act{
		ID: "1", By: "an", Action: action, Note: "因为", Amount: 50_00, Carrier: "顺丰", Tracking: "SF1", Reference: "R1",
		Checked: []string{"完好"}, Evidence: []Evidence{{Media: uuid.Max}}, Owner: "bo",
	}
}

// byHand is the case after its process found that no provider does what is to be done.
func byHand(c *Case) {
	if effect := c.Effect(c.Operation()); effect != nil && effect.State == EffectWaiting {
		effect.State = EffectByHand
	}
}

func TestTheWayOfACase(t *testing.T) {
	for name, test := range map[string]struct {
		application Application
		tier        string
		actions     []Action
		want        []State
	}{
		"a return": {
			application(), "",
			[]Action{ActionApprove, ActionSent, ActionReceive, ActionAccept, ActionRefunded, ActionConfirm},
			[]State{StateReview, StateReturning, StateReceived, StateRefunding, StateSettled, StateDone},
		},
		"a return whose freight is insured": {
			application(insured), "",
			[]Action{ActionApprove, ActionReceive, ActionAccept, ActionRefunded, ActionClaimed, ActionDispute},
			[]State{StateReview, StateReturning, StateReceived, StateRefunding, StateClaiming, StateSettled, StateDone},
		},
		"a return that is paid on approval": {
			application(), "gold",
			[]Action{ActionApprove, ActionRefunded, ActionReceive, ActionAccept, ActionConfirm},
			[]State{StateReview, StateRefunding, StateReturning, StateReceived, StateSettled, StateDone},
		},
		"a return that is paid at once, and never comes": {
			application(), "vip",
			[]Action{ActionRefunded, ActionWithdraw, ActionReversed},
			[]State{StateRefunding, StateReturning, StateUndoing, StateWithdrawn},
		},
		"paid at once, and other goods come": {
			application(), "vip",
			[]Action{ActionRefunded, ActionReceive, ActionReject, ActionWaive},
			[]State{StateRefunding, StateReturning, StateReceived, StateUndoing, StateRefused},
		},
		"other goods come, which go back once the money is": {
			application(), "vip",
			[]Action{ActionRefunded, ActionReceive, ActionReject, ActionReversed, ActionShipped},
			[]State{StateRefunding, StateReturning, StateReceived, StateUndoing, StateSendingBack, StateRefused},
		},
		"goods that are rejected go back": {
			application(), "",
			[]Action{ActionApprove, ActionReceive, ActionReject, ActionShipped},
			[]State{StateReview, StateReturning, StateReceived, StateSendingBack, StateRefused},
		},
		"an empty parcel, of which nothing goes back": {
			application(of(Exchange, NoReason)), "",
			[]Action{ActionApprove, ActionReceive, ActionReject, ActionWaive},
			[]State{StateReview, StateReturning, StateReceived, StateSendingBack, StateRefused},
		},
		"bad quality with photos": {
			application(of(Return, Quality), photos), "",
			[]Action{ActionApprove, ActionRefunded, ActionConfirm},
			[]State{StateReview, StateRefunding, StateSettled, StateDone},
		},
		"photos that come later": {
			application(of(Return, Quality)), "",
			[]Action{ActionAddEvidence, ActionAskEvidence, ActionAddEvidence, ActionRefuse},
			[]State{StateEvidence, StateReview, StateEvidence, StateReview, StateRefused},
		},
		"an exchange": {
			application(of(Exchange, NoReason)), "",
			[]Action{ActionApprove, ActionSent, ActionReceive, ActionAccept, ActionShipped, ActionConfirm},
			[]State{StateReview, StateReturning, StateReceived, StateShipping, StateSettled, StateDone},
		},
		"an exchange for what is sold out": {
			application(of(Exchange, NoReason)), "",
			[]Action{ActionApprove, ActionReceive, ActionAccept, ActionRefundInstead, ActionRefunded, ActionConfirm},
			[]State{StateReview, StateReturning, StateReceived, StateShipping, StateRefunding, StateSettled, StateDone},
		},
		"a reissue": {
			application(of(Reissue, MissingItem)), "",
			[]Action{ActionAssign, ActionApprove, ActionShipped, ActionUnanswered},
			[]State{StateReview, StateShipping, StateSettled, StateDone},
		},
		"refused by the policy": {application(goods("fresh")), "", nil, []State{StateRefused}},
		"withdrawn":             {application(), "", []Action{ActionApprove, ActionWithdraw}, []State{StateReview, StateReturning, StateWithdrawn}},
	} {
		t.Run(name, func(t *testing.T) {
			c := opened(test.application, test.tier)
			for _, action := range test.actions {
				byHand(&c)
				if err := c.Act(do(action), noon()); err != nil {
					t.Fatalf("%s in %s: %v", action, c.State, err)
				}
			}
			var got []State
			for _, step := range c.Steps {
				got = append(got, step.State)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	bare := func(action Action) Act { return Act{ID: "1", By: "an", Action: action} }
	by := func(who string, a Act) Act { a.By = who; return a }
	reissue := opened(application(of(Reissue, MissingItem)), "")
	back := opened(application(), "")
	after := func(c Case, actions ...Action) Case {
		for _, action := range actions {
			byHand(&c)
			if err := c.Act(do(action), noon()); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	here := after(back, ActionApprove, ActionReceive)
	for name, test := range map[string]struct {
		c      Case
		act    Act
		reason string
		says   string
	}{
		"what belongs to another state": {back, do(ActionRefunded), "WrongState", "possible: approve, refuse"},
		"anything after the end":        {opened(application(goods("fresh")), ""), do(ActionApprove), "WrongState", "open a new one"},
		"an action that there is not":   {back, do("dance"), "WrongState", "possible"},
		"goods that come back and stay": {back, Act{ID: "1", By: "an", Action: ActionApprove, KeepGoods: true, ReturnGoods: true}, "Contradictory", "opposites"},
		"who pays for goods that stay":  {back, Act{ID: "1", By: "an", Action: ActionApprove, KeepGoods: true, Freight: FreightSeller}, "Contradictory", "returnGoods"},
		"freight that nobody pays":      {back, Act{ID: "1", By: "an", Action: ActionApprove, Freight: "Nobody"}, "BadFreight", "Seller"},
		"a refusal without a word":      {back, bare(ActionRefuse), "NoteMissing", "the customer reads why"},
		"evidence that is none":         {back, bare(ActionAddEvidence), "EvidenceMissing", ""},
		"more than was paid":            {back, Act{ID: "1", By: "an", Action: ActionApprove, Amount: 100_01}, "AmountTooHigh", "10000"},
		"a customer who approves":       {back, by(ByCustomer, do(ActionApprove)), "NotYours", "addEvidence"},
		"a provider who withdraws":      {back, by(ByProvider, do(ActionWithdraw)), "NotYours", "receive"},
		"an end to the wait for goods that were sent": {
			after(back, ActionApprove, ActionSent), Act{ID: "1", Action: ActionExpire}, "WrongState", "receive",
		},
		"an agent who lets it expire":   {after(back, ActionApprove), do(ActionExpire), "WrongState", ""},
		"goods that were not looked at": {here, bare(ActionAccept), "InspectionIncomplete", "完好"},
		"goods that are here withdrawn": {here, do(ActionWithdraw), "WrongState", ""},
		"by hand what is under way":     {after(here, ActionAccept), do(ActionRefunded), "UnderWay", "look again in a moment"},
		"by the customer what somebody is paying by hand": {
			func() Case { c := opened(application(), "vip"); byHand(&c); return c }(), by(ByCustomer, do(ActionWithdraw)), "WrongState", "",
		},
		"sent without a number":            {after(back, ActionApprove), bare(ActionSent), "TrackingMissing", ""},
		"sent back without a number":       {after(here, ActionReject), bare(ActionShipped), "TrackingMissing", ""},
		"nothing sent back without a word": {after(here, ActionReject), bare(ActionWaive), "NoteMissing", ""},
		"rejected goods withdrawn":         {after(here, ActionReject), do(ActionWithdraw), "WrongState", "shipped"},
		"a number of spaces":               {after(back, ActionApprove), Act{ID: "1", By: "an", Action: ActionSent, Tracking: " \t"}, "TrackingMissing", ""},
		"a note of spaces":                 {back, Act{ID: "1", By: "an", Action: ActionRefuse, Note: "　 "}, "NoteMissing", "the customer reads why"},
		"another number of the customer's": {
			after(back, ActionApprove, ActionSent), by(ByCustomer, do(ActionSent)), "WrongState", "",
		},
		"an id that is none":          {back, Act{By: "an", Action: ActionApprove}, "TooLong", "id"},
		"a note that is a novel":      {back, Act{ID: "1", By: "an", Action: ActionRefuse, Note: strings.Repeat("长", maxNote+1)}, "TooLong", ""},
		"more by hand than was paid":  {func() Case { c := opened(application(), "vip"); byHand(&c); return c }(), Act{ID: "1", By: "an", Action: ActionRefunded, Reference: "R", Amount: 100_01}, "AmountTooHigh", ""},
		"a refund of nothing instead": {func() Case { c := after(reissue, ActionApprove); byHand(&c); return c }(), Act{ID: "1", By: "an", Action: ActionRefundInstead, Note: "无货"}, "AmountTooHigh", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := test.c
			err := c.Act(test.act, noon())
			wantRefusal(t, err, test.reason)
			if err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("it says %q, want %q in it", err, test.says)
			}
			if diff := cmp.Diff(test.c, c); diff != "" {
				t.Errorf("the case has changed:\n%s", diff)
			}
		})
	}
}

func TestTheReviewerSaysWhetherGoodsComeBackAndWhoPaysTheirWay(t *testing.T) {
	for name, test := range map[string]struct {
		application Application
		terms       Act
		path        []State
		reads       string
	}{
		"as the policy says": {application(), Act{}, []State{StateReturning, StateReceived, StateRefunding, StateSettled, StateDone}, "运费由您承担"},
		"the seller pays":    {application(), Act{Freight: FreightSeller}, []State{StateReturning, StateReceived, StateRefunding, StateSettled, StateDone}, "运费由我们承担，请先垫付并在寄出后告诉我们金额，商品验收后退给您，最多20元。"},
		"it is insured": {
			application(), Act{Freight: FreightInsurance}, []State{StateReturning, StateReceived, StateRefunding, StateClaiming, StateSettled, StateDone}, "运费险理赔",
		},
		"it is not, whatever the customer said": {
			application(insured), Act{Freight: FreightBuyer}, []State{StateReturning, StateReceived, StateRefunding, StateSettled, StateDone}, "运费由您承担",
		},
		"the goods stay": {application(insured), Act{KeepGoods: true}, []State{StateRefunding, StateSettled, StateDone}, "退款100元将在"},
		"of bad quality, and to be looked at": {
			application(of(Return, Quality), photos), Act{ReturnGoods: true}, []State{StateReturning, StateReceived, StateRefunding, StateSettled, StateDone}, "运费由我们承担",
		},
		"broken, and to be exchanged for the insurance": {
			application(of(Exchange, Damaged), photos),
			Act{ReturnGoods: true, Freight: FreightInsurance},
			[]State{StateReturning, StateReceived, StateShipping, StateClaiming, StateSettled, StateDone},
			"运费险理赔",
		},
		"worth little, and to come back all the same": {
			application(worth(10_00)), Act{ReturnGoods: true}, []State{StateReturning, StateReceived, StateRefunding, StateSettled, StateDone}, "将商品寄回",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := opened(test.application, "")
			test.terms.ID, test.terms.By, test.terms.Action = "1", "an", ActionApprove
			if err := c.Act(test.terms, noon()); err != nil {
				t.Fatal(err)
			}
			c.SetDue(noon())
			if diff := cmp.Diff(test.path, c.Decision.path()); diff != "" || !strings.Contains(c.Words(c.Step(), noon().Location()), test.reads) {
				t.Errorf("the customer reads %q, want %q; the way (-want +got):\n%s", c.Words(c.Step(), noon().Location()), test.reads, diff)
			}
		})
	}
}

func TestFreightThatTheCustomerLaidOutForTheSellerIsPaidBackOnceTheGoodsAreAccepted(t *testing.T) {
	refund := []State{StateReview, StateReturning, StateReceived, StateRefunding}
	for name, test := range map[string]struct {
		application Application
		tier        string
		approve     Act
		said, given *int64
		refused     string
		want        []State
	}{
		"as much as the customer said":       {application(), "", Act{Freight: FreightSeller}, new(int64(12_00)), new(int64(12_00)), "", append(slices.Clone(refund), StateCompensating, StateSettled)},
		"what an agent has found out":        {application(), "", Act{Freight: FreightSeller}, nil, new(int64(12_00)), "", append(slices.Clone(refund), StateCompensating, StateSettled)},
		"never more than the policy's limit": {application(), "", Act{Freight: FreightSeller}, new(int64(30_00)), new(int64(20_01)), "FreightTooHigh", nil},
		"not without somebody's saying":      {application(), "", Act{Freight: FreightSeller}, new(int64(12_00)), nil, "FreightMissing", nil},
		"nothing, if somebody says so":       {application(), "", Act{Freight: FreightSeller}, new(int64(12_00)), new(int64(0)), "", append(slices.Clone(refund), StateSettled)},
		"not forgotten, though nobody asked": {application(), "", Act{Freight: FreightSeller}, nil, nil, "FreightMissing", nil},
		"not what the buyer has to pay":      {application(), "", Act{}, new(int64(12_00)), new(int64(12_00)), "FreightTooHigh", nil},
		"which nobody has to answer":         {application(), "", Act{}, new(int64(12_00)), nil, "", append(slices.Clone(refund), StateSettled)},
		"beside the goods of an exchange": {
			application(of(Exchange, Damaged), photos), "",
			Act{ReturnGoods: true},
			new(int64(12_00)), new(int64(12_00)), "",
			[]State{StateReview, StateReturning, StateReceived, StateShipping, StateCompensating, StateSettled},
		},
		"after money that came before the goods": {
			application(), "gold", Act{Freight: FreightSeller}, nil, new(int64(20_00)), "", []State{StateReview, StateRefunding, StateReturning, StateReceived, StateCompensating, StateSettled},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := opened(test.application, test.tier)
			test.approve.ID, test.approve.By, test.approve.Action = "1", "an", ActionApprove
			act := func(a Act) error { byHand(&c); return c.Act(a, noon()) }
			acts := []Act{test.approve, {ID: "2", By: ByCustomer, Action: ActionSent, Tracking: "SF1", FreightAmount: test.said}, do(ActionReceive)}
			if test.tier == "gold" {
				acts = slices.Insert(acts, 1, do(ActionRefunded))
			}
			for _, a := range acts {
				if err := act(a); err != nil {
					t.Fatal(err)
				}
			}
			accept := do(ActionAccept)
			accept.FreightAmount = test.given
			wantRefusal(t, act(accept), test.refused)
			if test.refused != "" {
				return
			}
			for _, action := range []Action{ActionRefunded, ActionShipped, ActionFreightPaid} {
				if slices.Contains(c.State.allowed(), action) {
					if err := act(do(action)); err != nil {
						t.Fatal(err)
					}
				}
			}
			var got []State
			for _, step := range c.Steps {
				got = append(got, step.State)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
			if paid := slices.Contains(test.want, StateCompensating); paid != (c.Freight != nil) || paid && (c.Freight.Amount != *test.given || c.Freight.State != EffectDone) {
				t.Errorf("the freight is %+v", c.Freight)
			}
		})
	}
}

func TestAnotherNumberOfTheParcelLeavesWhatTheCustomerPaidForIt(t *testing.T) {
	c := opened(application(), "")
	for _, a := range []Act{
		do(ActionApprove), {ID: "2", By: ByCustomer, Action: ActionSent, Tracking: "SF1", FreightAmount: new(int64(12_00))}, {ID: "3", By: "an", Action: ActionSent, Tracking: "SF2"},
	} {
		if err := c.Act(a, noon()); err != nil {
			t.Fatal(err)
		}
	}
	if c.Parcel.Tracking != "SF2" || c.Parcel.Freight != 12_00 {
		t.Errorf("the parcel is %+v", c.Parcel)
	}
}

func TestAProviderMaySayWhatBecameOfIt(t *testing.T) {
	c := opened(application(), "vip")
	c.Refund.State = EffectPending
	if err := c.Act(Act{ID: "1", By: ByProvider, Action: ActionRefunded, Reference: "P1"}, noon()); err != nil {
		t.Fatal(err)
	}
	if c.State != StateReturning || c.Refund.Reference != "P1" || c.Refund.State != EffectDone {
		t.Errorf("the case is in %s, its refund %+v", c.State, c.Refund)
	}
}

func TestAProviderMaySayThatRejectedGoodsWentBack(t *testing.T) {
	c := opened(application(), "")
	for _, act := range []Act{do(ActionApprove), do(ActionReceive), do(ActionReject), {ID: "1", By: ByProvider, Action: ActionShipped, Tracking: "SF2"}} {
		if err := c.Act(act, noon()); err != nil {
			t.Fatal(err)
		}
	}
	if c.State != StateRefused || c.SentBack == nil || c.SentBack.Tracking != "SF2" || c.Shipment != nil {
		t.Errorf("the case is in %s, sent back %+v, its shipment %+v", c.State, c.SentBack, c.Shipment)
	}
}

func TestARefusedRefundMayBeTriedAgain(t *testing.T) {
	c := opened(application(), "vip")
	c.Refund.State, c.Refund.Reason = EffectRefused, "insufficient"
	if got := c.Allowed("an"); !slices.Contains(got, ActionRetry) || !slices.Contains(got, ActionRefunded) {
		t.Fatalf("allowed: %v", got)
	}
	if err := c.Act(do(ActionRetry), noon()); err != nil {
		t.Fatal(err)
	}
	if want := (Effect{Attempt: 2, State: EffectWaiting, Amount: 50_00, At: noon()}); *c.Refund != want || c.Decision.Amount != 50_00 {
		t.Errorf("the refund is %+v", c.Refund)
	}
}

func TestBoundsCountCharacters(t *testing.T) {
	within := Act{ID: strings.Repeat("号", maxShort), Owner: strings.Repeat("美", maxOwnerName)}
	if err := within.Bounded(); err != nil {
		t.Errorf("as long as it may be: %v", err)
	}
	for name, act := range map[string]Act{
		"an id":           {ID: strings.Repeat("号", maxShort+1)},
		"an owner's name": {ID: "1", Owner: strings.Repeat("美", maxOwnerName+1)},
	} {
		t.Run(name, func(t *testing.T) { wantRefusal(t, act.Bounded(), "TooLong") })
	}
}

// Whatever is done in whatever order: a case only moves by what it allows, owes no goods that it paid nothing for, pays at most what was
// paid, and ends.
func TestCasesKeepTheirInvariants(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 11))
	kinds := []Kind{Return, Exchange, RefundOnly, Reissue}
	reasons := []Reason{NoReason, Quality, WrongItem, MissingItem, Damaged, Other}
	all := []Action{
		ActionApprove, ActionRefuse, ActionAskEvidence, ActionAddEvidence, ActionSent, ActionReceive, ActionAccept, ActionReject, ActionRefunded,
		ActionShipped, ActionClaimed, ActionFreightPaid, ActionReversed, ActionWaive, ActionRetry, ActionRefundInstead, ActionWithdraw, ActionConfirm,
		ActionDispute, ActionUnanswered,
	}
	ended, compensated := 0, 0
	for range 2000 {
		a := application(of(kinds[random.IntN(4)], reasons[random.IntN(6)]), worth(random.Int64N(800_00)+1), insured)
		c := opened(a, []string{"", "gold", "vip"}[random.IntN(3)])
		refunds, freights := 0, 0
		for range 60 {
			if random.IntN(3) > 0 {
				byHand(&c)
			}
			act := do(all[random.IntN(len(all))])
			act.Amount = random.Int64N(a.Order.Paid) + 1
			act.FreightAmount = new(random.Int64N(25_00))
			if act.ReturnGoods = random.IntN(2) == 0; act.ReturnGoods {
				act.Freight = FreightSeller
			}
			allowed, state, step := slices.Contains(c.Allowed("an"), act.Action), c.State, c.Step()
			err := c.Act(act, noon())
			if (err == nil) != allowed {
				// What is allowed may still lack something; what is not never passes.
				if err == nil || !strings.Contains(fmt.Sprint(err), "at most") {
					t.Fatalf("%s in %s: allowed %t, error %v", act.Action, state, allowed, err)
				}
			}
			if err != nil && (c.State != state || c.Step() != step) {
				t.Fatalf("a refused %s moved the case from %s to %s", act.Action, state, c.State)
			}
			if err == nil && act.Action == ActionRefunded {
				refunds++
			}
			if err == nil && act.Action == ActionFreightPaid {
				freights++
			}
			if c.Freight != nil && (c.Freight.Amount < 1 || c.Freight.Amount > 20_00) {
				t.Fatalf("%d of freight are paid back", c.Freight.Amount)
			}
			if c.Refund != nil && c.Refund.Amount > a.Order.Paid {
				t.Fatalf("%d of %d are paid back", c.Refund.Amount, a.Order.Paid)
			}
		}
		if c.State.Ended() {
			ended++
			if c.Decision.GoodsBack && c.Refund != nil && c.Refund.State == EffectDone && c.State == StateDone && !c.reached(StateReceived) {
				t.Fatalf("paid, and the goods never came: %+v", c.Steps)
			}
		}
		if refunds > 1 || freights > 1 {
			t.Fatalf("%d refunds of one case, its freight %d times", refunds, freights)
		}
		compensated += freights
	}
	if ended < 1000 || compensated == 0 {
		t.Errorf("only %d of 2000 cases ended, of %d the freight was paid back", ended, compensated)
	}
}

func TestGoodsOnTheirWayAreTheOwnersToLookFor(t *testing.T) {
	c := opened(application(), "")
	for _, step := range []struct {
		action Action
		owner  string
	}{{ActionApprove, ""}, {ActionSent, "an"}, {ActionReceive, "an"}} {
		if err := c.Act(do(step.action), noon()); err != nil {
			t.Fatal(err)
		}
		if got := c.Owner(); got != step.owner {
			t.Errorf("after %s it is the turn of %q, want %q", step.action, got, step.owner)
		}
	}
}

func TestACancelledCaseOwesWhatItOwed(t *testing.T) {
	for name, test := range map[string]struct {
		actions []Action
		want    State
	}{
		"goods that have not come":                          {[]Action{ActionRefunded}, StateUndoing},
		"goods that are here, though nobody looked at them": {[]Action{ActionRefunded, ActionReceive}, StateWithdrawn},
		"goods that were found to be as they should":        {[]Action{ActionRefunded, ActionReceive, ActionAccept}, StateDone},
		"goods that were not":                               {[]Action{ActionRefunded, ActionReceive, ActionReject}, StateUndoing},
		"goods that were not, and are still to go back":     {[]Action{ActionRefunded, ActionReceive, ActionReject, ActionReversed}, StateSendingBack},
	} {
		t.Run(name, func(t *testing.T) {
			c := opened(application(), "vip")
			for _, action := range test.actions {
				byHand(&c)
				if err := c.Act(do(action), noon()); err != nil {
					t.Fatal(err)
				}
			}
			byHand(&c)
			if err := c.Act(Act{ID: "cancel", Action: ActionCancel}, noon()); err != nil {
				t.Fatal(err)
			}
			if c.State != test.want {
				t.Errorf("it is %s, want %s", c.State, test.want)
			}
		})
	}
}

func TestTheFirstBreachCounts(t *testing.T) {
	c := opened(application(), "")
	if !c.BreachedAt().IsZero() {
		t.Error("breached from the start")
	}
	c.OverallLateAt = noon().Add(time.Hour)
	c.Now().BreachedAt = noon()
	if got := c.BreachedAt(); !got.Equal(noon()) {
		t.Errorf("breached at %s", got)
	}
}

func TestAReviewerIsAdvisedByThePhotosThatCame(t *testing.T) {
	c := opened(application(of(Reissue, Damaged)), "")
	if c.Decision.Rule != RuleEvidenceWanted {
		t.Fatalf("without photos the case is decided by %s", c.Decision.Rule)
	}
	asked := c.Decision.Customer
	if err := c.Act(do(ActionAddEvidence), noon()); err != nil {
		t.Fatal(err)
	}
	want := Decide(policy(), c.Application, "", noon())
	if c.Decision.Rule != want.Rule || c.Decision.Agent != want.Agent || c.Decision.Customer != asked {
		t.Errorf("with photos the reviewer reads %s: %q, the customer %q", c.Decision.Rule, c.Decision.Agent, c.Decision.Customer)
	}
}
