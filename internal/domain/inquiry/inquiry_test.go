package inquiry

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/order"
)

func TestAsked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"进度": true, "查进度": true, " 售后进度?": true, "【进度】": true, "退款进度!": true, "进 度": true,
		"": false, "?": false, "进度条怎么用": false, "转人工查进度": false, "我的退款进度太慢了,投诉": false, "你好": false,
	} {
		if got := Asked(text); got != want {
			t.Errorf("Asked(%q) = %t, want %t", text, got, want)
		}
	}
}

func shanghai(t *testing.T) *time.Location {
	t.Helper()
	location, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func returned(state aftersales.State, change ...func(*aftersales.Case)) *aftersales.Case {
	c := &aftersales.Case{
		State:       state,
		Application: aftersales.Application{Kind: aftersales.Return, Order: aftersales.Order{Number: "LM20261120001"}, Description: "领口开线"},
		Decision:    aftersales.Decision{Amount: 9950, Agent: "给客服看的话"},
	}
	for _, f := range change {
		f(c)
	}
	return c
}

func TestText(t *testing.T) {
	t.Parallel()
	location := shanghai(t)
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, location)
	in := func(d time.Duration) *time.Time { at := now.Add(d); return &at }
	const head = "您的处理进度:\n1. 退货退款(订单 LM****0001):"
	for name, tc := range map[string]struct {
		c    Case
		want string
	}{
		"evidence is waited for":           {Case{AfterSales: returned("evidence"), Due: in(24 * time.Hour)}, head + "等待您补充凭证。请在11月24日12:00前发送能看清问题的照片或视频。"},
		"evidence that is late":            {Case{AfterSales: returned("evidence"), Due: in(-time.Hour)}, head + "等待您补充凭证。"},
		"a review":                         {Case{AfterSales: returned("review"), Due: in(2*time.Hour - time.Second)}, head + "审核中。我们会在今天14:00前给您答复。"},
		"a review that is late":            {Case{AfterSales: returned("review"), Due: in(-time.Second)}, head + "审核中。很抱歉,已超过我们承诺的时间,我们正在加急处理。"},
		"a review before anybody promised": {Case{AfterSales: returned("review")}, head + "审核中。"},
		"goods are waited for":             {Case{AfterSales: returned("returning"), Due: in(7 * 24 * time.Hour)}, head + "等待您寄回商品。请在11月30日12:00前寄出,并告诉我们快递单号。"},
		"goods that are on their way": {
			Case{AfterSales: returned("returning", func(c *aftersales.Case) { c.Parcel = &aftersales.Parcel{Tracking: "SF1"} }), Due: in(time.Hour)},
			head + "已登记您寄回的快递 SF1,等待收货。",
		},
		"goods that came": {Case{AfterSales: returned("received"), Due: in(time.Hour)}, head + "已收到您寄回的商品,正在验货。我们会在今天13:00前完成。"},
		"a refund":        {Case{AfterSales: returned("refunding"), Due: in(time.Hour)}, head + "退款 99.50 元 处理中。我们会在今天13:00前退款。"},
		"a refund that was made": {
			Case{AfterSales: returned("settled", func(c *aftersales.Case) { c.Refund = &aftersales.Effect{State: aftersales.EffectDone, Amount: 9950} }), Due: in(time.Hour)},
			head + "已退款 99.50 元。如有问题请直接告诉我们。",
		},
		"goods that were sent": {
			Case{AfterSales: returned("settled", func(c *aftersales.Case) { c.Shipment = &aftersales.Effect{Reference: "顺丰 SF2"} })},
			head + "已发货(顺丰 SF2)。如有问题请直接告诉我们。",
		},
		"a state of a later version":  {Case{AfterSales: returned("teleporting"), Due: in(time.Hour)}, head + "正在处理。我们会在今天13:00前给您答复。"},
		"a complaint":                 {Complaint(false, in(time.Hour)), "您的处理进度:\n1. 投诉:正在处理。我们会在今天13:00前给您答复。"},
		"a complaint that is settled": {Complaint(true, in(time.Hour)), "您的处理进度:\n1. 投诉:已处理,我们会再向您回访。"},
		"a promise":                   {Promise(in(-time.Hour)), "您的处理进度:\n1. 客服承诺的事项:正在处理。很抱歉,已超过我们承诺的时间,我们正在加急处理。"},
		"an order to be sent":         {Shipping("LM20261120001", in(48*time.Hour)), "您的处理进度:\n1. 订单 LM****0001:已付款,等待发货。我们会在11月25日12:00前发货。"},
		"an order to be cancelled": {
			OrderChange(&order.Case{Order: "LM20261120001", Wanted: order.OperationCancel, State: order.StateAsked}, in(time.Hour)),
			"您的处理进度:\n1. 取消订单(订单 LM****0001):正在处理。我们会在今天13:00前给您答复。",
		},
		"an address to be changed": {
			OrderChange(&order.Case{Order: "LM20261120001", Wanted: order.OperationAddress, State: order.StateAsked}, in(-time.Hour)),
			"您的处理进度:\n1. 修改地址(订单 LM****0001):正在处理。很抱歉,已超过我们承诺的时间,我们正在加急处理。",
		},
		"an order that is late": {Shipping("LM20261120001", in(-time.Hour)), "您的处理进度:\n1. 订单 LM****0001:已付款,等待发货。很抱歉,已超过我们承诺的时间,我们正在加急处理。"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, Text([]Case{tc.c}, now, location)); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoMoreThanThreeAreTold(t *testing.T) {
	t.Parallel()
	cases := []Case{Promise(nil), Promise(nil), Promise(nil), Promise(nil)}
	got := Text(cases, time.Now(), time.UTC)
	if strings.Contains(got, "4.") || !strings.HasSuffix(got, "还有其他事项正在处理,如需了解请回复「人工」。") {
		t.Errorf("told %s", got)
	}
}
