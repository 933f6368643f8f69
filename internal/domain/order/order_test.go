package order

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
)

func at() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func settled(c Case, states ...aftersales.EffectState) Case {
	for _, state := range states {
		c.Settle(aftersales.Effect{State: state, Reason: "已经发货。", At: at()})
	}
	return c
}

func TestWhatMayBeDone(t *testing.T) {
	asked := Open("LM20261120001", OperationCancel, "an", at())
	hand := settled(asked, aftersales.EffectByHand)
	for name, test := range map[string]struct {
		in    Case
		act   aftersales.Act
		state aftersales.State
		why   string
	}{
		"by hand, done":                  {hand, aftersales.Act{Action: ActionDone}, StateDone, ""},
		"by hand, refused":               {hand, aftersales.Act{Action: ActionRefuse, Note: "已经发货"}, StateRefused, ""},
		"by hand, refused without a why": {hand, aftersales.Act{Action: ActionRefuse}, StateAsked, "NoteMissing"},
		"given away":                     {asked, aftersales.Act{Action: ActionAssign, Owner: "bo"}, StateAsked, ""},
		"given to nobody":                {asked, aftersales.Act{Action: ActionAssign}, StateAsked, "OwnerMissing"},
		"what the provider may do":       {asked, aftersales.Act{Action: ActionDone}, StateAsked, "UnderWay"},
		"what the provider has":          {settled(asked, aftersales.EffectSending, aftersales.EffectPending), aftersales.Act{Action: ActionRefuse, Note: "n"}, StateAsked, "UnderWay"},
		"what nobody knows":              {hand, aftersales.Act{Action: "approve"}, StateAsked, "UnknownAction"},
		"what has ended":                 {settled(asked, aftersales.EffectSending, aftersales.EffectDone), aftersales.Act{Action: ActionDone}, StateDone, "WrongState"},
		"too long a note":                {hand, aftersales.Act{Action: ActionRefuse, Note: strings.Repeat("长", 501)}, StateAsked, "TooLong"},
	} {
		t.Run(name, func(t *testing.T) {
			c := test.in
			test.act.ID, test.act.By = "1", "an"
			err := c.Act(test.act, at())
			var refusal *aftersales.RefusalError
			if errors.As(err, &refusal); (test.why == "") != (err == nil) || refusal != nil && refusal.Reason != test.why {
				t.Errorf("refused as %v, want %q", err, test.why)
			}
			if c.State != test.state {
				t.Errorf("it is %s, want %s", c.State, test.state)
			}
		})
	}
}

func TestWhatCustomersAreTold(t *testing.T) {
	address, cancel := Open("LM20261120001", OperationAddress, "an", at()), Open("001", OperationCancel, "an", at())
	for want, c := range map[string]Case{
		"":               settled(cancel, aftersales.EffectSending, aftersales.EffectPending),
		"您的订单（****）已取消。": settled(cancel, aftersales.EffectSending, aftersales.EffectDone),
		"您的订单（****）未能取消，原因：已经发货。":   settled(cancel, aftersales.EffectSending, aftersales.EffectRefused),
		"您的订单（LM****0001）的收货地址已修改。": settled(address, aftersales.EffectSending, aftersales.EffectPending, aftersales.EffectDone),
	} {
		if got := c.Words(); got != want {
			t.Errorf("the customer is told %q, want %q", got, want)
		}
	}
}

func TestWhatIsAskedForIsChecked(t *testing.T) {
	home := &Address{Recipient: "王女士", Phone: "13800000000", Address: "上海市徐汇区1号"}
	for name, test := range map[string]struct {
		number  string
		wanted  aftersales.Operation
		address *Address
		why     string
	}{
		"a cancellation":                {"1", OperationCancel, nil, ""},
		"another address":               {"1", OperationAddress, home, ""},
		"another address, but which":    {"1", OperationAddress, nil, "BadAddress"},
		"an address to cancel":          {"1", OperationCancel, home, "BadAddress"},
		"no order":                      {" ", OperationCancel, nil, "BadOrder"},
		"a line break":                  {"1\n2", OperationCancel, nil, "BadOrder"},
		"a number that is half unseen":  {"LM\u200b1", OperationCancel, nil, "BadOrder"},
		"a number with space around it": {" LM1", OperationCancel, nil, "BadOrder"},
		"money":                         {"1", aftersales.OperationRefund, nil, "UnknownOperation"},
		"nobody to send it to":          {"1", OperationAddress, &Address{Phone: "1", Address: "1"}, "BadAddress"},
		"an address of two lines":       {"1", OperationAddress, &Address{Recipient: "1", Phone: "1", Address: "1\n2"}, "BadAddress"},
		"too long an address":           {"1", OperationAddress, &Address{Recipient: "1", Phone: "1", Address: strings.Repeat("路", 201)}, "BadAddress"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(test.number, test.wanted, test.address)
			var refusal *aftersales.RefusalError
			if errors.As(err, &refusal); (test.why == "") != (err == nil) || refusal != nil && refusal.Reason != test.why {
				t.Errorf("refused as %v, want %q", err, test.why)
			}
		})
	}
}
