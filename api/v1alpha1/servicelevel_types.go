package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=sl,categories=yingda
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Objectives",type=string,JSONPath=`.status.conditions[?(@.type=="ObjectivesMet")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`

// ServiceLevel is what a brand promises its customers, and what happens when a promise is late.
type ServiceLevel struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the brand declares. All of it may be changed at any time, and is in force within a second, for what begins after that;
	// objectives look back as well.
	// +required
	Spec ServiceLevelSpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	Status ServiceLevelStatus `json:"status,omitempty"`
}

// ServiceLevelSpec declares a ServiceLevel. A change counts for promises that start after it.
type ServiceLevelSpec struct {
	// firstResponse is how soon a customer who wants a human hears from one.
	// +optional
	// +kubebuilder:default={}
	FirstResponse FirstResponseSpec `json:"firstResponse,omitempty"`

	// reply is how quickly agents answer what customers write to them.
	// +optional
	// +kubebuilder:default={}
	Reply ReplySpec `json:"reply,omitempty"`

	// resolution is how soon what customers ask is solved.
	// +optional
	// +kubebuilder:default={}
	Resolution ResolutionSpec `json:"resolution,omitempty"`

	// complaint says how complaints climb until they are resolved.
	// +optional
	// +kubebuilder:default={}
	Complaint ComplaintSpec `json:"complaint,omitempty"`

	// offHours is the promise to who wrote while the group was closed.
	// +optional
	// +kubebuilder:default={}
	OffHours OffHoursSpec `json:"offHours,omitempty"`

	// emergency says when complaints are far more than usual, and what ends that.
	// +optional
	// +kubebuilder:default={}
	Emergency EmergencySpec `json:"emergency,omitempty"`

	// afterSales is what becomes of returns, exchanges, refunds and reissues, and until when.
	// +optional
	// +kubebuilder:default={}
	AfterSales AfterSalesSpec `json:"afterSales,omitempty"`

	// promise is what becomes of what agents promise customers.
	// +optional
	// +kubebuilder:default={}
	Promise PromiseSpec `json:"promise,omitempty"`

	// followUp is how soon customers are called who were not content.
	// +optional
	// +kubebuilder:default={}
	FollowUp FollowUpSpec `json:"followUp,omitempty"`

	// shipping is how soon an order is sent that was paid, and how soon one is changed before that.
	// +optional
	// +kubebuilder:default={}
	Shipping ShippingSpec `json:"shipping,omitempty"`

	// quality says which conversations are judged afterwards. Default: none, and nothing is counted.
	// +optional
	Quality *QualitySpec `json:"quality,omitempty"`

	// objectives are what the brand wants of its service as a whole. Default: none, and nothing is measured.
	// +optional
	Objectives *ObjectivesSpec `json:"objectives,omitempty"`
}

// FirstResponseSpec is how soon a customer who wants a human hears from one. The clock starts when the conversation first comes into the
// queue of a group that is open, so with the opening for who wrote in the night, and ends with the first words of a human, whichever
// group that is in. It stands still while the group is closed.
// +kubebuilder:validation:XValidation:rule="!has(self.target) || !has(self.limit) || !self.target.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || !self.limit.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self.target) <= duration(self.limit)",message="target must not be longer than limit; unless you set them they are 1m and 3m"
type FirstResponseSpec struct {
	// target is within what time a human is to say something. The metric yingda_desk_first_responses_total counts where that was so and
	// where it was not. Default 1m; at least 1s, at most 24h, and not longer than limit.
	// +optional
	// +kubebuilder:default="1m"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write target in hours, minutes and seconds, for example 1m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="target must be at least 1s and at most 24h"
	Target string `json:"target,omitempty"`

	// limit is the time after which somebody's desk is told, once a conversation: the agent's who has it, or, while nobody does, those
	// of the supervisors among the group's agents (of all supervisors where none is, of the admins where there are none). Default 3m;
	// at least 1s, at most 24h.
	// +optional
	// +kubebuilder:default="3m"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write limit in hours, minutes and seconds, for example 3m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="limit must be at least 1s and at most 24h"
	Limit string `json:"limit,omitempty"`
}

// ReplySpec is how quickly agents answer. The clock of an answer starts when an agent is given a conversation whose customer has no
// answer yet, or when the customer writes to the agent who has it. Only what a human says stops it: what the bot says does not, and
// what the customer writes meanwhile starts no other one. It stands still while the group is closed.
// +kubebuilder:validation:XValidation:rule="!has(self.target) || !has(self.warnAfter) || !self.target.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || !self.warnAfter.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self.target) <= duration(self.warnAfter)",message="target must not be longer than warnAfter; unless you set them they are 15s and 20s"
// +kubebuilder:validation:XValidation:rule="!has(self.warnAfter) || !has(self.reviewAfter) || !self.warnAfter.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || !self.reviewAfter.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self.warnAfter) <= duration(self.reviewAfter)",message="warnAfter must not be longer than reviewAfter; unless you set them they are 20s and 5m"
type ReplySpec struct {
	// target is within what time an answer is to come. The metric yingda_desk_replies_total counts which did and which did not.
	// Default 15s; at least 1s, at most 24h, and not longer than warnAfter.
	// +optional
	// +kubebuilder:default="15s"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write target in hours, minutes and seconds, for example 15s"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="target must be at least 1s and at most 24h"
	Target string `json:"target,omitempty"`

	// warnAfter is the time after which the agent's desk reminds them, once an answer. Default 20s; at least 1s, at most 24h, and not
	// longer than reviewAfter.
	// +optional
	// +kubebuilder:default="20s"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write warnAfter in hours, minutes and seconds, for example 20s"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="warnAfter must be at least 1s and at most 24h"
	WarnAfter string `json:"warnAfter,omitempty"`

	// reviewAfter marks a conversation for the supervisors to look at: one in which an answer took longer, the first of a
	// human since the customer was queued, or that was ended after that time without one. Default 5m; at least 1s, at most 24h.
	// +optional
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write reviewAfter in hours, minutes and seconds, for example 5m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="reviewAfter must be at least 1s and at most 24h"
	ReviewAfter string `json:"reviewAfter,omitempty"`
}

// ComplaintSpec is the ladder of a complaint and its follow-up.
type ComplaintSpec struct {
	// ladder of escalation while the complaint is not resolved, 1 to 5 rungs, each later than the one before.
	// Default: the supervisors after 1h.
	// +optional
	// +listType=atomic
	// +kubebuilder:default={{after: "1h", notify: Supervisor}}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	// +kubebuilder:validation:XValidation:rule="self.all(i, r, i == 0 || !self[i-1].after.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || !r.after.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self[i-1].after) < duration(r.after))",message="each rung's after must be longer than the one before: it counts from the start of the complaint"
	Ladder []EscalationRung `json:"ladder,omitempty"`

	// followUpWithinDays is within how many days of the resolution the customer is asked again, 1 to 30. Default 3.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=30
	FollowUpWithinDays int32 `json:"followUpWithinDays,omitempty"`

	// compensation is what may be offered to who complained, and by whom. Default: nothing.
	// +optional
	Compensation *CompensationSpec `json:"compensation,omitempty"`
}

// EscalationRung is one step of a ladder.
type EscalationRung struct {
	// after is the time since the complaint started, for example 1h; at least 1s, at most 720h.
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

// OffHoursSpec is the promise to who wrote while the group was closed.
type OffHoursSpec struct {
	// answerWithin is the time after the next opening within which the message is answered. Default 1h; at least 1m, at most 24h.
	// +optional
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write answerWithin in hours, minutes and seconds, for example 1h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="answerWithin must be at least 1m and at most 24h"
	AnswerWithin string `json:"answerWithin,omitempty"`
}

// ServiceLevelStatus reports on a ServiceLevel.
type ServiceLevelStatus struct {
	// conditions are Ready, derived from Valid and Acknowledged; beside it ObjectivesMet, with objectives.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

// +kubebuilder:object:root=true

// ServiceLevelList is a list of ServiceLevels.
type ServiceLevelList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ServiceLevel `json:"items"`
}
