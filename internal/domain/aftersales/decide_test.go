package aftersales

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func policy() Policy {
	return Policy{
		NoReasonDays: 7, NoReasonExcept: []string{"custom", "fresh"}, EvidenceFor: []Reason{Quality, WrongItem, Damaged}, KeepBelow: 20_00,
		Speeds: []TierSpeed{
			{Tier: "vip", Speed: Instant, UpTo: 500_00}, {Tier: "vip", Speed: OnApproval}, {Tier: "gold", Speed: OnApproval},
		},
		Promotions: []Promotion{{Name: "双11", From: at("2026-11-11T00:00:00+08:00"), Until: at("2026-11-14T00:00:00+08:00"), Speed: Instant, UpTo: 200_00}},
		Inspection: []string{"完好"}, FreightInsurance: true, FreightUpTo: 20_00, ReturnAddress: "仓库",
	}
}

// application is a return without a reason of ordinary goods for 100 yuan that was delivered two days before noon.
func application(modify ...func(*Application)) Application {
	a := Application{
		Kind: Return, Reason: NoReason, Source: FromAgent,
		Order: Order{Number: "2026110112", Paid: 100_00, Currency: "CNY", PaidAt: at("2026-11-18T10:00:00+08:00"), DeliveredAt: at("2026-11-20T15:00:00+08:00"), Items: []Item{{Name: "茶"}}},
	}
	for _, m := range modify {
		m(&a)
	}
	return a
}

func noon() time.Time { return at("2026-11-22T12:00:00+08:00") }

func of(kind Kind, reason Reason) func(*Application) {
	return func(a *Application) { a.Kind, a.Reason = kind, reason }
}

func worth(amount int64) func(*Application) {
	return func(a *Application) { a.Amount, a.Order.Paid = amount, amount }
}

func goods(category string) func(*Application) {
	return func(a *Application) { a.Order.Items = []Item{{Name: "茶"}, {Name: "杯", Category: category}} }
}

func unnamed(a *Application) { a.Order.Items = nil }

func byProvider(a *Application) { a.Source = FromProvider }

func photos(a *Application) { a.Evidence = []Evidence{{Media: uuid.Max}} }

func undelivered(a *Application) { a.Order.DeliveredAt = time.Time{} }

func insured(a *Application) { a.Order.FreightInsured = true }

func TestDecide(t *testing.T) {
	back := Decision{Outcome: OutcomeReview, Rule: RuleNoReason, Remedy: RemedyRefund, Amount: 100_00, GoodsBack: true, Speed: OnReceipt, Freight: FreightBuyer, FreightUpTo: 20_00, Inspection: []string{"完好"}}
	with := func(modify ...func(*Decision)) Decision {
		d := back
		for _, m := range modify {
			m(&d)
		}
		return d
	}
	refused := func(rule Rule) func(*Decision) {
		return func(d *Decision) { d.Outcome, d.Rule, d.Inspection = OutcomeRefused, rule, nil }
	}
	quick := func(speed Speed, outcome Outcome) func(*Decision) {
		return func(d *Decision) { d.Speed, d.Outcome = speed, outcome }
	}
	fault := func(d *Decision) {
		d.Rule, d.GoodsBack, d.Freight, d.Inspection = RuleSellersFault, false, FreightSeller, nil
	}
	wanting := func(d *Decision) { d.Outcome, d.Rule = OutcomeEvidence, RuleEvidenceWanted }
	other := func(d *Decision) { d.Rule, d.Inspection = RuleOther, nil }
	forGoods := func(d *Decision) { d.Remedy, d.Amount, d.Speed = RemedyGoods, 0, "" }
	amount := func(fen int64) func(*Decision) { return func(d *Decision) { d.Amount = fen } }
	kept := func(d *Decision) { d.GoodsBack, d.Inspection = false, nil }
	unsaid := func(d *Decision) { d.Rule = RuleGoodsUnsaid }
	for name, test := range map[string]struct {
		application Application
		tier        string
		now         time.Time
		want        Decision
	}{
		"a return within seven days is reviewed":                    {application(), "", noon(), back},
		"the last minute of the seventh day is within":              {application(), "", at("2026-11-27T23:59:59+08:00"), back},
		"the eighth day is not, by the brand's midnight":            {application(), "", at("2026-11-28T00:00:00+08:00"), with(refused(RuleNoReasonOver))},
		"what was made for the customer stays theirs":               {application(goods("custom")), "", noon(), with(refused(RuleExcepted))},
		"and what is fresh":                                         {application(goods("fresh"), of(Exchange, NoReason)), "", noon(), with(forGoods, refused(RuleExcepted))},
		"fresh goods of bad quality are no question of reasons":     {application(goods("fresh"), of(RefundOnly, Quality), photos), "", noon(), with(fault)},
		"bad quality with photos needs no return":                   {application(of(Return, Quality), photos), "", noon(), with(fault)},
		"bad quality without photos asks for them":                  {application(of(Return, Quality)), "", noon(), with(fault, wanting)},
		"the provider vouches for it without any":                   {application(of(Return, Quality), byProvider), "", noon(), with(fault)},
		"a missing item cannot be photographed":                     {application(of(Reissue, MissingItem)), "", noon(), with(fault, forGoods)},
		"an exchange of bad quality leaves the goods":               {application(of(Exchange, Damaged), photos), "", noon(), with(fault, forGoods)},
		"what is worth little may be kept":                          {application(worth(19_99)), "", noon(), with(kept, amount(19_99))},
		"what is worth as much as the limit may not":                {application(worth(20_00)), "", noon(), with(amount(20_00))},
		"refund only without a reason asks for the goods":           {application(of(RefundOnly, NoReason)), "", noon(), with(refused(RuleReturnFirst), kept)},
		"refund only of what is worth little is granted":            {application(of(RefundOnly, NoReason), worth(5_00)), "", noon(), with(kept, amount(5_00))},
		"refund only of what was not delivered is reviewed":         {application(of(RefundOnly, NoReason), undelivered), "", noon(), with(kept, func(d *Decision) { d.Rule = RuleNotShipped })},
		"what was not delivered cannot be sent back":                {application(undelivered), "", noon(), with(refused(RuleNotDelivered))},
		"nothing is sent again without a reason":                    {application(of(Reissue, NoReason)), "", noon(), with(forGoods, kept, refused(RuleNothingToReissue))},
		"good customers are refunded at once":                       {application(), "vip", noon(), with(quick(Instant, OutcomeApproved))},
		"not for goods that may be custom-made, nobody having said": {application(unnamed), "vip", noon(), with(quick(OnApproval, OutcomeReview), unsaid)},
		"nor for those that are worth little":                       {application(unnamed, worth(5_00)), "vip", noon(), with(quick(OnApproval, OutcomeReview), unsaid, kept, amount(5_00))},
		"nor without anything coming back":                          {application(unnamed, of(RefundOnly, NoReason), worth(5_00)), "vip", noon(), with(quick(OnApproval, OutcomeReview), unsaid, kept, amount(5_00))},
		"up to their limit, then on approval":                       {application(worth(500_01)), "vip", noon(), with(quick(OnApproval, OutcomeReview), amount(500_01))},
		"others on approval":                                        {application(), "gold", noon(), with(quick(OnApproval, OutcomeReview))},
		"in a promotion everybody at once":                          {application(func(a *Application) { a.Order.DeliveredAt = at("2026-11-10T09:00:00+08:00") }), "", at("2026-11-12T12:00:00+08:00"), with(quick(Instant, OutcomeApproved))},
		"up to its limit":                                           {application(worth(200_01), func(a *Application) { a.Order.DeliveredAt = at("2026-11-10T09:00:00+08:00") }), "", at("2026-11-12T12:00:00+08:00"), with(amount(200_01))},
		"an insured order's way back is paid by the insurance":      {application(insured), "", noon(), with(func(d *Decision) { d.Freight = FreightInsurance })},
		"so is that of what comes back for another reason":          {application(insured, of(Exchange, Other)), "", noon(), with(forGoods, other, func(d *Decision) { d.Freight = FreightInsurance })},
		"nobody's where nothing comes back":                         {application(insured, of(Return, Other), worth(5_00)), "", noon(), with(kept, amount(5_00), other)},
		"an exchange without a reason comes back, the buyer paying": {application(of(Exchange, NoReason)), "vip", noon(), with(forGoods)},
		"another reason is for somebody to decide":                  {application(of(Return, Other)), "", noon(), with(other)},
		"who then pays good customers on approval":                  {application(of(Return, Other)), "vip", noon(), with(other, quick(OnApproval, OutcomeReview))},
		"and everybody in a promotion":                              {application(of(Return, Other)), "", at("2026-11-12T12:00:00+08:00"), with(other, quick(OnApproval, OutcomeReview))},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test.application.Check(); err != nil {
				t.Fatal(err)
			}
			got := Decide(policy(), test.application, test.tier, test.now)
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(Decision{}, "Customer", "Agent", "ReturnAddress")); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
			if got.Customer == "" || got.Agent == "" {
				t.Error("nobody is told why")
			}
		})
	}
}

func TestARefusalNamesWhatIsNotTakenBack(t *testing.T) {
	d := Decide(policy(), application(goods("custom")), "", noon())
	if !strings.Contains(d.Customer, "定制商品") {
		t.Errorf("the customer reads %q", d.Customer)
	}
}

func TestAPolicyWithoutExceptionsPaysAtOnceWhateverTheGoods(t *testing.T) {
	p := policy()
	p.NoReasonExcept = nil
	if d := Decide(p, application(unnamed), "vip", noon()); d.Outcome != OutcomeApproved || d.Speed != Instant {
		t.Errorf("decided %+v", d)
	}
}

func TestTheReviewerReadsThatTheProviderHasSentNoPhotos(t *testing.T) {
	if d := Decide(policy(), application(of(RefundOnly, Damaged), byProvider), "", noon()); !strings.Contains(d.Agent, "没有照片") {
		t.Errorf("the reviewer reads %q", d.Agent)
	}
}

func TestTheReviewerReadsWhichGoodsToLookFor(t *testing.T) {
	if d := Decide(policy(), application(unnamed), "vip", noon()); !strings.Contains(d.Agent, "定制商品、生鲜商品") {
		t.Errorf("the reviewer reads %q", d.Agent)
	}
}

func TestTheReviewerReadsThatTheInsuranceIsTheCustomersWord(t *testing.T) {
	theirs := func(a *Application) { a.Source = FromCustomer }
	for _, reason := range []Reason{NoReason, Other} {
		d := Decide(policy(), application(of(Return, reason), insured, theirs), "", noon())
		if d.Freight != FreightInsurance || !strings.Contains(d.Agent, "客户自述，请核实") {
			t.Errorf("for %s the freight is the %s's, the reviewer reads %q", reason, d.Freight, d.Agent)
		}
	}
	if d := Decide(policy(), application(insured), "", noon()); strings.Contains(d.Agent, "客户自述") {
		t.Errorf("of what an agent says the reviewer reads %q", d.Agent)
	}
}

func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		modify func(*Application)
		want   string
	}{
		"a kind that there is not":      {func(a *Application) { a.Kind = "Gift" }, "UnknownKind"},
		"a reason that there is not":    {func(a *Application) { a.Reason = "" }, "UnknownReason"},
		"no order":                      {func(a *Application) { a.Order.Number = " " }, "OrderMissing"},
		"an order with spaces":          {func(a *Application) { a.Order.Number = "1 " }, "OrderMissing"},
		"an order in two lines":         {func(a *Application) { a.Order.Number = "LM\n7" }, "OrderMissing"},
		"an order in full width":        {func(a *Application) { a.Order.Number = "ＬＭ１" }, "OrderMissing"},
		"an order that is a text":       {func(a *Application) { a.Order.Number = strings.Repeat("1", 65) }, "OrderMissing"},
		"another currency":              {func(a *Application) { a.Order.Currency = "USD" }, "UnknownCurrency"},
		"an order that cost nothing":    {func(a *Application) { a.Order.Paid = 0 }, "AmountMissing"},
		"more than was paid":            {func(a *Application) { a.Amount = a.Order.Paid + 1 }, "AmountTooHigh"},
		"less than nothing":             {func(a *Application) { a.Amount = -1 }, "AmountTooHigh"},
		"a description that is a novel": {func(a *Application) { a.Description = strings.Repeat("长", maxNote+1) }, "TooLong"},
	} {
		t.Run(name, func(t *testing.T) {
			a := application(test.modify)
			wantRefusal(t, a.Check(), test.want)
		})
	}
}
