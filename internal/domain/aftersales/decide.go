package aftersales

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yingda-dev/yingda/internal/domain/mail"
)

// Rule is the rule of a policy that decided on an application.
type Rule string

// The rules.
const (
	// RuleNoReason is the return without a reason, in its days.
	RuleNoReason Rule = "NoReason"
	// RuleNoReasonOver, RuleExcepted and RuleNotDelivered are why one is not granted.
	RuleNoReasonOver Rule = "NoReasonOver"
	RuleExcepted     Rule = "Excepted"
	RuleNotDelivered Rule = "NotDelivered"
	// RuleGoodsUnsaid leaves to somebody what would be paid at once if it were known that the goods are none of RuleExcepted.
	RuleGoodsUnsaid Rule = "GoodsUnsaid"
	// RuleNotShipped pays back what was not delivered yet.
	RuleNotShipped Rule = "NotShipped"
	// RuleReturnFirst and RuleNothingToReissue are of applications that ask for the wrong thing.
	RuleReturnFirst      Rule = "ReturnFirst"
	RuleNothingToReissue Rule = "NothingToReissue"
	// RuleSellersFault is what was the seller's fault, with photos where they are wanted.
	RuleSellersFault Rule = "SellersFault"
	// RuleEvidenceWanted waits for these.
	RuleEvidenceWanted Rule = "EvidenceWanted"
	// RuleOrderSpent leaves to somebody what would be more than is left of the order.
	RuleOrderSpent Rule = "OrderSpent"
	// RuleOther is for somebody to decide.
	RuleOther Rule = "Other"
)

// defaultTimeZone is that of ShiftSchedules.
const defaultTimeZone = "Asia/Shanghai"

// Check says what is wrong with an application; its error is a *RefusalError. Decide takes those alone that it finds nothing wrong with.
func (a *Application) Check() error {
	kinds := []Kind{Return, Exchange, RefundOnly, Reissue}
	reasons := []Reason{NoReason, Quality, WrongItem, MissingItem, Damaged, Other}
	switch {
	case !slices.Contains(kinds, a.Kind):
		return refuse("UnknownKind", "kind must be Return, Exchange, RefundOnly or Reissue")
	case !slices.Contains(reasons, a.Reason):
		return refuse("UnknownReason", "reason must be NoReason, Quality, WrongItem, MissingItem, Damaged or Other")
	case !IsOrderNumber(a.Order.Number):
		return refuse("OrderMissing", "write the order's number in 1 to %d ASCII letters, digits, Chinese characters and -_./#, without spaces", MaxOrderNumber)
	case a.Order.Currency != "" && a.Order.Currency != "CNY":
		return refuse("UnknownCurrency", "the order's currency must be CNY")
	case a.Order.Paid < 1 || a.Order.Paid > maxMoney:
		return refuse("AmountMissing", "what was paid for the order must be from 1 to %d fen", maxMoney)
	case a.Amount < 0 || a.Amount > a.Order.Paid:
		return refuse("AmountTooHigh", "amount must be from 0 to the %d fen that were paid", a.Order.Paid)
	case len(a.Order.Items) > maxItems || len(a.Evidence) > maxEvidence || len([]rune(a.Description)) > maxNote:
		return refuse("TooLong", "an application has at most %d items, %d pieces of evidence and a description of %d characters", maxItems, maxEvidence, maxNote)
	}
	if a.Contact.Email != "" && mail.Check(a.Contact.Email) != nil {
		return refuse("BadEmail", "contact.email: %s", mail.ErrAddress)
	}
	for _, item := range a.Order.Items {
		if len([]rune(item.Name)) > maxShort || len(item.Category) > maxShort {
			return refuse("TooLong", "names and categories of items have at most %d characters", maxShort)
		}
	}
	return nil
}

// Decide says what a policy grants to an application of a customer of a tier, at a time.
func Decide(p Policy, a Application, tier string, now time.Time) Decision {
	d := p.decide(a, tier, now)
	if d.Freight == FreightInsurance && a.Source == FromCustomer {
		d.Agent += "运费险为客户自述，请核实。"
	}
	return d
}

func (p *Policy) decide(a Application, tier string, now time.Time) Decision {
	d := Decision{
		Outcome: OutcomeReview, Remedy: RemedyGoods, GoodsBack: a.Kind == Return || a.Kind == Exchange,
		Freight: FreightBuyer, FreightUpTo: p.FreightUpTo, ReturnAddress: p.ReturnAddress,
	}
	if a.Kind == Return || a.Kind == RefundOnly {
		d.Remedy, d.Speed, d.Amount = RemedyRefund, OnReceipt, cmp.Or(a.Amount, a.Order.Paid)
	}
	switch {
	case a.Reason.ofTheSeller():
		return p.sellersFault(a, d)
	case a.Order.DeliveredAt.IsZero() && a.Kind == RefundOnly:
		return d.say(RuleNotShipped, "您的退款申请已收到，我们会尽快核实订单的发货情况。", "订单未签收，核实未发货或已拦截后可退款。")
	case a.Reason == NoReason:
		return p.noReason(a, d, tier, now)
	default:
		terms := "运费默认由买家承担。"
		if d = p.insured(a, p.kept(d)); d.Freight == FreightInsurance {
			terms = "寄回运费由运费险理赔。"
		}
		if d.GoodsBack && d.Remedy == RemedyRefund {
			if d = p.quickened(d, tier, now).reviewed(); d.Speed == OnApproval {
				terms += "通过后先退款，再等商品寄回。"
			}
		}
		return d.say(RuleOther, "您的申请已收到，客服会尽快为您审核。", "原因为其他，请核实后决定；"+terms)
	}
}

// adviceSellersFault is for the reviewer who has photos to look at.
const adviceSellersFault = "商家责任：核实后无需退货，运费由商家承担。"

// sellersFault is what the seller answers for: with photos nothing comes back, and the freight is the seller's.
func (p *Policy) sellersFault(a Application, d Decision) Decision {
	d.GoodsBack, d.Freight = false, FreightSeller
	wanting := slices.Contains(p.EvidenceFor, a.Reason) && len(a.Evidence) == 0
	if wanting && a.Source == FromProvider { // Who vouches for what it says, and has no conversation to send photos in.
		return d.say(RuleSellersFault, "您的申请已收到，一般无需寄回商品，我们会尽快为您审核。",
			"商家责任：由商家系统提交，没有照片；核实后无需退货，运费由商家承担。")
	}
	if wanting {
		d.Outcome = OutcomeEvidence
		return d.say(RuleEvidenceWanted, "请提供能看清问题的照片或视频，收到后我们会优先为您处理，一般无需寄回商品。",
			"缺少凭证：请客户提供照片或视频；凭证齐全后无需退货。")
	}
	return d.say(RuleSellersFault, "您的申请已收到，一般无需寄回商品，我们会尽快为您审核。", adviceSellersFault)
}

// noReason is the return without a reason.
func (p *Policy) noReason(a Application, d Decision, tier string, now time.Time) Decision {
	refused := func(rule Rule, customer, agent string) Decision {
		d.Outcome = OutcomeRefused
		return d.say(rule, customer, agent)
	}
	if excepted := p.excepted(a); a.Kind != Reissue && len(excepted) > 0 {
		return refused(RuleExcepted, "很抱歉，"+strings.Join(excepted, "、")+"不支持七天无理由退换；如有质量问题请选择质量问题并上传照片。",
			"商品类目不支持无理由退换："+strings.Join(excepted, "、")+"。")
	}
	until := p.noReasonUntil(a.Order.DeliveredAt)
	switch {
	case a.Kind == Reissue:
		return refused(RuleNothingToReissue, "补发适用于少发、错发、破损或质量问题，请选择对应的原因重新申请。", "无理由不能补发。")
	case a.Order.DeliveredAt.IsZero():
		return refused(RuleNotDelivered, "订单还未签收，可以申请仅退款，或在签收后申请退换。", "未签收，不能无理由退换；可改为仅退款。")
	case !now.Before(until):
		return refused(RuleNoReasonOver, fmt.Sprintf("很抱歉，订单签收已超过%d天，不再支持无理由退换；如有质量问题请选择质量问题并上传照片。", p.NoReasonDays),
			fmt.Sprintf("已超过无理由期限（签收后%d天）。", p.NoReasonDays))
	}
	if d = p.kept(d); a.Kind == RefundOnly && d.Amount >= p.KeepBelow {
		return refused(RuleReturnFirst, "已签收的商品请申请退货退款，寄回后为您退款。", "已签收且不属于小额免退货，不能仅退款。")
	}
	if d.GoodsBack {
		d.Inspection = p.Inspection
		d = p.insured(a, d)
	}
	if d.Remedy == RemedyRefund {
		d = p.quickened(d, tier, now)
	}
	if unsaid := p.unsaid(a); d.Outcome == OutcomeApproved && len(unsaid) > 0 {
		return d.reviewed().say(RuleGoodsUnsaid, "您的申请已收到，客服会尽快为您审核。", "申请没有写明商品，未自动退款：请核实其中没有"+strings.Join(unsaid, "、")+"后决定。")
	}
	if d.Outcome == OutcomeApproved {
		return d.say(RuleNoReason, "您的申请已通过，我们马上为您退款。", "符合极速退款条件，已自动通过。")
	}
	return d.say(RuleNoReason, "您的申请已收到，客服会尽快为您审核。", "在无理由期限内，核实订单后可通过。")
}

// excepted are the categories of the application that are not taken back without a reason, each once.
func (p *Policy) excepted(a Application) []string {
	var found []string
	for _, item := range a.Order.Items {
		if slices.Contains(p.NoReasonExcept, item.Category) && !slices.Contains(found, categoryName(item.Category)) {
			found = append(found, categoryName(item.Category))
		}
	}
	return found
}

// unsaid are the categories that are not taken back without a reason where the application does not say whether the goods are of one: it is
// about the whole order then, and nobody has looked what is in it. Goods without a category are ordinary ones: agents and providers
// choose it, and whatever customers apply for themselves is reviewed.
func (p *Policy) unsaid(a Application) []string {
	if len(a.Order.Items) > 0 {
		return nil
	}
	names := make([]string, len(p.NoReasonExcept))
	for i, category := range p.NoReasonExcept {
		names[i] = categoryName(category)
	}
	return names
}

// categoryName is a category as customers call it.
func categoryName(category string) string {
	switch category {
	case "custom":
		return "定制商品"
	case "fresh":
		return "生鲜商品"
	default:
		return category
	}
}

// noReasonUntil is the end of the last day on which an order of that delivery is taken back without a reason.
func (p *Policy) noReasonUntil(delivered time.Time) time.Time {
	year, month, day := delivered.In(p.Location()).Date()
	return time.Date(year, month, day+int(p.NoReasonDays)+1, 0, 0, 0, 0, p.Location())
}

// Location is the time zone in which the policy's days are meant. One that this machine does not know is that of China, as fixed by law.
func (p *Policy) Location() *time.Location {
	if location, err := time.LoadLocation(cmp.Or(p.TimeZone, defaultTimeZone)); err == nil {
		return location
	}
	return time.FixedZone("CST", 8*60*60)
}

// insured leaves to the insurance of an order what the buyer would pay for the goods' way back.
func (p *Policy) insured(a Application, d Decision) Decision {
	if d.GoodsBack && p.FreightInsurance && a.Order.FreightInsured {
		d.Freight = FreightInsurance
	}
	return d
}

// kept leaves goods with the customer that are not worth their way back.
func (p *Policy) kept(d Decision) Decision {
	if d.Remedy == RemedyRefund && d.Amount < p.KeepBelow {
		d.GoodsBack = false
	}
	return d
}

// quickened pays back as quickly as the customer's tier, or a promotion, allows, whichever is quicker.
func (p *Policy) quickened(d Decision, tier string, now time.Time) Decision {
	fits := func(upTo int64) bool { return upTo == 0 || d.Amount <= upTo }
	if i := slices.IndexFunc(p.Speeds, func(s TierSpeed) bool { return s.Tier == tier && fits(s.UpTo) }); i >= 0 {
		d.Speed = quicker(d.Speed, p.Speeds[i].Speed)
	}
	for _, promotion := range p.Promotions {
		if !now.Before(promotion.From) && now.Before(promotion.Until) && fits(promotion.UpTo) {
			d.Speed = quicker(d.Speed, promotion.Speed)
		}
	}
	if d.Speed == Instant {
		d.Outcome = OutcomeApproved
	}
	return d
}

func quicker(a, b Speed) Speed {
	order := []Speed{OnReceipt, OnApproval, Instant}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// Review is the decision where what it grants at once goes beyond what is left of the order: somebody decides, and why is for agents.
func (d Decision) Review(why error) Decision {
	return d.reviewed().say(RuleOrderSpent, "您的申请已收到，客服会尽快为您审核。", "订单的其他售后单已占用部分金额，请核实后决定："+why.Error())
}

// reviewed is the decision where somebody has to look first, however quickly it then pays.
func (d Decision) reviewed() Decision {
	d.Outcome = OutcomeReview
	if d.Speed == Instant {
		d.Speed = OnApproval
	}
	return d
}

func (d Decision) say(rule Rule, customer, agent string) Decision {
	d.Rule, d.Customer, d.Agent = rule, customer, agent
	return d
}
