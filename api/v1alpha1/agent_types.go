package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ag,categories=yingda
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="name an Agent with at most 63 characters: the Secret with the trial token is named after it"
// +kubebuilder:printcolumn:name="Name",type=string,JSONPath=`.spec.displayName`
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.spec.role`
// +kubebuilder:printcolumn:name="Capacity",type=integer,JSONPath=`.spec.capacity`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`

// Agent is a person who serves customers. Their labels decide which SkillGroups they belong to.
type Agent struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the brand declares. All of it but brandRef may be changed at any time, and is in force within a second.
	// +required
	Spec AgentSpec `json:"spec"`
	// status is what the operator reports.
	// +optional
	Status AgentStatus `json:"status,omitempty"`
}

// AgentRole is what a person may do at the desk.
// +kubebuilder:validation:Enum=Agent;Supervisor;Admin
type AgentRole string

// The roles, each with the rights of the one before. Complaint ladders notify by role.
const (
	RoleAgent      AgentRole = "Agent"
	RoleSupervisor AgentRole = "Supervisor"
	RoleAdmin      AgentRole = "Admin"
)

// AgentSpec declares an Agent.
// +kubebuilder:validation:XValidation:rule="self.brandRef == oldSelf.brandRef",message="brandRef is immutable; make a new Agent instead"
type AgentSpec struct {
	// brandRef names the Brand that this person works for. Cannot be changed.
	// +required
	BrandRef BrandReference `json:"brandRef"`

	// displayName is the name that colleagues see, at most 64 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	DisplayName string `json:"displayName"`

	// role at the desk: Agent, Supervisor or Admin. Default Agent. Supervisors and Admins see the conversations of all groups.
	// +optional
	// +kubebuilder:default=Agent
	Role AgentRole `json:"role,omitempty"`

	// skills are what the person can do, at most 32. SkillGroups with the strategy Skilled look at them. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Skills []AgentSkill `json:"skills,omitempty"`

	// capacity is how much the person serves at a time, 1 to 100; a chat takes 1. Default 5. Lowering it takes nothing away; it only stops new ones.
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Capacity int32 `json:"capacity,omitempty"`

	// onCall says whether the person is called when one of their groups has lacked agents for five minutes: Never or WhenShort.
	// Default Never. Who is called reads it at the workbench until enough are there, and is named in the event OnCallCalled of the
	// group, which alerting can pass on.
	// +optional
	// +kubebuilder:default=Never
	// +kubebuilder:validation:Enum=Never;WhenShort
	OnCall OnCall `json:"onCall,omitempty"`
}

// AgentSkill is something that a person can do.
type AgentSkill struct {
	// name of the skill, at most 63 characters, the same as in the routing rules that want it, for example refund or lang-en.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// level is how well the person does it, 1 to 5. Default 1.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=5
	Level int32 `json:"level,omitempty"`
}

// OnCall says when a person is called.
type OnCall string

// The times at which a person is called.
const (
	OnCallNever     OnCall = "Never"
	OnCallWhenShort OnCall = "WhenShort"
)

// AgentStatus reports on an Agent.
type AgentStatus struct {
	// conditions are Ready, derived from ReferencesResolved and Acknowledged.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// trialToken is the token with which the person signs in: there is no single sign-on yet.
	// +optional
	TrialToken *TrialTokenStatus `json:"trialToken,omitempty"`
}

// TrialTokenStatus says where an Agent's trial token lies and by which hash the desk knows it.
type TrialTokenStatus struct {
	// secretName is the Secret whose key token holds the token. Delete the Secret to get a new token; the old one dies with it.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`
	// sha256 of the token in lower-case hexadecimal. The token has 256 random bits, so that the hash gives nothing away.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	SHA256 string `json:"sha256,omitempty"`
}

// +kubebuilder:object:root=true

// AgentList is a list of Agents.
type AgentList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Agent `json:"items"`
}
