// Package inquiry answers customers who ask how what they wait for stands, in their words.
//
// It knows the states of cases and nothing of who keeps them. What it says holds no name, no full order number and nothing that was
// written for agents.
package inquiry

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/order"
	"github.com/yingda-dev/yingda/internal/domain/words"
)

// MaxCases are told at once.
const MaxCases = 3

// questions are the words by which customers ask. A text is one of them and nothing else: more words may mean something else, and
// those a rule, the FAQ or a human answers.
func questions() []string {
	return []string{"进度", "查进度", "查询进度", "售后进度", "退款进度", "退货进度", "换货进度", "处理进度", "查售后进度", "查询售后进度", "工单进度"}
}

// Asked says whether a customer's text asks how their cases stand.
func Asked(text string) bool {
	bare := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPunct(r) {
			return -1
		}
		return r
	}, words.Fold(text))
	return slices.Contains(questions(), bare)
}

// Case is what is told of.
type Case struct {
	// AfterSales is nil for a case of another kind.
	AfterSales *aftersales.Case
	// Label and State are what one of another kind is called, and how it stands: see Complaint, Promise, Shipping and OrderChange.
	Label, State string
	// Due is until when the next step is to be done; nil where nothing is promised.
	Due *time.Time
	// next is what is done until then, of one of another kind; empty is an answer.
	next string
}

// Complaint is how a complaint is told of. Settled says that somebody has settled it and the customer will be asked again.
func Complaint(settled Settled, due *time.Time) Case {
	if settled {
		return Case{Label: "投诉", State: "已处理,我们会再向您回访"}
	}
	return Case{Label: "投诉", State: "正在处理", Due: due}
}

// Settled says that what was asked for was done.
type Settled bool

// Promise is how something is told of that an agent promised.
func Promise(due *time.Time) Case {
	return Case{Label: "客服承诺的事项", State: "正在处理", Due: due}
}

// Shipping is how an order is told of that was paid and is to be sent.
func Shipping(number string, due *time.Time) Case {
	return Case{Label: "订单 " + aftersales.Masked(number), State: "已付款,等待发货", Due: due, next: "我们会在%s前发货。"}
}

// OrderChange is how it is told of that an order is to be cancelled, or sent to another address.
func OrderChange(c *order.Case, due *time.Time) Case {
	return Case{Label: order.Title(c.Wanted) + "(订单 " + aftersales.Masked(c.Order) + ")", State: "正在处理", Due: due}
}

// None is what is said to a customer who waits for nothing.
func None() string {
	return "您目前没有处理中的售后或投诉。如需帮助,请直接描述您的问题,或回复「人工」。"
}

// Text tells of cases, in the order given and of no more than MaxCases. Times are told as in the location.
func Text(cases []Case, now time.Time, location *time.Location) string {
	var text strings.Builder
	more := len(cases) > MaxCases
	cases = cases[:min(len(cases), MaxCases)]
	text.WriteString("您的处理进度:")
	for i, c := range cases {
		fmt.Fprintf(&text, "\n%d. %s", i+1, c.line(now, location))
	}
	if more {
		text.WriteString("\n还有其他事项正在处理,如需了解请回复「人工」。")
	}
	return text.String()
}

func (c Case) line(now time.Time, location *time.Location) string {
	if c.AfterSales != nil {
		return ofAfterSales(c.AfterSales, c.Due, now, location)
	}
	return c.Label + ":" + c.State + "。" + until(c.Due, now, location, cmp.Or(c.next, "我们会在%s前给您答复。"))
}

// until says by when something follows, and does not pretend that it could still be on time.
func until(due *time.Time, now time.Time, location *time.Location, format string) string {
	switch {
	case due == nil:
		return ""
	case due.Before(now):
		return "很抱歉,已超过我们承诺的时间,我们正在加急处理。"
	default:
		return fmt.Sprintf(format, clock(*due, now, location))
	}
}

// clock is a time as people say it, rounded up to the minute: today's without the date.
func clock(at, now time.Time, location *time.Location) string {
	at = at.Add(time.Minute - 1).Truncate(time.Minute).In(location)
	if at.Format(time.DateOnly) == now.In(location).Format(time.DateOnly) {
		return "今天" + at.Format("15:04")
	}
	return at.Format("1月2日15:04")
}

func ofAfterSales(c *aftersales.Case, due *time.Time, now time.Time, location *time.Location) string {
	head := fmt.Sprintf("%s(订单 %s):", c.Application.Kind.Name(), aftersales.Masked(c.Application.Order.Number))
	by := func(format string) string { return until(due, now, location, format) }
	switch c.State {
	case aftersales.StateEvidence:
		return head + "等待您补充凭证。" + request(due, now, location, "请在%s前发送能看清问题的照片或视频。")
	case aftersales.StateReview:
		return head + "审核中。" + by("我们会在%s前给您答复。")
	case aftersales.StateReturning:
		if c.Parcel != nil {
			return head + "已登记您寄回的快递 " + c.Parcel.Tracking + ",等待收货。"
		}
		return head + "等待您寄回商品。" + request(due, now, location, "请在%s前寄出,并告诉我们快递单号。") + c.ReturnTerms()
	case aftersales.StateReceived:
		return head + "已收到您寄回的商品,正在验货。" + by("我们会在%s前完成。")
	case aftersales.StateRefunding:
		return head + "退款 " + yuan(c.Decision.Amount) + " 处理中。" + by("我们会在%s前退款。")
	case aftersales.StateShipping:
		return head + "正在为您安排发货。" + by("我们会在%s前发出。")
	case aftersales.StateClaiming:
		return head + "运费险理赔中。" + by("预计%s前完成。")
	case aftersales.StateCompensating:
		return head + "退运费 " + yuan(c.Decision.FreightAmount) + " 处理中。" + by("我们会在%s前退给您。")
	case aftersales.StateUndoing:
		return head + "正在核对退款。" + by("我们会在%s前联系您。")
	case aftersales.StateSendingBack:
		return head + "寄回的商品未通过验收,正在安排退回。" + by("我们会在%s前寄出。")
	case aftersales.StateSettled:
		return head + settled(c) + "如有问题请直接告诉我们。"
	case aftersales.StateDone, aftersales.StateRefused, aftersales.StateWithdrawn, aftersales.StateExpired:
		return head + "已结束。"
	default:
		return head + "正在处理。" + by("我们会在%s前给您答复。")
	}
}

// request says by when the customer has to do something. A time that is past is not their fault to read of.
func request(due *time.Time, now time.Time, location *time.Location, format string) string {
	if due == nil || due.Before(now) {
		return ""
	}
	return fmt.Sprintf(format, clock(due.Truncate(time.Minute), now, location)) // Who is in time by it is in time.
}

func settled(c *aftersales.Case) string {
	switch {
	case c.Shipment != nil && c.Shipment.Reference != "":
		return "已发货(" + c.Shipment.Reference + ")。"
	case c.Refund != nil:
		return "已退款 " + yuan(c.Refund.Amount) + freight(c) + "。"
	default:
		return "已处理完成。"
	}
}

func freight(c *aftersales.Case) string {
	if c.Freight == nil || c.Freight.State != aftersales.EffectDone {
		return ""
	}
	return ",运费 " + yuan(c.Freight.Amount)
}

func yuan(fen int64) string { return fmt.Sprintf("%d.%02d 元", fen/100, fen%100) }
