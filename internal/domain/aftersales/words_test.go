package aftersales

import (
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What customers read is reviewed here, at one place.
func TestWhatCustomersRead(t *testing.T) {
	china := time.FixedZone("CST", 8*60*60)
	for name, test := range map[string]struct {
		application Application
		tier        string
		actions     []Action
		want        []string
	}{
		"a return whose freight is insured": {
			application(insured), "",
			[]Action{ActionApprove, ActionReceive, ActionAccept, ActionRefunded, ActionClaimed, ActionConfirm},
			[]string{
				"您的申请已收到，客服会尽快为您审核。我们将在11月22日13:00前答复您。",
				"您的申请已通过。请在11月22日13:00前将商品寄回。寄回地址：仓库。运费请先垫付，商品收到后由运费险理赔。寄出后请告诉我们快递单号。",
				"已收到您寄回的商品，我们会尽快验收。",
				"您寄回的商品已验收，退款50元将在11月22日13:00前原路退回。",
				"退款50元已原路退回，请注意查收。我们正在为您申请运费险理赔。",
				"退款50元已原路退回，请注意查收。运费险理赔已办理。如有问题请随时联系我们。",
				"",
			},
		},
		"an exchange whose freight is insured, and is not paid": {
			application(insured, of(Exchange, NoReason)), "",
			[]Action{ActionApprove, ActionReceive, ActionAccept, ActionShipped, ActionWaive},
			[]string{
				"您的申请已收到，客服会尽快为您审核。我们将在11月22日13:00前答复您。",
				"您的申请已通过。请在11月22日13:00前将商品寄回。寄回地址：仓库。运费请先垫付，商品收到后由运费险理赔。寄出后请告诉我们快递单号。",
				"已收到您寄回的商品，我们会尽快验收。",
				"您寄回的商品已验收，商品将在11月22日13:00前发出。",
				"商品已发出，快递：顺丰 SF1。我们正在为您申请运费险理赔。",
				"商品已发出，快递：顺丰 SF1。您的售后已办结。如有问题请随时联系我们。",
			},
		},
		"an exchange of broken goods, for whose way back the seller pays": {
			application(of(Exchange, Damaged), photos), "",
			[]Action{ActionApprove, ActionSent, ActionReceive, ActionAccept, ActionShipped, ActionFreightPaid},
			[]string{
				"您的申请已收到，一般无需寄回商品，我们会尽快为您审核。我们将在11月22日13:00前答复您。",
				"您的申请已通过。请在11月22日13:00前将商品寄回。寄回地址：仓库。运费由我们承担，请先垫付并在寄出后告诉我们金额，商品验收后退给您，最多20元。寄出后请告诉我们快递单号。",
				"您的申请已通过。请在11月22日13:00前将商品寄回。寄回地址：仓库。运费由我们承担，请先垫付并在寄出后告诉我们金额，商品验收后退给您，最多20元。寄出后请告诉我们快递单号。",
				"已收到您寄回的商品，我们会尽快验收。",
				"您寄回的商品已验收，商品将在11月22日13:00前发出。",
				"商品已发出，快递：顺丰 SF1。您垫付的运费12元将在11月22日13:00前退给您。",
				"商品已发出，快递：顺丰 SF1。您垫付的运费12元已退给您，请注意查收。如有问题请随时联系我们。",
			},
		},
		"an exchange of broken goods, the freight of which is not paid back after all": {
			application(of(Exchange, Damaged), photos), "",
			[]Action{ActionApprove, ActionReceive, ActionAccept, ActionShipped, ActionWaive},
			[]string{
				"您的申请已收到，一般无需寄回商品，我们会尽快为您审核。我们将在11月22日13:00前答复您。",
				"您的申请已通过。请在11月22日13:00前将商品寄回。寄回地址：仓库。运费由我们承担，请先垫付并在寄出后告诉我们金额，商品验收后退给您，最多20元。寄出后请告诉我们快递单号。",
				"已收到您寄回的商品，我们会尽快验收。",
				"您寄回的商品已验收，商品将在11月22日13:00前发出。",
				"商品已发出，快递：顺丰 SF1。您垫付的运费12元将在11月22日13:00前退给您。",
				"商品已发出，快递：顺丰 SF1。您的售后已办结，运费不再退还。如有问题请随时联系我们。",
			},
		},
		"a refund at once": {
			application(), "vip",
			[]Action{ActionRefunded, ActionWithdraw, ActionReversed},
			[]string{
				"您的申请已通过，退款100元将在11月22日13:00前原路退回。",
				"退款50元已原路退回，请注意查收。请在11月22日13:00前将商品寄回。寄回地址：仓库。运费由您承担。寄出后请告诉我们快递单号。",
				"由于没有收到符合要求的商品，请退还已退的货款50元，客服会与您联系。",
				"您的售后申请已撤销。此前退给您的货款50元已收回。",
			},
		},
		"photos, asked for twice": {
			application(of(Reissue, Damaged)), "",
			[]Action{ActionAddEvidence, ActionAskEvidence, ActionAddEvidence, ActionApprove, ActionShipped},
			[]string{
				"请提供能看清问题的照片或视频，收到后我们会优先为您处理，一般无需寄回商品。请在11月22日13:00前发送。",
				"您补充的凭证已收到，我们将在11月22日13:00前答复您。",
				"为了尽快处理您的申请，请在11月22日13:00前补充凭证：因为",
				"您补充的凭证已收到，我们将在11月22日13:00前答复您。",
				"您的申请已通过，商品将在11月22日13:00前发出。",
				"商品已发出，快递：顺丰 SF1。如有问题请随时联系我们。",
			},
		},
		"nothing can be sent": {
			application(of(Reissue, MissingItem)), "",
			[]Action{ActionApprove, ActionRefundInstead, ActionRefunded},
			[]string{
				"您的申请已收到，一般无需寄回商品，我们会尽快为您审核。我们将在11月22日13:00前答复您。",
				"您的申请已通过，商品将在11月22日13:00前发出。",
				"很抱歉，无法为您发货：因为。退款50元将在11月22日13:00前原路退回。",
				"很抱歉，无法为您发货：因为。退款50元已原路退回，请注意查收。如有问题请随时联系我们。",
			},
		},
		"goods that are not as they should be, for which the money was paid": {
			application(), "vip",
			[]Action{ActionRefunded, ActionReceive, ActionReject, ActionWaive},
			[]string{
				"您的申请已通过，退款100元将在11月22日13:00前原路退回。",
				"退款50元已原路退回，请注意查收。请在11月22日13:00前将商品寄回。寄回地址：仓库。运费由您承担。寄出后请告诉我们快递单号。",
				"已收到您寄回的商品，我们会尽快验收。",
				"由于没有收到符合要求的商品，请退还已退的货款50元，客服会与您联系。",
				"很抱歉，您的售后申请未通过：少了配件",
			},
		},
		"goods that are not as they should be, for which the money came back": {
			application(), "vip",
			[]Action{ActionRefunded, ActionReceive, ActionReject, ActionReversed, ActionShipped},
			[]string{
				"您的申请已通过，退款100元将在11月22日13:00前原路退回。",
				"退款50元已原路退回，请注意查收。请在11月22日13:00前将商品寄回。寄回地址：仓库。运费由您承担。寄出后请告诉我们快递单号。",
				"已收到您寄回的商品，我们会尽快验收。",
				"由于没有收到符合要求的商品，请退还已退的货款50元，客服会与您联系。",
				"很抱歉，您寄回的商品未通过验收：少了配件。此前退给您的货款50元已收回。我们将在11月22日13:00前把商品寄回给您。",
				"很抱歉，您的售后申请未通过：少了配件。您的商品已寄回，快递：顺丰 SF1。",
			},
		},
		"goods that are not as they should be, and do not go back after all": {
			application(), "",
			[]Action{ActionApprove, ActionReceive, ActionReject, ActionWaive},
			[]string{
				"您的申请已收到，客服会尽快为您审核。我们将在11月22日13:00前答复您。",
				"您的申请已通过。请在11月22日13:00前将商品寄回。寄回地址：仓库。运费由您承担。寄出后请告诉我们快递单号。",
				"已收到您寄回的商品，我们会尽快验收。",
				"很抱歉，您寄回的商品未通过验收：少了配件。我们将在11月22日13:00前把商品寄回给您。",
				"很抱歉，您的售后申请未通过：少了配件。商品不再寄回，如有疑问请联系客服。",
			},
		},
		"refused by somebody": {
			application(), "",
			[]Action{ActionRefuse},
			[]string{"您的申请已收到，客服会尽快为您审核。我们将在11月22日13:00前答复您。", "很抱歉，您的售后申请未通过：因为"},
		},
		"refused by the policy": {
			application(goods("fresh")), "", nil,
			[]string{"很抱歉，生鲜商品不支持七天无理由退换；如有质量问题请选择质量问题并上传照片。"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := opened(test.application, test.tier)
			var got []string
			read := func() {
				c.SetDue(noon().Add(time.Hour))
				got = append(got, c.Words(c.Step(), china))
			}
			read()
			for _, action := range test.actions {
				byHand(&c)
				act := do(action)
				switch action {
				case ActionReject:
					act.Note = "少了配件"
				case ActionAccept:
					if c.Decision.FreightLimit() > 0 {
						act.FreightAmount = new(int64(12_00))
					}
				case ActionApprove, ActionWaive, ActionRefunded, ActionReversed:
					act.Note = "仅供客服"
				default:
				}
				act.ReturnGoods = action == ActionApprove && test.application.Reason == Damaged && test.application.Kind == Exchange
				if err := c.Act(act, noon()); err != nil {
					t.Fatal(err)
				}
				read()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCustomersReadWhatBecomesOfTheFreightTheyLaidOut(t *testing.T) {
	for name, test := range map[string]struct {
		decides Act
		want    string
	}{
		"paid back as they said": {
			Act{Action: ActionAccept, FreightAmount: new(int64(12_00))}, "您寄回的商品已验收，退款50元将在11月22日13:00前原路退回。",
		},
		"paid back in part": {
			Act{Action: ActionAccept, FreightAmount: new(int64(5_00))},
			"您寄回的商品已验收，退款50元将在11月22日13:00前原路退回。您垫付的运费12元，按规定退还5元。",
		},
		"not paid back": {
			Act{Action: ActionAccept, FreightAmount: new(int64)},
			"您寄回的商品已验收，退款50元将在11月22日13:00前原路退回。您垫付的运费12元不予退还，如有疑问请联系客服。",
		},
		"of goods that are rejected": {
			Act{Action: ActionReject, Note: "少了配件"},
			"很抱歉，您寄回的商品未通过验收：少了配件。您垫付的运费12元不予退还，如有疑问请联系客服。我们将在11月22日13:00前把商品寄回给您。",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := opened(application(), "")
			approve, accept := do(ActionApprove), do(ActionAccept)
			approve.Freight = FreightSeller
			test.decides.ID, test.decides.By, test.decides.Checked = accept.ID, accept.By, accept.Checked
			for _, act := range []Act{approve, {ID: "2", By: ByCustomer, Action: ActionSent, Tracking: "SF1", FreightAmount: new(int64(12_00))}, do(ActionReceive), test.decides} {
				if err := c.Act(act, noon()); err != nil {
					t.Fatal(err)
				}
			}
			c.SetDue(noon().Add(time.Hour))
			if got := c.Words(c.Step(), noon().Location()); got != test.want {
				t.Errorf("they read %q, want %q", got, test.want)
			}
		})
	}
}

func TestWhatCustomersAreRemindedOf(t *testing.T) {
	soon := noon().Add(-time.Minute)
	c := opened(application(of(RefundOnly, Quality)), "")
	c.SetDue(noon())
	if got := c.Reminder(soon, noon().Location()); !strings.Contains(got, "11月22日12:00前补充凭证") {
		t.Errorf("the reminder is %q", got)
	}
	if got := c.Reminder(noon(), noon().Location()); got != "" {
		t.Errorf("once it is too late, as after an outage, they read %q", got)
	}
	c = opened(application(), "")
	if got := c.Reminder(soon, noon().Location()); got != "" {
		t.Errorf("while somebody else has to do something they read %q", got)
	}
	for _, step := range []struct {
		action Action
		want   string
	}{{ActionApprove, "11月22日12:00前寄回商品"}, {ActionSent, ""}} {
		if err := c.Act(do(step.action), noon()); err != nil {
			t.Fatal(err)
		}
		c.SetDue(noon())
		if got := c.Reminder(soon, noon().Location()); !strings.Contains(got, step.want) || got != "" && step.want == "" {
			t.Errorf("after %s they read %q, want %q in it", step.action, got, step.want)
		}
	}
}

func TestTitlesTellNothingOfTheOrder(t *testing.T) {
	a := application()
	if title := a.Title(); title != "退货退款 · 无理由" || strings.Contains(title, a.Order.Number) {
		t.Errorf("the title is %q", title)
	}
	if got := a.MaskedOrder(); got != "****0112" {
		t.Errorf("the order is shown as %q", got)
	}
}

func TestAmountsAsPeopleReadThem(t *testing.T) {
	for fen, want := range map[int64]string{0: "0", 5: "0.05", 100: "1", 10_050: "100.50"} {
		if got := yuan(fen); got != want {
			t.Errorf("%d fen are %s, want %s", fen, got, want)
		}
	}
}

func TestEachStateHasAName(t *testing.T) {
	var names []string
	for _, s := range States() {
		if name := stateName(s); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) != len(States()) {
		t.Errorf("the names are %q", names)
	}
}

func TestAnOrderNumberIsNeverShownInFull(t *testing.T) {
	for number, want := range map[string]string{"1": "****", "1234": "****", "12345": "****45", "12345678": "****5678", "LM20261120001": "LM****0001"} {
		if got := Masked(number); got != want {
			t.Errorf("Masked(%s) = %s, want %s", number, got, want)
		}
	}
	err := quick.Check(func(number string) bool {
		runes := len([]rune(number))
		return runes == 0 || 2*len([]rune(strings.Replace(Masked(number), "****", "", 1))) <= runes
	}, nil)
	if err != nil {
		t.Error(err)
	}
}
