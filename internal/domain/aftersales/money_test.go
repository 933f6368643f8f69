package aftersales

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// order are the cases of one order, as the store keeps them: what grants more than there was asks the others first.
type order []Case

func (o order) but(i int) []Case { return slices.Delete(slices.Clone(o), i, i+1) }

func (o order) granted() (sum int64) {
	for i := range o {
		sum += o[i].Granted()
	}
	return sum
}

func (o *order) open(a Application, tier string) {
	c := opened(a, tier)
	if refused := c.GrantAtOnce(*o, policy(), tier, noon()); c.Granted() > 0 && refused != nil {
		c = Open(a, c.Decision.Review(refused), "an", noon())
	}
	*o = append(*o, c)
}

// act is what Unit.TakeAfterSales does, without a database.
func (o order) act(i int, a Act) error {
	c := o[i]
	before, operation := c.Granted(), c.Operation()
	if err := c.Act(a, noon()); err != nil {
		return err
	}
	if c.Granted() > before {
		if err := c.Grant(o.but(i)); err != nil {
			return err
		}
	}
	if operation == OperationRefund && c.Refund.State == EffectDone {
		if err := c.Pay(o.but(i)); err != nil {
			return err
		}
	}
	o[i] = c
	return nil
}

// perform is what the process does at a provider, or without one.
func (o order) perform(i int, random *rand.Rand) {
	c := o[i]
	switch effect := c.Effect(c.Operation()); {
	case effect == nil:
	case effect.State == EffectWaiting && random.IntN(2) == 0:
		c.Settle(Effect{State: EffectByHand, At: noon()})
	case effect.State == EffectWaiting && c.Operation() == OperationRefund && c.Pay(o.but(i)) != nil:
		c.Settle(Effect{State: EffectRefused, Reason: "too much", At: noon()})
	case effect.State == EffectWaiting:
		c.Settle(Effect{State: EffectSending, Key: "key", At: noon()})
	case random.IntN(4) == 0:
		c.Settle(Effect{State: EffectRefused, Reason: "no", At: noon()})
	case random.IntN(3) == 0:
		c.Settle(Effect{State: EffectPending, Reference: "", At: noon()})
	default:
		c.Settle(Effect{State: EffectDone, Reference: "R", By: ByProvider, At: noon()})
	}
	o[i] = c
}

// Whatever is done to whichever of its cases: of an order no more is granted than was paid, so that what is granted can be paid, and what
// a case gives back is there for the others.
func TestAnOrderIsNeverGrantedMoreThanWasPaid(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 22))
	kinds, tiers := []Kind{Return, Exchange, RefundOnly, Reissue}, []string{"", "gold", "vip"}
	reasons := []Reason{NoReason, Quality, MissingItem, Other}
	actions := []Action{
		ActionApprove, ActionApprove, ActionRefuse, ActionAddEvidence, ActionReceive, ActionAccept, ActionReject, ActionRefunded, ActionShipped, ActionClaimed,
		ActionReversed, ActionWaive, ActionRetry, ActionRefundInstead, ActionWithdraw, ActionConfirm,
	}
	full, refused, given := 0, 0, 0
	for range 500 {
		o := order{}
		for range 120 {
			if len(o) < 5 && random.IntN(6) == 0 {
				a := application(of(kinds[random.IntN(4)], reasons[random.IntN(4)]), photos)
				a.Amount = random.Int64N(6) * 20_00
				o.open(a, tiers[random.IntN(3)])
			}
			if len(o) == 0 {
				continue
			}
			i := random.IntN(len(o))
			act := do(actions[random.IntN(len(actions))])
			act.Amount = random.Int64N(7) * 20_00
			before := o.granted()
			if random.IntN(2) == 0 {
				o.perform(i, random)
			} else if err := o.act(i, act); err != nil && strings.Contains(err.Error(), "are left to pay back") {
				refused++
			}
			after := o.granted()
			if after > 100_00 {
				t.Fatalf("after %s %d of 10000 are granted: %+v", act.Action, after, o)
			}
			if after < before {
				given++
			}
			if o[i].State.lost() && o[i].Granted() != o[i].Spent() {
				t.Fatalf("a case that ended as %s keeps %d", o[i].State, o[i].Granted())
			}
		}
		if o.granted() == 100_00 {
			full++
		}
	}
	if full < 10 || refused < 100 || given < 100 {
		t.Errorf("the test tries too little: %d orders at the limit, %d refusals, %d given back", full, refused, given)
	}
}

func TestWhatIsLeftOfAnOrder(t *testing.T) {
	after := func(c Case, acts ...Act) Case {
		t.Helper()
		for _, a := range acts {
			byHand(&c)
			if err := c.Act(a, noon()); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	approve := func(amount int64) Act { return Act{ID: "1", By: "an", Action: ActionApprove, Amount: amount} }
	back := opened(application(), "")
	promised := after(back, approve(60_00))
	refusedByProvider := after(back, approve(60_00), do(ActionReceive), do(ActionAccept))
	refusedByProvider.Refund.State = EffectRefused
	taken := after(opened(application(), "vip"), Act{ID: "1", By: "an", Action: ActionRefunded, Reference: "R", Amount: 60_00, Note: "协商"}, do(ActionWithdraw), do(ActionReversed))
	for name, test := range map[string]struct {
		others []Case
		says   string
	}{
		"alone, all of it":                             {nil, ""},
		"another that nobody has decided on":           {[]Case{back}, ""},
		"another that is promised 60 and not paid":     {[]Case{promised}, "of the 100 yuan paid for the order 40 are left to pay back, not 100"},
		"another that is withdrawn":                    {[]Case{after(promised, do(ActionWithdraw))}, ""},
		"another whose goods are not as they should":   {[]Case{after(promised, do(ActionReceive), do(ActionReject))}, ""},
		"another that is paid":                         {[]Case{after(opened(application(), "vip"), do(ActionRefunded))}, "50 are left to pay back"},
		"another whose money came back":                {[]Case{taken}, ""},
		"another that the provider refused to pay":     {[]Case{refusedByProvider}, ""},
		"another of goods":                             {[]Case{after(opened(application(of(Reissue, MissingItem)), ""), approve(0))}, ""},
		"another by which less was paid":               {[]Case{after(opened(application(of(Reissue, MissingItem), worth(30_50)), ""), approve(0))}, "of the 30.50 yuan paid for the order 30.50 are left"},
		"an application that says that less was paid":  {[]Case{opened(application(worth(30_50)), "")}, ""},
		"two that are promised more than all of it":    {[]Case{promised, promised}, "0 are left"},
		"a withdrawn one that said that less was paid": {[]Case{after(opened(application(worth(30_00)), ""), do(ActionWithdraw))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := after(back, approve(0))
			err := c.Grant(test.others)
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("it says %v, want %q", err, test.says)
			}
			if err != nil {
				wantRefusal(t, err, "AmountTooHigh")
			}
		})
	}
}

func TestTheFreightOfAParcelIsPaidBackByOneCaseOfItsOrder(t *testing.T) {
	accepted := func(tracking string, freight int64, then ...Action) Case {
		t.Helper()
		c := opened(application(), "")
		accept := do(ActionAccept)
		accept.FreightAmount = &freight
		acts := []Act{{ID: "1", By: "an", Action: ActionApprove, Amount: 50_00, Freight: FreightSeller}, {ID: "2", By: ByCustomer, Action: ActionSent, Tracking: tracking}, do(ActionReceive), accept}
		if tracking == "" {
			acts = slices.Delete(acts, 1, 2)
		}
		for _, action := range then {
			acts = append(acts, do(action))
		}
		for _, a := range acts {
			byHand(&c)
			if err := c.Act(a, noon()); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	for name, test := range map[string]struct {
		others []Case
		want   string
	}{
		"alone": {nil, ""},
		"another that is to pay for the same parcel": {[]Case{accepted("sf1", 12_00)}, "FreightTwice"},
		"another that has":                           {[]Case{accepted("SF1", 12_00, ActionRefunded, ActionFreightPaid, ActionConfirm)}, "FreightTwice"},
		"another that pays nothing":                  {[]Case{accepted("SF1", 0)}, ""},
		"another of which somebody waived it":        {[]Case{accepted("SF1", 12_00, ActionRefunded, ActionWaive)}, ""},
		"another that came in a parcel of its own":   {[]Case{accepted("SF2", 12_00)}, ""},
		"another whose parcel nobody knows":          {[]Case{accepted("", 12_00)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := accepted("SF1", 12_00)
			wantRefusal(t, c.GrantFreight(test.others), test.want)
		})
	}
}

func TestAnOrderInPartsIsPaidNoQuickerThanAsAWhole(t *testing.T) {
	part := func(amount int64, kind Kind) Application {
		return application(of(kind, NoReason), worth(1000_00), func(a *Application) { a.Amount = amount })
	}
	for name, test := range map[string]struct {
		before []int64
		then   Application
		says   string
	}{
		"the first":                                  {nil, part(300_00, Return), ""},
		"a second within the limit":                  {[]int64{200_00}, part(300_00, Return), ""},
		"a second beyond it":                         {[]int64{200_01}, part(300_00, Return), "500.01 yuan of the order are granted"},
		"little enough to be kept":                   {nil, part(19_99, Return), ""},
		"little beside what is granted":              {[]int64{10}, part(19_99, Return), "20.09 yuan of the order are granted"},
		"little beside as little":                    {[]int64{10}, part(19_00, Return), ""},
		"without the goods, little beside too much":  {[]int64{10}, part(19_99, RefundOnly), "20.09 yuan of the order are granted"},
		"without the goods, little beside as little": {[]int64{10}, part(19_00, RefundOnly), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var o order
			for _, amount := range test.before {
				o.open(part(amount, Return), "vip")
			}
			o.open(test.then, "vip")
			last := o[len(o)-1]
			if reviewed := last.State == StateReview; reviewed != (test.says != "") || !strings.Contains(last.Decision.Agent, test.says) {
				t.Errorf("it is in %s, the reviewer reads %q", last.State, last.Decision.Agent)
			}
		})
	}
}

func TestNobodyPaysBackMoreByHandThanWasApprovedNorLessWithoutSayingWhy(t *testing.T) {
	for name, test := range map[string]struct {
		amount int64
		note   string
		want   string
	}{
		"what was approved":      {40_00, "", ""},
		"no amount means that":   {0, "", ""},
		"more":                   {40_01, "客户要求", "AmountTooHigh"},
		"less, and why":          {39_99, "协商一致", ""},
		"less, and nobody knows": {39_99, "", "NoteMissing"},
	} {
		t.Run(name, func(t *testing.T) {
			c := opened(application(), "")
			for _, a := range []Act{{ID: "1", By: "an", Action: ActionApprove, Amount: 40_00}, do(ActionReceive), do(ActionAccept)} {
				if err := c.Act(a, noon()); err != nil {
					t.Fatal(err)
				}
			}
			byHand(&c)
			err := c.Act(Act{ID: "2", By: "an", Action: ActionRefunded, Reference: "R", Amount: test.amount, Note: test.note}, noon())
			got := ""
			if refusal, refused := errors.AsType[*RefusalError](err); refused {
				got = refusal.Reason
			}
			if got != test.want {
				t.Errorf("refused for %q, want %q", got, test.want)
			}
		})
	}
}
