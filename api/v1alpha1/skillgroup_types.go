package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.seats.asked,statuspath=.status.seats.onDuty
// +kubebuilder:resource:shortName=sg,categories=yingda
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Staffed",type=string,JSONPath=`.status.conditions[?(@.type=="Staffed")].status`
// +kubebuilder:printcolumn:name="On-Duty",type=integer,JSONPath=`.status.seats.onDuty`
// +kubebuilder:printcolumn:name="Wanted",type=integer,JSONPath=`.status.seats.wanted`
// +kubebuilder:printcolumn:name="Agents",type=integer,priority=1,JSONPath=`.status.agents`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`

// SkillGroup is a team of agents with one queue. The next conversation goes to the agent with the smallest share of their
// capacity in use, and among equals to the one who has waited longest.
type SkillGroup struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the brand declares.
	// +required
	Spec SkillGroupSpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	Status SkillGroupStatus `json:"status,omitempty"`
}

// SkillGroupSpec declares a SkillGroup.
// +kubebuilder:validation:XValidation:rule="self.brandRef == oldSelf.brandRef",message="brandRef is immutable; make a new SkillGroup instead"
type SkillGroupSpec struct {
	// brandRef names the Brand that this group belongs to. Immutable.
	// +required
	BrandRef BrandReference `json:"brandRef"`

	// displayName is the name that agents see, at most 64 characters. Default: the object's name.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	DisplayName string `json:"displayName,omitempty"`

	// agentSelector chooses the group's agents among the Brand's Agents by their labels. An empty selector chooses all of them.
	// +required
	AgentSelector metav1.LabelSelector `json:"agentSelector"`

	// scheduleRef names the ShiftSchedule which decides when the group is open. Default: the Brand's; without either it is always open.
	// +optional
	ScheduleRef *ShiftScheduleReference `json:"scheduleRef,omitempty"`

	// priorities move conversations forward in the queue, at most 32 rules; the sums of those that match are compared, then the time of waiting.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Priorities []PriorityRule `json:"priorities,omitempty"`

	// seats bounds how many of the group's agents are wanted on duty. How many are is up to the schedule, and to whoever asks for
	// more: the larger of the two, within min and max. Whether that many are on duty is the condition Staffed.
	// +optional
	// +kubebuilder:default={}
	Seats SkillGroupSeats `json:"seats,omitempty"`
}

// SkillGroupSeats bounds how many of a group's agents are wanted on duty.
// +kubebuilder:validation:XValidation:rule="!has(self.max) || self.max >= self.min",message="max must not be less than min"
type SkillGroupSeats struct {
	// asked is how many seats somebody asks for beyond the schedule, 0 to 10000. Default 0. It is the field of the scale
	// subresource, set by `kubectl scale skillgroup/after-sales --replicas=5` and taken back by `--replicas=0`. Never put it into
	// Git: a tool that owns it would undo what people ask for. More than max may be asked for and is not wanted.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	Asked *int32 `json:"asked,omitempty"`

	// min is the least number of seats that are wanted, 0 to 10000, also while the schedule is closed. Default 0.
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	Min *int32 `json:"min,omitempty"`

	// max is the largest number of seats that are wanted, whatever the schedule says and people ask for: 1 to 10000, and at least
	// min. Default: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Max *int32 `json:"max,omitempty"`
}

// PriorityRule adds to the priority of conversations.
type PriorityRule struct {
	// name of the rule.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// when says which conversations match.
	// +required
	When PriorityMatch `json:"when"`
	// add is what is added to the priority, 1 to 1000.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Add int32 `json:"add"`
}

// PriorityMatch matches conversations.
type PriorityMatch struct {
	// topics are topics that a Playbook rule handed the conversation off with, 1 to 16.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	Topics []string `json:"topics"`
}

// SkillGroupStatus reports on a SkillGroup.
type SkillGroupStatus struct {
	// conditions are Ready, derived from ReferencesResolved and Acknowledged; beside it Staffed.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// agents is the number of Agents that the selector chooses.
	// +optional
	Agents int32 `json:"agents,omitempty"`
	// seats says how many agents are wanted on duty now, why, and how many are.
	// +optional
	Seats *SkillGroupSeatsStatus `json:"seats,omitempty"`
}

// SkillGroupSeatsStatus reports on the seats of a SkillGroup.
type SkillGroupSeatsStatus struct {
	// scheduled is how many seats the group's ShiftSchedule wants now: those of the peak that is on, else of the shift, 0 while it
	// is closed. Absent without a schedule.
	// +optional
	Scheduled *int32 `json:"scheduled,omitempty"`
	// asked is how many seats somebody asks for. Absent when nobody does.
	// +optional
	Asked *int32 `json:"asked,omitempty"`
	// onDuty is how many of the group's agents are on duty, at most 15 seconds old. Absent while no replica of the desk can say.
	// +optional
	OnDuty *int32 `json:"onDuty,omitempty"`
	// wanted is the larger of scheduled and asked, within spec.seats.min and max. Absent while nobody can say what the schedule
	// wants.
	// +optional
	Wanted *int32 `json:"wanted,omitempty"`
	// reason says why that many are wanted.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Reason string `json:"reason,omitempty"`
}

// +kubebuilder:object:root=true

// SkillGroupList is a list of SkillGroups.
type SkillGroupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SkillGroup `json:"items"`
}
