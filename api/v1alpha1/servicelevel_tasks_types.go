package v1alpha1

// PromiseSpec is what becomes of what an agent promised a customer until some time. Supervisors of the group are told at the
// moment at which it is late.
type PromiseSpec struct {
	// remindBefore is how long before a promise is due its agent is reminded; of a promise that is shorter than twice that,
	// after half of its time. Default 30m; at least 1s, at most 24h.
	// +optional
	// +kubebuilder:default="30m"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write remindBefore in hours, minutes and seconds, for example 30m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="remindBefore must be at least 1s and at most 24h"
	RemindBefore string `json:"remindBefore,omitempty"`

	// lateText is what the customer is told, once, when a promise to them is late, at most 300 characters: for example 抱歉,
	// 答应您的回复晚了,我们正在催办。 It is sent where the platform lets it through. Default: nothing is said.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	LateText string `json:"lateText,omitempty"`

	// ladder is who else is called while a late promise is not kept, at most 5 rungs, each later than the one before.
	// Default: nobody.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	// +kubebuilder:validation:XValidation:rule="self.all(i, r, i == 0 || !self[i-1].after.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || !r.after.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self[i-1].after) < duration(r.after))",message="each rung's after must be longer than the one before: it counts from when the promise was due"
	Ladder []LateRung `json:"ladder,omitempty"`
}

// FollowUpSpec is how soon customers are called who were not content, or who are to be asked by phone. Supervisors of the group
// are told at the moment at which a call is late.
type FollowUpSpec struct {
	// badRatingWithin is within what time a customer is called who rated the service badly. Every such rating opens a
	// call-back. Default 24h; at least 1s, at most 720h.
	// +optional
	// +kubebuilder:default="24h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write badRatingWithin in hours, minutes and seconds, for example 24h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="badRatingWithin must be at least 1s and at most 720h"
	BadRatingWithin string `json:"badRatingWithin,omitempty"`

	// surveyWithin is within what time a customer is called whom a supervisor wants to be asked by phone. Default 72h; at
	// least 1s, at most 720h.
	// +optional
	// +kubebuilder:default="72h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write surveyWithin in hours, minutes and seconds, for example 72h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="surveyWithin must be at least 1s and at most 720h"
	SurveyWithin string `json:"surveyWithin,omitempty"`

	// remindBefore is how long before a call, or the follow-up of a complaint, is due those are reminded who have to make it; of one that
	// is due sooner than twice that, after half of its time. Default 2h; at least 1s, at most 24h.
	// +optional
	// +kubebuilder:default="2h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write remindBefore in hours, minutes and seconds, for example 2h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="remindBefore must be at least 1s and at most 24h"
	RemindBefore string `json:"remindBefore,omitempty"`

	// ladder is who else is called while a late call is not made, at most 5 rungs, each later than the one before.
	// Default: nobody.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	// +kubebuilder:validation:XValidation:rule="self.all(i, r, i == 0 || !self[i-1].after.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || !r.after.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self[i-1].after) < duration(r.after))",message="each rung's after must be longer than the one before: it counts from when the call was due"
	Ladder []LateRung `json:"ladder,omitempty"`
}

// LateRung is one step of the ladder of what is late.
type LateRung struct {
	// after is the time since it was due, for example 1h; at least 1s, at most 720h.
	// +required
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write after in hours, minutes and seconds, for example 1h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="after must be at least 1s and at most 720h"
	After string `json:"after"`
	// notify is the role that is called: Supervisor or Admin.
	// +required
	// +kubebuilder:validation:XValidation:rule="self != 'Agent'",message="a ladder calls Supervisor or Admin: agents are told anyway"
	Notify AgentRole `json:"notify"`
}

// CompensationSpec is what may be offered to who complained. Without it nobody offers anything.
type CompensationSpec struct {
	// kinds are what may be offered, 1 to 4. Default: all of them, Gift, Points, Coupon and Refund.
	// +optional
	// +listType=set
	// +kubebuilder:default={Gift,Points,Coupon,Refund}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	Kinds []CompensationKind `json:"kinds,omitempty"`

	// limits are up to what worth a role offers by itself, 1 to 3 of them, over all that is offered for one complaint. What is worth more waits until
	// somebody of a role whose limit is high enough approves it. A role that is not listed offers nothing by itself; what is above
	// all limits is refused.
	// +required
	// +listType=map
	// +listMapKey=role
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	Limits []CompensationLimit `json:"limits"`
}

// CompensationKind is what is offered to who complained.
// +kubebuilder:validation:Enum=Gift;Points;Coupon;Refund
type CompensationKind string

// The kinds of compensation.
const (
	CompensationGift   CompensationKind = "Gift"
	CompensationPoints CompensationKind = "Points"
	CompensationCoupon CompensationKind = "Coupon"
	CompensationRefund CompensationKind = "Refund"
)

// CompensationLimit is up to what worth a role offers by itself.
type CompensationLimit struct {
	// role is Agent, Supervisor or Admin.
	// +required
	Role AgentRole `json:"role"`
	// upTo is the worth in fen, for example 2000 for 20 yuan; 0 to 10000000.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	UpTo int32 `json:"upTo"`
}
