package v1alpha1

// ResolutionSpec is how soon what customers ask is solved, by how hard it is. The clock starts when the conversation first comes into
// the queue of a group that is open and ends with the conversation. It stands still while the group is closed.
// +kubebuilder:validation:XValidation:rule="!has(self.common) || !has(self.general) || !self.common.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || !self.general.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self.common) <= duration(self.general)",message="common must not be longer than general; unless you set them they are 5m and 15m"
// +kubebuilder:validation:XValidation:rule="!has(self.general) || !has(self.complex) || !self.general.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || !self.complex.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self.general) <= duration(self.complex)",message="general must not be longer than complex; unless you set them they are 15m and 30m"
type ResolutionSpec struct {
	// common is the time for what is looked up, such as where an order is. After it the agent's desk is told. Default 5m; at least 1s,
	// at most 24h, and not longer than general.
	// +optional
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write common in hours, minutes and seconds, for example 5m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="common must be at least 1s and at most 24h"
	Common string `json:"common,omitempty"`

	// general is the time for what has to be explained or arranged, such as a return. After it the agent's desk is told. Default 15m;
	// at least 1s, at most 24h, and not longer than complex.
	// +optional
	// +kubebuilder:default="15m"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write general in hours, minutes and seconds, for example 15m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="general must be at least 1s and at most 24h"
	General string `json:"general,omitempty"`

	// complex is the time for what takes more than one agent. After it the desks of the supervisors among the group's agents are told,
	// too (of all supervisors where none is, of the admins where there are none). Default 30m; at least 1s, at most 24h.
	// +optional
	// +kubebuilder:default="30m"
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$')",message="write complex in hours, minutes and seconds, for example 30m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}h|[0-9]{1,5}m|[0-9]{1,7}s)+$') || duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="complex must be at least 1s and at most 24h"
	Complex string `json:"complex,omitempty"`

	// topics say how hard what conversations are about is, at most 64. The topic of a conversation is that of the Playbook's rule or FAQ
	// entry that handed it over. What is named here by none is General.
	// Default: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Topics []TopicClass `json:"topics,omitempty"`
}

// TopicClass says how hard a topic is.
type TopicClass struct {
	// name of the topic, as the Playbook's handOff.topic writes it, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// class is Common, General or Complex.
	// +required
	Class ResolutionClass `json:"class"`
}

// ResolutionClass is how hard it is to solve what a customer asks.
// +kubebuilder:validation:Enum=Common;General;Complex
type ResolutionClass string

// The classes.
const (
	ResolutionCommon  ResolutionClass = "Common"
	ResolutionGeneral ResolutionClass = "General"
	ResolutionComplex ResolutionClass = "Complex"
)
