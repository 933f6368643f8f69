package aftersales

import "time"

// Policy is what a brand grants, in a form to work with.
type Policy struct {
	// NoReasonDays are the days after that of the delivery on which goods may be sent back without a reason; 0 grants none.
	NoReasonDays int32 `json:"noReasonDays"`
	// NoReasonExcept are the categories of goods that may not.
	NoReasonExcept []string `json:"noReasonExcept,omitempty"`
	// TimeZone in which days are meant, as IANA names it; empty is Asia/Shanghai.
	TimeZone string `json:"timeZone,omitempty"`
	// EvidenceFor are the reasons for which photos are wanted.
	EvidenceFor []Reason `json:"evidenceFor,omitempty"`
	// KeepBelow is the amount in fen below which goods need not come back; 0 wants all of them.
	KeepBelow int64 `json:"keepBelow,omitempty"`
	// Speeds by tier, in the order in which they are looked at: the first that fits counts.
	Speeds []TierSpeed `json:"speeds,omitempty"`
	// Promotions are times in which all customers are refunded more quickly.
	Promotions []Promotion `json:"promotions,omitempty"`
	// Inspection are the points that must hold of goods that come back without a reason.
	Inspection []string `json:"inspection,omitempty"`
	// FreightInsurance says that the insurance of an order pays for sending the goods back.
	FreightInsurance bool `json:"freightInsurance,omitempty"`
	// FreightUpTo is the most in fen that is paid back of the freight that the customer laid out for the seller; 0 pays nothing.
	FreightUpTo int64 `json:"freightUpTo,omitempty"`
	// ReturnAddress is where goods are sent back to.
	ReturnAddress string `json:"returnAddress,omitempty"`
}

// TierSpeed is how quickly customers of a tier get their money back.
type TierSpeed struct {
	// Tier of the customer; empty for those without one.
	Tier  string `json:"tier,omitempty"`
	Speed Speed  `json:"speed"`
	// UpTo is the largest amount in fen for which that holds; 0 bounds nothing.
	UpTo int64 `json:"upTo,omitempty"`
}

// Promotion is a time in which all customers get their money back so quickly.
type Promotion struct {
	Name  string    `json:"name,omitempty"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	Speed Speed     `json:"speed"`
	UpTo  int64     `json:"upTo,omitempty"`
}

// Terms are what a case is handled by: those of the time when it began.
type Terms struct {
	Policy Policy `json:"policy"`
	Limits Limits `json:"limits"`
	// RemindBefore is how long before a step is due its owner is reminded, in seconds; 0 reminds nobody.
	RemindBefore int64 `json:"remindBefore,omitempty"`
}

// Limits are how long each step may take, in seconds but for days.
type Limits struct {
	// Review counts while the SkillGroup is open; all others count always.
	Review int64 `json:"review"`
	// Evidence and Return are the customer's.
	Evidence int64 `json:"evidence"`
	Return   int64 `json:"return"`
	// RefundAfterApproval is of refunds for which no goods are waited for.
	RefundAfterApproval int64 `json:"refundAfterApproval"`
	// RefundAfterReceiptWorkingDays are of those for goods that came back, from when they came.
	RefundAfterReceiptWorkingDays int32 `json:"refundAfterReceiptWorkingDays"`
	// Reissue is from the approval to the shipment.
	Reissue int64 `json:"reissue"`
	// Inspect and Resend are of an exchange: from the goods' coming back, and from their acceptance.
	Inspect int64 `json:"inspect"`
	Resend  int64 `json:"resend"`
	// Claim is of the insurance's claim and of getting back a refund.
	Claim int64 `json:"claim"`
	// FollowUp is until when the customer is asked whether all is well.
	FollowUp int64 `json:"followUp"`
	// Overall is for how long a case may wait for the brand altogether; 0 bounds nothing.
	Overall int64 `json:"overall"`
}

// Outcome is what the policy says to an application.
type Outcome string

// The outcomes.
const (
	// OutcomeApproved needs nobody's review.
	OutcomeApproved Outcome = "approved"
	// OutcomeReview leaves it to somebody.
	OutcomeReview Outcome = "review"
	// OutcomeEvidence wants photos first.
	OutcomeEvidence Outcome = "evidence"
	OutcomeRefused  Outcome = "refused"
)

// Remedy is what the customer gets.
type Remedy string

// The remedies.
const (
	RemedyRefund Remedy = "refund"
	RemedyGoods  Remedy = "goods"
)

// Speed is when money is paid back for goods that come back.
type Speed string

// The speeds, the slowest first.
const (
	// OnReceipt pays once the goods are back.
	OnReceipt Speed = "OnReceipt"
	// OnApproval pays before the goods are back.
	OnApproval Speed = "OnApproval"
	// Instant pays without a review, before the goods are back.
	Instant Speed = "Instant"
)

// Freight is who pays for sending goods back.
type Freight string

// Who pays.
const (
	FreightBuyer     Freight = "Buyer"
	FreightSeller    Freight = "Seller"
	FreightInsurance Freight = "Insurance"
)

func freights() []Freight { return []Freight{FreightBuyer, FreightSeller, FreightInsurance} }

// Decision is what becomes of an application, and why.
type Decision struct {
	Outcome Outcome `json:"outcome"`
	// Rule is the policy's rule that decided, for programs.
	Rule   Rule   `json:"rule"`
	Remedy Remedy `json:"remedy"`
	// Amount to be paid back, in fen; 0 for goods.
	Amount int64 `json:"amount,omitempty"`
	// GoodsBack says that the customer has to send the goods back.
	GoodsBack bool    `json:"goodsBack,omitempty"`
	Speed     Speed   `json:"speed,omitempty"`
	Freight   Freight `json:"freight,omitempty"`
	// FreightUpTo is the most in fen that is paid back of the freight where the seller pays it; FreightAmount is what is, once that is known.
	FreightUpTo   int64 `json:"freightUpTo,omitempty"`
	FreightAmount int64 `json:"freightAmount,omitempty"`
	// Inspection are the points that must hold of the goods that come back.
	Inspection []string `json:"inspection,omitempty"`
	// ReturnAddress is where they are sent to; empty where somebody has to tell the customer.
	ReturnAddress string `json:"returnAddress,omitempty"`
	// Customer and Agent say why, in words for each.
	Customer string `json:"customer"`
	Agent    string `json:"agent"`
}

// path is what an approved case goes through.
func (d *Decision) path() []State {
	path := []State{StateShipping}
	if d.Remedy == RemedyRefund {
		path[0] = StateRefunding
	}
	if d.GoodsBack {
		if d.Remedy == RemedyRefund && d.Speed != OnReceipt {
			path = append(path, StateReturning, StateReceived)
		} else {
			path = append([]State{StateReturning, StateReceived}, path...)
		}
		if d.Freight == FreightInsurance {
			path = append(path, StateClaiming)
		}
		if d.FreightAmount > 0 {
			path = append(path, StateCompensating)
		}
	}
	return append(path, StateSettled, StateDone)
}

// FreightLimit is the most in fen that is paid back of what the customer laid out for the goods' way back; 0 where that is not the seller's.
func (d *Decision) FreightLimit() int64 {
	if d.GoodsBack && d.Freight == FreightSeller {
		return d.FreightUpTo
	}
	return 0
}
