package v1alpha1

// AfterSalesSpec is what becomes of returns, exchanges, refunds and reissues, and until when. A case keeps what it began with. Of each
// deadline the case's owner is reminded before, it is marked when it is missed, and the ladder is climbed from then on.
type AfterSalesSpec struct {
	// review is within what time of the application somebody decides on it, counted while the SkillGroup is open. Default 2h; at least 1s,
	// at most 720h.
	// +optional
	// +kubebuilder:default="2h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write review in hours, minutes and seconds, for example 2h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="review must be at least 1s and at most 720h"
	Review string `json:"review,omitempty"`

	// refundAfterApproval is within what time money is paid back for which no goods are waited for. Default 24h; at least 1s, at most 720h.
	// +optional
	// +kubebuilder:default="24h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write refundAfterApproval in hours, minutes and seconds, for example 24h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="refundAfterApproval must be at least 1s and at most 720h"
	RefundAfterApproval string `json:"refundAfterApproval,omitempty"`

	// refundAfterReceiptWorkingDays is within how many working days money is paid back for goods that came back: by the end of the last of
	// them, not counting the day on which they came. Working days are those from Monday to Friday, less the days off and with the make-up
	// days of the calendars of the SkillGroup's ShiftSchedule, in its time zone (Asia/Shanghai without one). 1 to 30. Default 3.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=30
	RefundAfterReceiptWorkingDays int32 `json:"refundAfterReceiptWorkingDays,omitempty"`

	// reissueShipped is within what time of the approval goods are sent again. Default 48h; at least 1s, at most 720h.
	// +optional
	// +kubebuilder:default="48h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write reissueShipped in hours, minutes and seconds, for example 48h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="reissueShipped must be at least 1s and at most 720h"
	ReissueShipped string `json:"reissueShipped,omitempty"`

	// exchange bounds the steps of an exchange that are its own.
	// +optional
	// +kubebuilder:default={}
	Exchange ExchangeSpec `json:"exchange,omitempty"`

	// evidenceWithin is for how long photos are waited for; the case expires then. Default 72h; at least 1s, at most 720h.
	// +optional
	// +kubebuilder:default="72h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write evidenceWithin in hours, minutes and seconds, for example 72h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="evidenceWithin must be at least 1s and at most 720h"
	EvidenceWithin string `json:"evidenceWithin,omitempty"`

	// returnWithin is for how long goods are waited for that the customer sends back; the case expires then, and what was paid for them is asked
	// back. Default 168h; at least 1s, at most 720h.
	// +optional
	// +kubebuilder:default="168h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write returnWithin in hours, minutes and seconds, for example 168h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="returnWithin must be at least 1s and at most 720h"
	ReturnWithin string `json:"returnWithin,omitempty"`

	// claimWithin is within what time the freight is claimed of its insurance, or a refund taken back for goods that did not come. Default 72h;
	// at least 1s, at most 720h.
	// +optional
	// +kubebuilder:default="72h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write claimWithin in hours, minutes and seconds, for example 72h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="claimWithin must be at least 1s and at most 720h"
	ClaimWithin string `json:"claimWithin,omitempty"`

	// followUpWithin is within what time of the last step somebody asks the customer whether all is well. Default 72h; at least 1s, at most
	// 720h.
	// +optional
	// +kubebuilder:default="72h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write followUpWithin in hours, minutes and seconds, for example 72h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="followUpWithin must be at least 1s and at most 720h"
	FollowUpWithin string `json:"followUpWithin,omitempty"`

	// overall is for how long a case may wait for the brand altogether, before the supervisors are warned; while the customer has to do something
	// it stands still. Default 24h; at least 1s, at most 720h.
	// +optional
	// +kubebuilder:default="24h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write overall in hours, minutes and seconds, for example 24h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="overall must be at least 1s and at most 720h"
	Overall string `json:"overall,omitempty"`

	// remindBefore is how long before a deadline its owner is reminded; deadlines that are shorter remind nobody. 0s reminds nobody ever.
	// Default 30m; at most 720h.
	// +optional
	// +kubebuilder:default="30m"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write remindBefore in hours, minutes and seconds, for example 30m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('0s') && duration(self) <= duration('720h')",message="remindBefore must be at least 0s and at most 720h"
	RemindBefore string `json:"remindBefore,omitempty"`

	// ladder of escalation of a missed deadline, 1 to 5 rungs, each later than the one before. Default: the supervisors after 30m, the
	// admins after 4h.
	// +optional
	// +listType=atomic
	// +kubebuilder:default={{after: "30m", notify: Supervisor}, {after: "4h", notify: Admin}}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	// +kubebuilder:validation:XValidation:rule="self.all(i, r, i == 0 || !self[i-1].after.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || !r.after.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self[i-1].after) < duration(r.after))",message="each rung's after must be longer than the one before: it counts from the missed deadline"
	Ladder []DeadlineRung `json:"ladder,omitempty"`

	// policy is what customers are granted.
	// +optional
	// +kubebuilder:default={}
	Policy AfterSalesPolicy `json:"policy,omitempty"`
}

// ExchangeSpec bounds the steps of an exchange that are its own.
type ExchangeSpec struct {
	// inspect is within what time somebody looks at the goods that came back. Default 24h; at least 1s, at most 720h.
	// +optional
	// +kubebuilder:default="24h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write inspect in hours, minutes and seconds, for example 24h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="inspect must be at least 1s and at most 720h"
	Inspect string `json:"inspect,omitempty"`

	// resend is within what time of that the other goods are sent, or goods back that were rejected, also those of a return. Default 48h; at
	// least 1s, at most 720h.
	// +optional
	// +kubebuilder:default="48h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write resend in hours, minutes and seconds, for example 48h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="resend must be at least 1s and at most 720h"
	Resend string `json:"resend,omitempty"`
}

// DeadlineRung is one step of the ladder of a missed deadline.
type DeadlineRung struct {
	// after is the time since the deadline was missed, for example 30m; at least 1s, at most 720h.
	// +required
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write after in hours, minutes and seconds, for example 30m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="after must be at least 1s and at most 720h"
	After string `json:"after"`
	// notify is the role that is called: Supervisor or Admin.
	// +required
	// +kubebuilder:validation:XValidation:rule="self != 'Agent'",message="a ladder calls Supervisor or Admin: agents are told anyway"
	Notify AgentRole `json:"notify"`
}

// AfterSalesPolicy is what customers are granted. What it does not grant outright somebody reviews.
type AfterSalesPolicy struct {
	// noReasonDays are the days after that of the delivery, in the time zone of the SkillGroup's ShiftSchedule (Asia/Shanghai without one),
	// in which goods may be sent back without a reason; 0 grants none. Default 7; at most 90.
	// +optional
	// +kubebuilder:default=7
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=90
	NoReasonDays *int32 `json:"noReasonDays,omitempty"`

	// noReasonExcept are the categories of goods that may not be sent back without a reason, up to 32 of at most 63 letters, digits and
	// hyphens, as applications name them. Default custom and fresh.
	// +optional
	// +listType=set
	// +kubebuilder:default={custom,fresh}
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	NoReasonExcept []string `json:"noReasonExcept,omitempty"`

	// evidenceFor are the reasons for which photos are wanted before somebody decides, up to 4: Quality, WrongItem, MissingItem and Damaged.
	// With them nothing has to come back for what is the seller's fault, and the seller pays its freight. Default Quality, WrongItem and
	// Damaged.
	// +optional
	// +listType=set
	// +kubebuilder:default={Quality,WrongItem,Damaged}
	// +kubebuilder:validation:MaxItems=4
	EvidenceFor []EvidenceReason `json:"evidenceFor,omitempty"`

	// noReturnBelowFen is the amount in fen (1/100 yuan) below which money is paid back and the goods stay with the customer. Default 0:
	// all goods come back. At most 10000000.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	NoReturnBelowFen int64 `json:"noReturnBelowFen,omitempty"`

	// refundSpeeds pay customers back before their goods come back, by tier, up to 16; the first that fits counts. Instant is a refund without
	// a review, OnApproval one before the goods come. What is paid for goods that then do not come is asked back. Default: all on receipt.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	RefundSpeeds []TierRefundSpeed `json:"refundSpeeds,omitempty"`

	// promotions are times in which all customers are paid back more quickly, up to 16. Of tier and promotion the quicker counts.
	// Default: none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Promotions []PromotionWindow `json:"promotions,omitempty"`

	// inspection are the points that must hold of goods that come back without a reason, up to 10 of up to 40 characters: who accepts
	// the goods confirms each. Default 未拆封或不影响二次销售, 商品完好, 配件齐全.
	// +optional
	// +listType=set
	// +kubebuilder:default={"未拆封或不影响二次销售","商品完好","配件齐全"}
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=40
	Inspection []string `json:"inspection,omitempty"`

	// freightInsurance says what is done for an order whose way back is insured, once its goods came back: Claim claims the freight
	// of the insurance, by the Brand's provider or by hand; Ignore leaves that to the customer. Default Claim.
	// +optional
	// +kubebuilder:default=Claim
	FreightInsurance FreightInsurancePolicy `json:"freightInsurance,omitempty"`

	// freightUpToFen is the most in fen that a customer is paid back of the freight that they laid out for goods that came back and whose way
	// the seller pays: what is paid back an agent says who accepts the goods. 0 pays nothing back, as where parcels are sent freight collect.
	// Default 2000; at most 10000000.
	// +optional
	// +kubebuilder:default=2000
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	FreightUpToFen *int64 `json:"freightUpToFen,omitempty"`

	// returnAddress is where goods are sent back to, with the recipient, as customers read it, at most 200 characters. Default: the
	// agent tells them.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	ReturnAddress string `json:"returnAddress,omitempty"`
}

// EvidenceReason is a reason for which photos may be wanted.
// +kubebuilder:validation:Enum=Quality;WrongItem;MissingItem;Damaged
type EvidenceReason string

// The reasons that are the seller's fault.
const (
	EvidenceForQuality     EvidenceReason = "Quality"
	EvidenceForWrongItem   EvidenceReason = "WrongItem"
	EvidenceForMissingItem EvidenceReason = "MissingItem"
	EvidenceForDamaged     EvidenceReason = "Damaged"
)

// RefundSpeed is when money is paid back for goods that come back.
// +kubebuilder:validation:Enum=OnReceipt;OnApproval;Instant
type RefundSpeed string

// The speeds, the slowest first.
const (
	RefundOnReceipt  RefundSpeed = "OnReceipt"
	RefundOnApproval RefundSpeed = "OnApproval"
	RefundInstant    RefundSpeed = "Instant"
)

// FreightInsurancePolicy says what is done for an order whose way back is insured.
// +kubebuilder:validation:Enum=Claim;Ignore
type FreightInsurancePolicy string

// What is done.
const (
	FreightInsuranceClaim  FreightInsurancePolicy = "Claim"
	FreightInsuranceIgnore FreightInsurancePolicy = "Ignore"
)

// TierRefundSpeed is how quickly customers of a tier are paid back.
type TierRefundSpeed struct {
	// tier of the customer, as desks give it, at most 63 characters. Default: customers without one.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Tier string `json:"tier,omitempty"`
	// speed is OnReceipt, OnApproval or Instant.
	// +required
	Speed RefundSpeed `json:"speed"`
	// upToFen is the largest amount in fen for which that holds; 0 bounds nothing. Default 0; at most 10000000.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	UpToFen int64 `json:"upToFen,omitempty"`
}

// PromotionWindow is a time in which all customers are paid back so quickly.
// +kubebuilder:validation:XValidation:rule="self.from <= self.until",message="until must not be before from: it is the promotion's last day"
type PromotionWindow struct {
	// from is its first day, as 2026-11-11, in the time zone of the SkillGroup's ShiftSchedule.
	// +required
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$')",message="write from as a date, for example 2026-11-11"
	From string `json:"from"`
	// until is its last day, as 2026-11-13.
	// +required
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$')",message="write until as a date, for example 2026-11-13"
	Until string `json:"until"`
	// speed is OnApproval or Instant.
	// +required
	// +kubebuilder:validation:XValidation:rule="self != 'OnReceipt'",message="speed must be OnApproval or Instant: on receipt is how quickly all are paid without a promotion"
	Speed RefundSpeed `json:"speed"`
	// upToFen is the largest amount in fen for which that holds; 0 bounds nothing. Default 0; at most 10000000.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	UpToFen int64 `json:"upToFen,omitempty"`
}
