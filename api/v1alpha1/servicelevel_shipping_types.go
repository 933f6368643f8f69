package v1alpha1

// ShippingSpec is how soon an order is sent that was paid, and how soon one is changed that a customer thinks better of before that.
// Supervisors of the group are told at the moment at which either is late. What began keeps what it began with.
type ShippingSpec struct {
	// within is within what time of its payment an order is sent. The clock of an order runs once the Brand's provider has reported its
	// payment to the desk, and counts from when it was paid. Default 48h; at least 1s, at most 720h.
	// +optional
	// +kubebuilder:default="48h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write within in hours, minutes and seconds, for example 48h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="within must be at least 1s and at most 720h"
	Within string `json:"within,omitempty"`

	// lateText is what the customer is told, once, when their order is not sent in time, at most 300 characters: for example 抱歉,
	// 您的订单发货晚了,我们正在加急处理。 It is sent where the platform lets it through. Default: nothing is said.
	// +optional
	// +kubebuilder:validation:MaxLength=300
	LateText string `json:"lateText,omitempty"`

	// changesWithin is within what time of the customer's word an order is cancelled, or sent to another address, by the provider or by
	// hand. Default 2h; at least 1s, at most 720h.
	// +optional
	// +kubebuilder:default="2h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write changesWithin in hours, minutes and seconds, for example 2h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('720h')",message="changesWithin must be at least 1s and at most 720h"
	ChangesWithin string `json:"changesWithin,omitempty"`

	// remindBefore is how long before either is due its agent is reminded, or the group where nobody in particular has it; of what is due sooner than twice that, after half of its time. Default 2h; at least 1s, at most 24h.
	// +optional
	// +kubebuilder:default="2h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write remindBefore in hours, minutes and seconds, for example 2h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="remindBefore must be at least 1s and at most 24h"
	RemindBefore string `json:"remindBefore,omitempty"`

	// ladder is who else is called while an order, or its change, is late, 1 to 5 rungs, each later than the one before. Default: the supervisors
	// after 30m, the admins after 4h.
	// +optional
	// +listType=atomic
	// +kubebuilder:default={{after: "30m", notify: Supervisor}, {after: "4h", notify: Admin}}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	// +kubebuilder:validation:XValidation:rule="self.all(i, r, i == 0 || !self[i-1].after.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || !r.after.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self[i-1].after) < duration(r.after))",message="each rung's after must be longer than the one before: it counts from when it was due"
	Ladder []LateRung `json:"ladder,omitempty"`
}
