package aftersales

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Title says what an application is about, without personal data.
func (a *Application) Title() string {
	return a.Kind.Name() + " · " + reasonName(a.Reason)
}

// Name is a kind as customers and agents read it.
func (k Kind) Name() string {
	switch k {
	case Return:
		return "退货退款"
	case Exchange:
		return "换货"
	case RefundOnly:
		return "仅退款"
	case Reissue:
		return "补发"
	default:
		return "售后"
	}
}

func reasonName(r Reason) string {
	switch r {
	case NoReason:
		return "无理由"
	case Quality:
		return "质量问题"
	case WrongItem:
		return "错发"
	case MissingItem:
		return "少发"
	case Damaged:
		return "破损"
	default:
		return "其他"
	}
}

// stateName is a state as customers read it.
func stateName(s State) string {
	switch s {
	case StateEvidence:
		return "待补充凭证"
	case StateReview:
		return "审核中"
	case StateReturning:
		return "待寄回商品"
	case StateReceived:
		return "验收中"
	case StateRefunding:
		return "退款中"
	case StateShipping:
		return "待发货"
	case StateClaiming:
		return "运费险理赔中"
	case StateCompensating:
		return "退运费中"
	case StateUndoing:
		return "待退还货款"
	case StateSendingBack:
		return "待退回商品"
	case StateSettled:
		return "已办结"
	case StateDone:
		return "已完成"
	case StateRefused:
		return "未通过"
	case StateWithdrawn:
		return "已撤销"
	case StateExpired:
		return "已过期"
	default:
		return "处理中"
	}
}

// StateName is where the case stands, as customers read it.
func (c *Case) StateName() string {
	if c.OnTheWay() {
		return "待收货"
	}
	return stateName(c.State)
}

// MaskedOrder is the order's number as it may be shown to whoever reads along.
func (a *Application) MaskedOrder() string { return Masked(a.Order.Number) }

// Masked is an order's number by which its owner knows it and nobody else does much: its last four characters, and its first two where
// that leaves at least as many hidden.
func Masked(number string) string {
	runes := []rune(number)
	switch n := len(runes); {
	case n <= 4:
		return "****"
	case n < 12:
		return "****" + string(runes[n-min(4, n/2):])
	default:
		return string(runes[:2]) + "****" + string(runes[n-4:])
	}
}

// Words are what the customer is told of a step, with times of a location; empty where there is nothing to be told, as of a case that
// ends once all was said.
func (c *Case) Words(step int, location *time.Location) string {
	if step < 0 || step >= len(c.Steps) {
		return ""
	}
	s := c.Steps[step]
	var before Step
	if step > 0 {
		before = c.Steps[step-1]
	}
	by := ""
	if !s.Due.IsZero() {
		by = clock(s.Due, location)
		if s.State.OfTheCustomer() {
			by = ownClock(s.Due, location)
		}
	}
	done := c.achieved(step - 1)
	switch s.State {
	case StateEvidence:
		if before.Action == ActionAskEvidence {
			return "为了尽快处理您的申请，" + please(by) + "补充凭证：" + before.Note
		}
		if by == "" {
			return c.Decision.Customer
		}
		return c.Decision.Customer + please(by) + "发送。"
	case StateReview:
		if before.State == StateEvidence {
			return "您补充的凭证已收到，我们将在" + by + "答复您。"
		}
		return c.Decision.Customer + "我们将在" + by + "答复您。"
	case StateReturning:
		return c.sendBack(done, by)
	case StateReceived:
		return "已收到您寄回的商品，我们会尽快验收。"
	case StateRefunding:
		if sorry := c.sorry(step); sorry != "" {
			return sorry + "退款" + yuan(c.Decision.Amount) + "元将在" + by + "原路退回。"
		}
		return c.granted(before) + "，退款" + yuan(c.Decision.Amount) + "元将在" + by + "原路退回。" + c.lessFreight(before)
	case StateShipping:
		return c.granted(before) + "，商品将在" + by + "发出。" + c.lessFreight(before)
	case StateClaiming:
		return done + "我们正在为您申请运费险理赔。"
	case StateCompensating:
		return done + "您垫付的运费" + yuan(c.Decision.FreightAmount) + "元将在" + by + "退给您。"
	case StateUndoing:
		return "由于没有收到符合要求的商品，请退还已退的货款" + yuan(c.Decision.Amount) + "元，客服会与您联系。"
	case StateSendingBack:
		return ended("很抱歉，您寄回的商品未通过验收："+c.cause(step).Note, c.takenBack(before)+c.noFreight()+"我们将在"+by+"把商品寄回给您。")
	case StateSettled:
		return done + "如有问题请随时联系我们。"
	case StateRefused:
		if cause := c.cause(step); cause.Action == ActionRefuse || cause.Action == ActionReject {
			return ended("很抱歉，您的售后申请未通过："+cause.Note, c.takenBack(before)+c.wentBack(before))
		}
		return ended(c.Decision.Customer, c.takenBack(before))
	case StateWithdrawn:
		return ended("您的售后申请已撤销。", c.takenBack(before))
	case StateExpired:
		return ended("由于没有在期限内收到您的回复或商品，本次售后已关闭；如仍需要请重新申请。", c.takenBack(before))
	case StateDone:
		return ""
	default:
		return ""
	}
}

// granted says what was decided in the step before.
func (c *Case) granted(before Step) string {
	if before.Action == ActionAccept {
		return "您寄回的商品已验收"
	}
	return "您的申请已通过"
}

// lessFreight says, once the goods are accepted, that less of the freight is paid back than the customer laid out.
func (c *Case) lessFreight(before Step) string {
	switch granted := c.Decision.FreightAmount; {
	case before.Action != ActionAccept || c.Parcel == nil || c.Decision.FreightLimit() == 0 || granted >= c.Parcel.Freight:
		return ""
	case granted == 0:
		return c.noFreight()
	default:
		return "您垫付的运费" + yuan(c.Parcel.Freight) + "元，按规定退还" + yuan(granted) + "元。"
	}
}

// noFreight says that freight which the customer laid out is not paid back; empty where they named none that would be.
func (c *Case) noFreight() string {
	if c.Parcel == nil || c.Parcel.Freight == 0 || c.Decision.FreightLimit() == 0 {
		return ""
	}
	return "您垫付的运费" + yuan(c.Parcel.Freight) + "元不予退还，如有疑问请联系客服。"
}

// cause is the step in which it was decided what the step tells of. The notes of those between say how money and goods came back, or why
// not, which is for agents. It is empty for what was decided before the first.
func (c *Case) cause(step int) Step {
	for step--; step >= 0; step-- {
		if s := c.Steps[step]; s.State != StateUndoing && s.State != StateSendingBack {
			return s
		}
	}
	return Step{}
}

// wentBack says in what the goods went back to the customer, or that they do not where that was promised in the step before the last.
func (c *Case) wentBack(before Step) string {
	switch {
	case c.SentBack != nil:
		return "您的商品已寄回，快递：" + strings.TrimSpace(c.SentBack.Carrier+" "+c.SentBack.Tracking) + "。"
	case before.State == StateSendingBack:
		return "商品不再寄回，如有疑问请联系客服。"
	default:
		return ""
	}
}

// takenBack says that what was paid for goods which did not come was got back, where that was the step before the last: a provider that does
// it at once leaves no time to announce it.
func (c *Case) takenBack(before Step) string {
	if before.State != StateUndoing || c.Reversal == nil || c.Reversal.State != EffectDone {
		return ""
	}
	return "此前退给您的货款" + yuan(c.Reversal.Amount) + "元已收回。"
}

// ended are the last words of a case, with a further sentence or none: somebody's own words may end without a full stop.
func ended(words, further string) string {
	if further == "" {
		return words
	}
	return strings.TrimSuffix(words, "。") + "。" + further
}

// LastWords are the newest that there were for the customer.
func (c *Case) LastWords(location *time.Location) string {
	for step := c.Step(); step >= 0; step-- {
		if words := c.Words(step, location); words != "" {
			return words
		}
	}
	return ""
}

// clock says by when, rounded up to the minute, as the answer to who asks for the progress does.
func clock(due time.Time, location *time.Location) string {
	return due.Add(time.Minute-1).Truncate(time.Minute).In(location).Format("1月2日15:04") + "前"
}

// ownClock says by when the customer has to do something themselves: rounded down, so that who is in time by it is.
func ownClock(due time.Time, location *time.Location) string {
	return due.Truncate(time.Minute).In(location).Format("1月2日15:04") + "前"
}

// please begins what is asked of the customer; by is empty where it has no end.
func please(by string) string {
	if by == "" {
		return "请"
	}
	return "请在" + by
}

// Reminder is what the customer is told when it is their turn and the time is short; empty where it is not theirs, or too late now.
func (c *Case) Reminder(now time.Time, location *time.Location) string {
	if c.OnTheWay() || !now.Before(c.Now().Due) {
		return ""
	}
	by := ownClock(c.Now().Due, location)
	switch c.State {
	case StateEvidence:
		return "提醒您：请在" + by + "补充凭证，逾期售后申请将关闭。"
	case StateReturning:
		return "提醒您：请在" + by + "寄回商品并告诉我们快递单号，逾期售后申请将关闭。"
	default:
		return ""
	}
}

// sendBack asks for the goods.
func (c *Case) sendBack(done, by string) string {
	return cmp.Or(done, "您的申请已通过。") + please(by) + "将商品寄回。" + c.ReturnTerms() + "寄出后请告诉我们快递单号。"
}

// ReturnTerms say where the goods go back to and who pays for their way, in whole sentences; empty where nothing was decided.
func (c *Case) ReturnTerms() (text string) {
	if c.Decision.ReturnAddress != "" {
		text = "寄回地址：" + c.Decision.ReturnAddress + "。"
	}
	switch c.Decision.Freight {
	case FreightInsurance:
		return text + "运费请先垫付，商品收到后由运费险理赔。"
	case FreightSeller:
		if most := c.Decision.FreightLimit(); most > 0 {
			return text + "运费由我们承担，请先垫付并在寄出后告诉我们金额，商品验收后退给您，最多" + yuan(most) + "元。"
		}
		return text + "运费由我们承担。"
	case FreightBuyer:
		return text + "运费由您承担。"
	default:
		return text
	}
}

// achieved says what a step that ended has brought the customer.
func (c *Case) achieved(step int) string {
	if step < 0 {
		return ""
	}
	s := c.Steps[step]
	switch s.State {
	case StateRefunding:
		return c.sorry(step) + "退款" + yuan(c.Decision.Amount) + "元已原路退回，请注意查收。"
	case StateShipping:
		if c.Shipment != nil && c.Shipment.Reference != "" {
			return "商品已发出，快递：" + c.Shipment.Reference + "。"
		}
		return "商品已发出。"
	case StateReceived:
		return "您寄回的商品已验收。" + c.lessFreight(s)
	case StateClaiming, StateCompensating:
		// What was done at once was not announced, and what had come before it not said with it.
		switch {
		case s.Action == ActionWaive && s.State == StateCompensating:
			return c.achieved(step-1) + "您的售后已办结，运费不再退还。"
		case s.Action == ActionWaive:
			return c.achieved(step-1) + "您的售后已办结。"
		case s.State == StateCompensating && c.Steps[step-1].State == StateRefunding: // That may have been said before: it is no second refund.
			return "退款" + yuan(c.Decision.Amount) + "元和您垫付的运费" + yuan(c.Decision.FreightAmount) + "元均已退回，请注意查收。"
		case s.State == StateCompensating:
			return c.achieved(step-1) + "您垫付的运费" + yuan(c.Decision.FreightAmount) + "元已退给您，请注意查收。"
		default:
			return c.achieved(step-1) + "运费险理赔已办理。"
		}
	default:
		return ""
	}
}

// sorry says why money is paid back, in a step, where goods were promised; empty where they were not.
func (c *Case) sorry(step int) string {
	if step == 0 || c.Steps[step-1].Action != ActionRefundInstead {
		return ""
	}
	return "很抱歉，无法为您发货：" + c.Steps[step-1].Note + "。"
}

// yuan is an amount in fen as people read it.
func yuan(fen int64) string {
	if fen%100 == 0 {
		return strconv.FormatInt(fen/100, 10)
	}
	return fmt.Sprintf("%d.%02d", fen/100, fen%100)
}
