package v1alpha1

// ObjectivesSpec is what a brand wants of its service as a whole. Every five minutes the routers measure what the customers of those
// Channels got whose ServiceLevel this is. The condition ObjectivesMet says how that compares, and so does the metric
// yingda_objective_ratio. What fewer than 20 customers tell counts as unknown. Conversations that ended because their Channel was
// deleted are left out. A change is measured anew within a minute, over conversations of before it as well.
// +kubebuilder:validation:XValidation:rule="has(self.answeredWithin) == has(self.answeredPercent)",message="answeredWithin and answeredPercent belong together: set both or neither"
// +kubebuilder:validation:XValidation:rule="has(self.answeredPercent) || has(self.resolvedPercent) || has(self.satisfaction) || has(self.botContainmentPercent)",message="set answeredPercent, resolvedPercent, satisfaction or botContainmentPercent: objectives without any measure nothing"
type ObjectivesSpec struct {
	// window is how far back is looked. A longer one tells of more customers, and notices later what becomes worse. Default 24h; at least 1h,
	// at most 168h.
	// +optional
	// +kubebuilder:default="24h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write window in hours, minutes and seconds, for example 24h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1h') && duration(self) <= duration('168h')",message="window must be at least 1h and at most 168h"
	Window string `json:"window,omitempty"`

	// answeredWithin is how soon a customer is to hear from a human, by the clock of firstResponse. At least 1s, at most 24h. It changes
	// nothing for agents: firstResponse tells them. Default: not measured.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write answeredWithin in hours, minutes and seconds, for example 2m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="answeredWithin must be at least 1s and at most 24h"
	AnsweredWithin string `json:"answeredWithin,omitempty"`

	// answeredPercent is of how many of the customers who wanted a human that is to be true: of the conversations that ended in the window
	// after they came into the queue of an open group. One that ended without a word of a human was not answered. 1 to 100.
	// Default: not measured.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	AnsweredPercent *int32 `json:"answeredPercent,omitempty"`

	// resolvedPercent is how many of the conversations that an agent had are to be solved: the customer did not come back within 24
	// hours, did not complain and did not rate it poorly. Those count that ended in a window which is over for 24 hours. 1 to 100.
	// Default: not measured.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	ResolvedPercent *int32 `json:"resolvedPercent,omitempty"`

	// satisfaction is what customers' ratings are to be on average, from "1" to "5" with at most one decimal, for example "4.5". Those count
	// that were given in the window. Of ThreeLevels, 满意 counts as 5, 一般 as 3 and 不满意 as 1. Default: not measured.
	// +optional
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:XValidation:rule="self.matches('^([1-4]([.][0-9])?|5([.]0)?)$')",message="write satisfaction as a number from 1 to 5 with at most one decimal, for example \"4.5\""
	Satisfaction string `json:"satisfaction,omitempty"`

	// botContainmentPercent is how many conversations are to end without a human, of all that ended in the window. One that only the bot
	// took part in ends a day after the customer's last message. 1 to 100. Default: not measured.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	BotContainmentPercent *int32 `json:"botContainmentPercent,omitempty"`
}
