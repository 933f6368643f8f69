package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=br,categories=yingda
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$')",message="name a Brand with at most 40 lower-case letters, digits and hyphens, starting with a letter: Services, topics and logins are named after it"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Desk",type=string,JSONPath=`.status.deskURL`
// +kubebuilder:printcolumn:name="Reachable",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="DependenciesReachable")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`

// Brand is one brand's customer service: where its messages, promises and memory live. From it the operator makes the
// Kafka topics, the database schema, the router, the workflow worker and the desk.
type Brand struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what the brand declares. All of it but kafka.topics.prefix, partitions and replicationFactor and temporal.namespace may be
	// changed at any time. Most is in force within a second, and no pod rolls. Where kafka, temporal, postgres or
	// privacy.encryptionKeySecretRef change, or what is in a Secret that they name, setup runs anew, and then the pods that use it
	// roll, without a message that waits. The pods that mount a Secret of onCall, provider or mail roll when another one is named.
	// +required
	Spec BrandSpec `json:"spec"`
	// status is what the operator and the data plane report.
	// +optional
	Status BrandStatus `json:"status,omitempty"`
}

// BrandSpec declares a Brand.
type BrandSpec struct {
	// displayName is the name that customers and agents see, at most 64 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	DisplayName string `json:"displayName"`

	// kafka is where the brand's messages travel.
	// +required
	Kafka KafkaConnection `json:"kafka"`

	// temporal is where the brand's promises of hours and days are kept.
	// +required
	Temporal TemporalConnection `json:"temporal"`

	// postgres is where the brand's customers, conversations and cases are remembered.
	// +required
	Postgres PostgresConnection `json:"postgres"`

	// privacy says how what customers write is protected. Default: the brand's own keys are neither wrapped nor replaced, and conversations
	// are kept for ever.
	// +optional
	Privacy *PrivacySpec `json:"privacy,omitempty"`

	// desk configures the agents' workbench.
	// +optional
	// +kubebuilder:default={}
	Desk DeskSpec `json:"desk,omitempty"`

	// router configures the conversation engine.
	// +optional
	// +kubebuilder:default={}
	Router RouterSpec `json:"router,omitempty"`

	// defaults are what a Channel or SkillGroup that names none gets. Default: none.
	// +optional
	Defaults BrandDefaults `json:"defaults,omitempty"`

	// onCall says who else is told when the agents on call are called. Default: nobody; an event and their workbench tell it anyway.
	// +optional
	OnCall *BrandOnCall `json:"onCall,omitempty"`

	// provider is the brand's own program that pays customers back, sends them goods, claims freight insurance, and knows and changes
	// orders. Default: people do it, and say so at the desk.
	// +optional
	Provider *BrandProvider `json:"provider,omitempty"`

	// mail is the mail server by which customers who gave an address hear of their cases where neither a text nor a notice reaches them.
	// Default: they are not written to, and the group is told to reach them.
	// +optional
	Mail *BrandMail `json:"mail,omitempty"`

	// deletionPolicy says what becomes of the topics, the database's contents and the Temporal namespace when the Brand is
	// deleted: Retain keeps them, and a Brand of the same name and namespace finds them again; Delete removes them for good.
	// Default Retain.
	// +optional
	// +kubebuilder:default=Retain
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// DeletionPolicy says what becomes of a Brand's data when it is deleted.
// +kubebuilder:validation:Enum=Retain;Delete
type DeletionPolicy string

// The deletion policies.
const (
	DeletionPolicyRetain DeletionPolicy = "Retain"
	DeletionPolicyDelete DeletionPolicy = "Delete"
)

// KafkaConnection is a Kafka cluster and the brand's topics on it.
// +kubebuilder:validation:XValidation:rule="!has(self.sasl) || self.sasl.mechanism != 'PLAIN' || has(self.tls)",message="PLAIN would send the password in plain text: set spec.kafka.tls as well (tls: {} for brokers whose certificates a public authority signed), or choose the mechanism SCRAM-SHA-512"
type KafkaConnection struct {
	// bootstrapServers are host:port addresses of brokers, 1 to 16 of at most 253 characters.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.all(s, s.matches('^[^:/]+:[0-9]{1,5}$'))",message="write each bootstrap server as host:port, for example kafka.infra:9092"
	BootstrapServers []string `json:"bootstrapServers"`

	// tls secures the connections to all brokers. {} trusts the authorities that browsers trust. TLS 1.2 or later; a broker's certificate
	// must hold the name by which the broker is listed or advertised. May be changed: the new connection is set up before pods roll.
	// Default: connections are in plain text.
	// +optional
	TLS *KafkaTLS `json:"tls,omitempty"`

	// sasl is how the brand's pods sign in to the brokers. One user serves setup, router, desk and connectors: grant it all operations on
	// topics and consumer groups that start with the prefix, the Brand's namespace and its name, joined by dots. May be changed: the
	// new connection is set up before pods roll. Default: they do not sign in.
	// +optional
	SASL *KafkaSASL `json:"sasl,omitempty"`

	// topics are the brand's topics.
	// +optional
	// +kubebuilder:default={}
	Topics TopicsSpec `json:"topics,omitempty"`
}

// KafkaTLS says whom to trust, and who one is, on connections to brokers.
type KafkaTLS struct {
	// caSecretRef names the Secret whose key ca.crt holds the certificates, in PEM, of the authorities that signed those of the
	// brokers. Default: the authorities that browsers trust.
	// +optional
	CASecretRef *CredentialsReference `json:"caSecretRef,omitempty"`

	// clientSecretRef names the Secret whose keys tls.crt and tls.key hold a client certificate and its key, in PEM, for brokers
	// that want one. It may be the Secret of caSecretRef. Default: pods show no certificate.
	// +optional
	ClientSecretRef *CredentialsReference `json:"clientSecretRef,omitempty"`
}

// KafkaSASLMechanism is a way to sign in.
// +kubebuilder:validation:Enum=PLAIN;SCRAM-SHA-256;SCRAM-SHA-512
type KafkaSASLMechanism string

// The mechanisms, by the names that Kafka gives them.
const (
	// KafkaSASLPlain sends the password itself, and so wants tls.
	KafkaSASLPlain KafkaSASLMechanism = "PLAIN"
	// KafkaSASLScramSHA256 proves that the password is known, by SHA-256.
	KafkaSASLScramSHA256 KafkaSASLMechanism = "SCRAM-SHA-256"
	// KafkaSASLScramSHA512 proves it by SHA-512.
	KafkaSASLScramSHA512 KafkaSASLMechanism = "SCRAM-SHA-512"
)

// KafkaSASL is a user of Kafka.
type KafkaSASL struct {
	// mechanism is one that the brokers' listener has: PLAIN (with tls only), SCRAM-SHA-256 or SCRAM-SHA-512.
	// +required
	Mechanism KafkaSASLMechanism `json:"mechanism"`

	// secretRef names the Secret whose keys username and password are the user's.
	// +required
	SecretRef CredentialsReference `json:"secretRef"`
}

// TopicsSpec says how the brand's topics are made.
type TopicsSpec struct {
	// prefix starts the name of every topic and consumer group, at most 63 lower-case letters, digits, dots and hyphens. Default yingda.
	// Cannot be changed: renamed topics would lose messages.
	// +optional
	// +kubebuilder:default=yingda
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",message="write prefix in lower-case letters, digits, dots and hyphens, with a letter or digit at both ends, for example yingda"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="prefix is immutable: renamed topics would lose messages; make a new Brand instead"
	Prefix string `json:"prefix,omitempty"`

	// partitions of each topic, 1 to 256. Default 12. Cannot be changed: more partitions would give customers other partitions and break their order.
	// +optional
	// +kubebuilder:default=12
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="partitions is immutable: growing a topic re-keys its customers; make a new Brand instead"
	Partitions int32 `json:"partitions,omitempty"`

	// replicationFactor of each topic, 1 to 5. Default 3; a single-node Kafka needs 1. Cannot be changed: topics keep the replicas they
	// were made with, until somebody reassigns their partitions in Kafka.
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=5
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="replicationFactor is immutable: it holds when topics are made; to change the replicas of these, reassign their partitions with Kafka's own tools and leave this field, or make a new Brand"
	ReplicationFactor int32 `json:"replicationFactor,omitempty"`

	// retentionDays is how long Kafka keeps messages, 1 to 30 days. Default 7. May be changed: setup sets it on the topics that there are.
	// +optional
	// +kubebuilder:default=7
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=30
	RetentionDays int32 `json:"retentionDays,omitempty"`
}

// TemporalConnection is a Temporal service and the brand's namespace on it.
// +kubebuilder:validation:XValidation:rule="has(self.__namespace__) == has(oldSelf.__namespace__) && (!has(self.__namespace__) || self.__namespace__ == oldSelf.__namespace__)",message="the Temporal namespace is immutable, and so is leaving it to its default: running promises would be lost; make a new Brand instead"
type TemporalConnection struct {
	// address of Temporal's frontend as host:port, at most 253 characters.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^:/]+:[0-9]{1,5}$')",message="write the Temporal address as host:port, for example temporal.infra:7233"
	Address string `json:"address"`

	// namespace on the Temporal service, at most 127 characters; made when missing. Default: the Brand's Kubernetes namespace and name joined
	// by a hyphen. Cannot be changed, nor can it be set later: cases that run would be lost.
	// It belongs to one Brand: of two with one namespace of one service the later waits (DuplicateTemporalNamespace).
	// +optional
	// +kubebuilder:validation:MaxLength=127
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9][A-Za-z0-9_.-]*$')",message="write the Temporal namespace in letters, digits, dots, underscores and hyphens, starting with a letter or digit, for example lumi-prod"
	Namespace string `json:"namespace,omitempty"`

	// tls secures the connection. {} trusts the authorities that browsers trust. TLS 1.2 or later. May be changed: the new connection is
	// set up before pods roll. Default: the connection is in plain text.
	// +optional
	TLS *TemporalTLS `json:"tls,omitempty"`
}

// TemporalTLS says whom to trust, and who one is, on the connection to Temporal.
type TemporalTLS struct {
	// secretRef names the Secret with, all in PEM, the key ca.crt, the certificates of the authorities that signed the
	// frontend's, and the keys tls.crt and tls.key, a client certificate and its key for a frontend that wants one; the two come together.
	// Default: the authorities that browsers trust, and no certificate.
	// +optional
	SecretRef *CredentialsReference `json:"secretRef,omitempty"`

	// serverName is the name that the frontend's certificate must hold, at most 253 characters. Default: the host of address.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$')",message="write serverName as a host name without a port, for example temporal.infra"
	ServerName string `json:"serverName,omitempty"`
}

// PostgresConnection is the brand's database.
// +kubebuilder:validation:XValidation:rule="!has(self.connectorSecretRef) || self.connectorSecretRef.name != self.secretRef.name",message="connectorSecretRef must name another Secret than secretRef; leave it out to let connectors use the owner's login"
type PostgresConnection struct {
	// secretRef names the Secret whose key url is the connection string of the database's owner
	// (postgres://user:password@host:port/database). The database belongs to one Brand: of two with one Secret the later waits
	// (DuplicateDatabase). Secrets are not read for this, so give each Brand a database of its own.
	// +required
	SecretRef CredentialsReference `json:"secretRef"`

	// connectorSecretRef names a second Secret whose key url is the connection string of connectors: the same database with a
	// login that owns nothing. Setup grants that login what connectors need, and connector pods mount this Secret alone.
	// Recommended wherever connectors are reached from outside: who breaks into one would else hold the login that owns the brand's
	// data. Default: secretRef, which their pods mount then.
	// +optional
	ConnectorSecretRef *CredentialsReference `json:"connectorSecretRef,omitempty"`
}

// PrivacySpec says how what customers write is protected. All that Temporal is given of a case is encrypted, also without it.
type PrivacySpec struct {
	// encryptionKeySecretRef names the Secret whose key "key", 32 random bytes in base64 (openssl rand -base64 32), wraps the keys
	// by which the brand's data are encrypted. These are made once and kept in the brand's Postgres, so that without it who has a
	// copy of the database has them, too. To replace "key", leave the one of before beside it under "previousKey"
	// until the Brand is Ready again. May be added and changed: the keys are wrapped anew before pods roll. It is not to be taken
	// away again, nor the key lost: what is encrypted could then be read by nobody. Default: the keys are not wrapped.
	// +optional
	EncryptionKeySecretRef *CredentialsReference `json:"encryptionKeySecretRef,omitempty"`

	// keyRotationDays is the age at which the key that encrypts the brand's data is replaced by a new one, 1 to 3650 days. A new key is
	// made, and encrypts once every replica has it, some ten minutes later; nothing is encrypted anew, and those of before go on
	// decrypting for ever. Needs nothing of encryptionKeySecretRef and leaves it as it is. May be changed; no pod rolls. Default: never.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	KeyRotationDays *int32 `json:"keyRotationDays,omitempty"`

	// rotateKeysAfter has a key that was made before this time replaced once it has come, as keyRotationDays does: the time of now replaces
	// the key at once. May be changed; no pod rolls. Default: none.
	// +optional
	RotateKeysAfter *metav1.Time `json:"rotateKeysAfter,omitempty"`

	// retentionDays is for how long after its end a conversation is kept, 30 to 3650 days. What is older is erased within hours: what
	// was said and sent, ratings, reviews, cases and complaints that have ended, and what is known of customers who have nothing
	// else left. A conversation that an open case or complaint comes from stays until that has ended. May be changed; a lower
	// value erases at once. Default: conversations are kept for ever.
	// +optional
	// +kubebuilder:validation:Minimum=30
	// +kubebuilder:validation:Maximum=3650
	RetentionDays *int32 `json:"retentionDays,omitempty"`
}

// DeskSpec configures the workbench.
// +kubebuilder:validation:XValidation:rule="!has(self.scaling) || !has(self.scaling.peakReplicas) || self.scaling.peakReplicas >= self.replicas",message="scaling.peakReplicas must be at least replicas: it is what runs for a peak"
// +kubebuilder:validation:XValidation:rule="!has(self.scaling) || !has(self.scaling.maxReplicas) || self.scaling.maxReplicas >= self.replicas && (!has(self.scaling.peakReplicas) || self.scaling.maxReplicas >= self.scaling.peakReplicas)",message="scaling.maxReplicas must be at least replicas and scaling.peakReplicas"
type DeskSpec struct {
	// replicas of the desk that always run, 1 to 50. Default 1.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=50
	Replicas int32 `json:"replicas,omitempty"`

	// scaling adds replicas for peaks and load. Default: none.
	// +optional
	Scaling *PeakScaling `json:"scaling,omitempty"`

	// exposure routes the desk in for agents. Default: none; the desk's Service is then reached as the operator was told (a
	// port on every node, or your own route to it).
	// +optional
	Exposure *ExposureSpec `json:"exposure,omitempty"`

	// formsURL is where customers reach the desk's paths under /forms/, at most 256 characters: the links that agents and the bot send
	// them begin with it. https, a host, and a port if it is not 443. Route /forms/ there, and nothing else where the desk is for agents alone.
	// Default: the address at which the agent works; the bot, which has none, then sends no links. May be changed; links that were sent keep the one that they have.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[1-9][0-9]{0,4})?/?$')",message="write formsURL as https://host, with a port if it is not 443, for example https://service.lumi.example"
	FormsURL string `json:"formsURL,omitempty"`
}

// RouterSpec configures the conversation engine.
// +kubebuilder:validation:XValidation:rule="!has(self.scaling) || !has(self.scaling.peakReplicas) || self.scaling.peakReplicas >= self.replicas",message="scaling.peakReplicas must be at least replicas: it is what runs for a peak"
// +kubebuilder:validation:XValidation:rule="!has(self.scaling) || !has(self.scaling.maxReplicas) || self.scaling.maxReplicas >= self.replicas && (!has(self.scaling.peakReplicas) || self.scaling.maxReplicas >= self.scaling.peakReplicas)",message="scaling.maxReplicas must be at least replicas and scaling.peakReplicas"
type RouterSpec struct {
	// replicas of the router that always run, 1 to 50. Default 1. No more run than the inbound topic has partitions: the others
	// would have nothing to do.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=50
	Replicas int32 `json:"replicas,omitempty"`

	// scaling adds replicas for peaks and load, up to the partitions of the inbound topic. Default: none.
	// +optional
	Scaling *PeakScaling `json:"scaling,omitempty"`
}

// BrandDefaults are fallbacks for Channels and SkillGroups of the brand.
type BrandDefaults struct {
	// skillGroupRef is the group for conversations that no routing rule claims. Default: none; the Brand's Channels are not Ready without it.
	// +optional
	SkillGroupRef *SkillGroupReference `json:"skillGroupRef,omitempty"`
	// playbookRef is the Playbook of Channels that name none. Default: none; the bot then says nothing, and
	// everybody goes to a human.
	// +optional
	PlaybookRef *PlaybookReference `json:"playbookRef,omitempty"`
	// serviceLevelRef is the ServiceLevel of Channels that name none. Default: none; the defaults of a ServiceLevel then hold.
	// +optional
	ServiceLevelRef *ServiceLevelReference `json:"serviceLevelRef,omitempty"`
	// scheduleRef is the ShiftSchedule of SkillGroups that name none. Default: none; they are then always open.
	// +optional
	ScheduleRef *ShiftScheduleReference `json:"scheduleRef,omitempty"`
}

// BrandOnCall says who else is told when the agents on call are called.
type BrandOnCall struct {
	// webhook is called when a SkillGroup has lacked agents for five minutes and has agents with onCall: WhenShort.
	// +required
	Webhook OnCallWebhook `json:"webhook"`
}

// OnCallWebhook is what passes a call for help on: to telephones, a pager, or a chat.
type OnCallWebhook struct {
	// url takes a POST with the call as JSON, at most 512 characters; any answer from 200 to 299 takes it. https alone, with a
	// certificate of an authority that caSecretRef names, and without user, query and fragment: a secret in them would be read by whoever reads the
	// Brand. Its host must be on the operator's list (value allowedWebhookHosts of the chart). May be changed; no pod rolls.
	// +required
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[1-9][0-9]{0,4})?(/[!-~]*)?$') && !self.contains('?') && !self.contains('#')",message="write url as https://host/path, with a port if it is not 443 and without user, query and fragment, for example https://pager.example/yingda"
	URL string `json:"url"`

	// secretRef names the Secret that signs each call by what its key "key" holds: HMAC-SHA256, in the header Yingda-Signature.
	// Default: calls are not signed. What is in the Secret may be changed; no pod rolls.
	// +optional
	SecretRef *CredentialsReference `json:"secretRef,omitempty"`

	// caSecretRef names the Secret whose key ca.crt holds the certificates, in PEM, of the authorities that signed that of the
	// webhook; no others are trusted then. Default: the authorities that browsers trust. What is in the Secret may be changed; no pod rolls.
	// +optional
	CASecretRef *CredentialsReference `json:"caSecretRef,omitempty"`
}

// BrandProvider is the brand's own program that pays customers back, sends them goods and claims freight insurance. docs/after-sales.md says
// what it is told and what it has to answer; each order has an idempotency key, and must be done once however often it comes.
type BrandProvider struct {
	// url takes orders by POST and says by GET what became of one, at most 512 characters. https alone, without user, query and fragment: a
	// secret in them would be read by whoever reads the Brand. Its host must be on the operator's list (value allowedWebhookHosts of the
	// chart). May be changed; no pod rolls. What the one before was told is asked of the new one.
	// +required
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[1-9][0-9]{0,4})?(/[!-~]*)?$') && !self.contains('?') && !self.contains('#')",message="write url as https://host/path, with a port if it is not 443 and without user, query and fragment, for example https://erp.example/yingda"
	URL string `json:"url"`

	// secretRef names the Secret that signs each call by what its key "key" holds: HMAC-SHA256, in the header Yingda-Signature. By the
	// same the provider signs what it tells the desk under /api/provider/. What is in the Secret may be changed; no pod rolls.
	// +required
	SecretRef CredentialsReference `json:"secretRef"`

	// caSecretRef names the Secret whose key ca.crt holds, in PEM, the certificates of the authorities that signed the provider's; no others
	// are trusted then. Default: the authorities that browsers trust. What is in the Secret may be changed; no pod rolls.
	// +optional
	CASecretRef *CredentialsReference `json:"caSecretRef,omitempty"`
}

// BrandConnections are what only one Brand may work in.
type BrandConnections struct {
	// temporal is the Temporal namespace, as <host>:<port>/<namespace>.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Temporal string `json:"temporal,omitempty"`
	// postgresSecrets are the names of the Secrets by which the Brand and its connectors sign in to the database.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MaxLength=253
	PostgresSecrets []string `json:"postgresSecrets,omitempty"`
}

// BrandStatus reports on a Brand.
type BrandStatus struct {
	// conditions are Ready, derived from ReferencesResolved, Provisioned, RouterAvailable, WorkflowsAvailable, DeskAvailable and Acknowledged; beside them DependenciesReachable and, with an exposure of the desk, Exposed, and, with a mail server, MailReached; while the data is removed, TornDown.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// deskURL is where agents sign in.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	DeskURL string `json:"deskURL,omitempty"`
	// connections are those on which the Brand was set up last. Of two Brands that declare the same, the one that was set up on it
	// keeps it; of two that were not, the earlier one gets it.
	// +optional
	Connections *BrandConnections `json:"connections,omitempty"`
	// router is how many replicas the router has, and why.
	// +optional
	Router *ReplicasStatus `json:"router,omitempty"`
	// desk is how many replicas the desk has, and why.
	// +optional
	Desk *ReplicasStatus `json:"desk,omitempty"`
	// keys are those by which the brand's data are encrypted, as the workflow worker last told.
	// +optional
	Keys *KeysStatus `json:"keys,omitempty"`
}

// KeysStatus tells of the keys by which a brand's data are encrypted.
type KeysStatus struct {
	// count is how many there are: the one that encrypts, and those that only decrypt.
	// +required
	Count int32 `json:"count"`
	// madeAt is when the one that encrypts was made; for a brand that is older than the rotation of keys, when that came.
	// +required
	MadeAt metav1.Time `json:"madeAt"`
	// nextMadeAt is when the one was made that is to encrypt next; it waits until every replica has it. Absent while there is none.
	// +optional
	NextMadeAt *metav1.Time `json:"nextMadeAt,omitempty"`
}

// +kubebuilder:object:root=true

// BrandList is a list of Brands.
type BrandList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Brand `json:"items"`
}
