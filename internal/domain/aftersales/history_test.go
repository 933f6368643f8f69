package aftersales

import "testing"

func TestAHistorySaysWhatBecameOfAnOperation(t *testing.T) {
	for name, test := range map[string]struct {
		operation Operation
		effect    Effect
		want      string
	}{
		"handed over":            {OperationRefund, Effect{State: EffectSending, Amount: 99_00}, "退款 99 元已提交商家系统"},
		"taken":                  {OperationShipment, Effect{State: EffectPending, Reference: "SF1"}, "发货：商家系统处理中，流水号 SF1"},
		"done, and where to ask": {OperationRefund, Effect{State: EffectDone, Amount: 99_50, Reference: "4200"}, "退款 99.50 元：商家系统已完成，流水号 4200"},
		"freight":                {OperationFreight, Effect{State: EffectDone, Amount: 12_00, Reference: "F1"}, "退运费 12 元：商家系统已完成，流水号 F1"},
		"refused, and why":       {OperationReversal, Effect{State: EffectRefused, Reason: "余额不足"}, "追回退款：没有执行，余额不足"},
		"left to people":         {OperationClaim, Effect{State: EffectByHand}, "运费险理赔：没有商家系统，待人工处理"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.effect.Said(test.operation); got != test.want {
				t.Errorf("it says %q, want %q", got, test.want)
			}
		})
	}
}

func TestAHistorySaysWhatSomebodyDid(t *testing.T) {
	for name, test := range map[string]struct {
		act  Act
		want string
	}{
		"nothing beside the action": {Act{Action: ActionReceive}, ""},
		"why":                       {Act{Action: ActionRefuse, Note: "已超过七天"}, "已超过七天"},
		"how much, and on what terms": {
			Act{Action: ActionApprove, Amount: 50_00, KeepGoods: true, Note: "照片清楚"}, "50 元，商品不用寄回，照片清楚",
		},
		"on other terms than the policy's": {
			Act{Action: ActionApprove, ReturnGoods: true, Freight: FreightSeller}, "商品需要寄回，运费由商家承担",
		},
		"what is on its way":             {Act{Action: ActionSent, Carrier: "顺丰", Tracking: "SF1"}, "顺丰 SF1"},
		"a parcel of an unknown carrier": {Act{Action: ActionShipped, Tracking: "77"}, "快递单号 77"},
		"what the freight cost":          {Act{Action: ActionAccept, FreightAmount: new(int64)}, "运费 0 元"},
		"by what it is found again":      {Act{Action: ActionRefunded, Reference: "4200"}, "流水号 4200"},
		"what was added":                 {Act{Action: ActionAddEvidence, Evidence: make([]Evidence, 2)}, "2 份凭证"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.act.Said(); got != test.want {
				t.Errorf("it says %q, want %q", got, test.want)
			}
		})
	}
}
