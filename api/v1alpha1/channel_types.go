package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=chan,categories=yingda
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Waits-For",type=string,JSONPath=`.status.waitsFor`
// +kubebuilder:printcolumn:name="Webhook",type=string,JSONPath=`.status.webhookURL`
// +kubebuilder:printcolumn:name="Connector",type=string,JSONPath=`.status.connector.name`
// +kubebuilder:printcolumn:name="Wanted",type=integer,JSONPath=`.status.connector.wantedReplicas`
// +kubebuilder:printcolumn:name="Running",type=integer,JSONPath=`.status.connector.readyReplicas`
// +kubebuilder:printcolumn:name="Why",type=string,JSONPath=`.status.connector.reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() || self.spec.isolation != 'Dedicated' || self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) + size(self.spec.brandRef.name) <= (self.spec.type == 'OfficialAccount' ? 46 : 50)",optionalOldSelf=true,message="name a Dedicated Channel in lower-case letters, digits and hyphens, at most 50 characters together with its Brand's name, or 46 where its type is OfficialAccount: its Service is named after both and the type"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.exposure) || size(self.metadata.name) <= 245",message="name an exposed Channel with at most 245 characters: its route is named after it"

// Channel is one way by which customers reach a brand. Channels of one Brand and type share a pool of connectors, but for
// those that are Dedicated.
//
// A Channel that is deleted takes no more messages from its platform, and goes once what was on its way to customers is
// settled, at the latest after two minutes; an event then says how many messages were not.
type Channel struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the brand declares. All of it but brandRef, type, isolation and the account's appID may be changed at any time, and is in
	// force within a second; no pod rolls.
	// +required
	Spec ChannelSpec `json:"spec"`
	// status is what the operator and the data plane report.
	// +optional
	Status ChannelStatus `json:"status,omitempty"`
}

// ChannelType is the protocol of a Channel.
// +kubebuilder:validation:Enum=MiniProgram;OfficialAccount
type ChannelType string

// The types of Channels.
const (
	// ChannelTypeMiniProgram is a WeChat mini-program's customer service.
	ChannelTypeMiniProgram ChannelType = "MiniProgram"
	// ChannelTypeOfficialAccount is a WeChat official account (公众号).
	ChannelTypeOfficialAccount ChannelType = "OfficialAccount"
)

// ChannelSpec declares a Channel. Exactly the member that spec.type names is set.
// +kubebuilder:validation:XValidation:rule="(self.type == 'MiniProgram') == has(self.miniProgram)",message="set spec.miniProgram exactly when spec.type is MiniProgram"
// +kubebuilder:validation:XValidation:rule="(self.type == 'OfficialAccount') == has(self.officialAccount)",message="set spec.officialAccount exactly when spec.type is OfficialAccount"
// +kubebuilder:validation:XValidation:rule="!has(self.routing) || self.routing.all(r, !has(r.when.entryPoints) || r.when.entryPoints.all(e, has(self.entryPoints) && self.entryPoints.exists(p, p.name == e)))",message="routing rules may name only entry points that spec.entryPoints declares"
// +kubebuilder:validation:XValidation:rule="self.brandRef == oldSelf.brandRef",message="brandRef is immutable: customers and conversations belong to a brand; make a new Channel instead"
// +kubebuilder:validation:XValidation:rule="self.isolation == oldSelf.isolation",message="isolation is immutable: messages on their way to customers would be left in the pool of before; make a new Channel instead"
type ChannelSpec struct {
	// brandRef names the Brand that this Channel belongs to. Cannot be changed.
	// +required
	BrandRef BrandReference `json:"brandRef"`

	// displayName is the name that agents see, at most 64 characters. Default: the object's name.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	DisplayName string `json:"displayName,omitempty"`

	// type is the protocol: MiniProgram or OfficialAccount. Cannot be changed.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="type is immutable; make a new Channel instead"
	Type ChannelType `json:"type"`

	// isolation says who runs the Channel: Shared, by the pool of connectors of its Brand and type, or Dedicated, by a pool of
	// its own with its own Deployment, Service, ServiceAccount and outbound topic. Default Shared. Cannot be changed. Dedicated is for
	// a Channel whose load or credentials must not meet those of others; it costs a pod, and the login of connectors needs the
	// right to create its topic. Its name is of lower-case letters, digits and hyphens, and together with its Brand's at most 50
	// characters long, 46 for an OfficialAccount.
	// +optional
	// +kubebuilder:default=Shared
	Isolation Isolation `json:"isolation,omitempty"`

	// miniProgram configures a Channel of type MiniProgram.
	// +optional
	MiniProgram *MiniProgramSpec `json:"miniProgram,omitempty"`

	// officialAccount configures a Channel of type OfficialAccount.
	// +optional
	OfficialAccount *OfficialAccountSpec `json:"officialAccount,omitempty"`

	// playbookRef names the Playbook. Default: the Brand's.
	// +optional
	PlaybookRef *PlaybookReference `json:"playbookRef,omitempty"`

	// serviceLevelRef names the ServiceLevel. Default: the Brand's.
	// +optional
	ServiceLevelRef *ServiceLevelReference `json:"serviceLevelRef,omitempty"`

	// entryPoints name the places from which customers come, at most 32; routing rules refer to them. In a mini-program they
	// are contact buttons, of an official account QR codes with a scene. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	EntryPoints []EntryPoint `json:"entryPoints,omitempty"`

	// routing gives conversations and after-sales cases to skill groups, at most 64 rules; the first that matches wins. A conversation that
	// none claims goes to the Brand's default group, a case stays with the group of its conversation. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Routing []RoutingRule `json:"routing,omitempty"`

	// exposure routes the Channel's webhook in from the platform. Default: none; the pool's Service is then reached as the
	// operator was told (a port on every node, or your own route to it).
	// +optional
	Exposure *ExposureSpec `json:"exposure,omitempty"`

	// scaling sets how many replicas the Channel's pool has. A pool takes the largest of each number that its Channels ask for.
	// +optional
	// +kubebuilder:default={}
	Scaling ScalingSpec `json:"scaling,omitempty"`
}

// Isolation says who runs a Channel.
// +kubebuilder:validation:Enum=Shared;Dedicated
type Isolation string

// The isolations.
const (
	// IsolationShared is the pool of all Channels of the Brand and type.
	IsolationShared Isolation = "Shared"
	// IsolationDedicated is a pool of the Channel's own.
	IsolationDedicated Isolation = "Dedicated"
)

// EntryPoint is a place from which customers come, recognised by the session-from attribute of a mini-program's contact
// button or by the scene of an official account's QR code.
type EntryPoint struct {
	// name by which routing rules refer to the entry point, at most 63 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// sessionFromPrefix is how the button's session-from, or the QR code's scene, starts, at most 256 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	SessionFromPrefix string `json:"sessionFromPrefix"`
}

// RoutingRule gives matching conversations, or after-sales cases, to a skill group.
// +kubebuilder:validation:XValidation:rule="!has(self.wants) || !has(self.when.afterSales)",message="wants are what agents need for conversations: leave them out of a rule for afterSales"
type RoutingRule struct {
	// name of the rule, at most 63 characters, shown to agents as the reason of an assignment.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// when says which conversations, or which cases, match.
	// +required
	When RoutingMatch `json:"when"`
	// skillGroupRef names the group that gets them.
	// +required
	SkillGroupRef SkillGroupReference `json:"skillGroupRef"`
	// wants are the skills that an agent needs to serve them, at most 8, all of them. They count where the group's
	// `spec.assignment.strategy` is Skilled; how long they are waited for is up to its relaxSkillsAfter. Default: none.
	// +optional
	// +listType=map
	// +listMapKey=skill
	// +kubebuilder:validation:MaxItems=8
	Wants []WantedSkill `json:"wants,omitempty"`
}

// WantedSkill is a skill that an agent needs.
type WantedSkill struct {
	// skill is its name, at most 63 characters, the same as in `spec.skills` of Agents.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Skill string `json:"skill"`
	// minLevel is the lowest level that will do, 1 to 5. Default 1.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=5
	MinLevel int32 `json:"minLevel,omitempty"`
}

// RoutingMatch matches a conversation when every list that is set has an entry that applies, or an after-sales case by its reason.
// +kubebuilder:validation:XValidation:rule="has(self.entryPoints) || has(self.keywords) || has(self.topics) || has(self.afterSales)",message="set at least one of entryPoints, keywords, topics and afterSales; for a catch-all use the Brand's defaults.skillGroupRef"
// +kubebuilder:validation:XValidation:rule="!has(self.afterSales) || !has(self.entryPoints) && !has(self.keywords) && !has(self.topics)",message="afterSales matches cases, the others match conversations: make two rules"
type RoutingMatch struct {
	// entryPoints are names from spec.entryPoints, 1 to 16 of at most 63 characters.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	EntryPoints []string `json:"entryPoints,omitempty"`
	// keywords are words of which the customer's text holds one, 1 to 64 of at most 32 characters; case does not matter.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=32
	Keywords []string `json:"keywords,omitempty"`
	// topics are topics that a Playbook rule handed the conversation off with, 1 to 16 of at most 63 characters.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	Topics []string `json:"topics,omitempty"`
	// afterSales are 1 to 6 reasons of after-sales cases: NoReason, Quality, WrongItem, MissingItem, Damaged and Other. The group decides on such
	// cases, whichever group has the conversation. Not together with the others.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=6
	AfterSales []AfterSalesReason `json:"afterSales,omitempty"`
}

// AfterSalesReason is why a customer applies for a return, an exchange, a refund or a reissue.
// +kubebuilder:validation:Enum=NoReason;Quality;WrongItem;MissingItem;Damaged;Other
type AfterSalesReason string

// ScalingSpec says how many replicas a connector pool has.
// +kubebuilder:validation:XValidation:rule="!has(self.peakReplicas) || self.peakReplicas >= self.minReplicas",message="peakReplicas must be at least minReplicas: it is what runs for a peak"
// +kubebuilder:validation:XValidation:rule="!has(self.maxReplicas) || self.maxReplicas >= self.minReplicas && (!has(self.peakReplicas) || self.maxReplicas >= self.peakReplicas)",message="maxReplicas must be at least minReplicas and peakReplicas"
type ScalingSpec struct {
	// minReplicas is how many replicas always run, 1 to 100. Default 1.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MinReplicas int32 `json:"minReplicas,omitempty"`

	PeakScaling `json:",inline"`
}

// ChannelStatus reports on a Channel.
type ChannelStatus struct {
	// conditions are Ready, derived from ReferencesResolved, Acknowledged, ConnectorAvailable and CredentialsValid; beside them WebhookVerified, PermissionGranted (which holds Ready back while the account may not send), QuotaHealthy, with a menu MenuPublished, with keys in it MenuAnswered, and with an exposure Exposed.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// waitsFor names the conditions beside Ready that are False, each with its reason: what works only once somebody has done
	// something, which their messages say. Empty where nothing does.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	WaitsFor string `json:"waitsFor,omitempty"`
	// webhookURL is what to enter in the platform's console.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	WebhookURL string `json:"webhookURL,omitempty"`
	// connector is the pool that serves this Channel.
	// +optional
	Connector *ConnectorStatus `json:"connector,omitempty"`
	// menu is the declared menu as the official account shows it; missing before the first was published.
	// +optional
	Menu *MenuStatus `json:"menu,omitempty"`
}

// MenuStatus is the menu that an official account shows.
type MenuStatus struct {
	// generation of the Channel whose menu it is.
	// +optional
	Generation int64 `json:"generation,omitempty"`
}

// ConnectorStatus is the pool that serves a Channel.
type ConnectorStatus struct {
	// name of the pool's Deployment.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	ReplicasStatus `json:",inline"`
}

// +kubebuilder:object:root=true

// ChannelList is a list of Channels.
type ChannelList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Channel `json:"items"`
}
