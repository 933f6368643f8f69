package v1alpha1

// QualitySpec says which conversations are judged by somebody else than who had them, and until when.
//
// Every day at 04:00, in the time zone of the Brand's default ShiftSchedule (Asia/Shanghai without one), conversations that ended
// the day before are given to the supervisors, the same number to each: samplePercent of those of each agent and at least one,
// all with a poor rating, and all in which a customer waited too long. Nobody judges their own. Every Monday at 05:00 the week's
// questions are counted. It is the whole Brand's: what counts is the ServiceLevel that the Brand's defaults name, not a Channel's.
type QualitySpec struct {
	// samplePercent is how many of the conversations of each agent are judged, in percent, rounded up. Default 5; at least 0, at
	// most 100. With 0 only those are that were rated poorly or too slow.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	SamplePercent *int32 `json:"samplePercent,omitempty"`

	// reviewResponsesOver is the time for which a customer waited for an answer in the conversations that are judged for it. Only
	// what took longer than reply.reviewAfter is marked for review at all, so that a shorter time changes nothing. Default: all
	// that are marked; at least 1s, at most 24h.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write reviewResponsesOver in hours, minutes and seconds, for example 5m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="reviewResponsesOver must be at least 1s and at most 24h"
	ReviewResponsesOver string `json:"reviewResponsesOver,omitempty"`

	// dueWithin is within what time a conversation is to be judged, and an appeal to be decided, by the clock on the wall. What is
	// late is marked, and told once a day to who has it, or to the supervisors where nobody has. Default 48h; at least 1m, at most 720h.
	// +optional
	// +kubebuilder:default="48h"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write dueWithin in hours, minutes and seconds, for example 48h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1m') && duration(self) <= duration('720h')",message="dueWithin must be at least 1m and at most 720h"
	DueWithin string `json:"dueWithin,omitempty"`
}
