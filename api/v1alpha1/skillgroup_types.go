package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=sg,categories=yingda
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Agents",type=integer,JSONPath=`.status.agents`
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
	// conditions are Ready, derived from ReferencesResolved and Acknowledged.
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
}

// +kubebuilder:object:root=true

// SkillGroupList is a list of SkillGroups.
type SkillGroupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SkillGroup `json:"items"`
}
