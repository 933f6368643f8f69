package v1alpha1

// BrandMail is the mail server by which customers hear of their cases where neither a text nor a notice reaches them. Mail is never sent in
// plain text. docs/after-sales.md says what is sent, and what is not guaranteed.
type BrandMail struct {
	// host is the mail server's name, at most 253 characters. With its port it must be on the operator's list (value allowedWebhookHosts of
	// the chart), as smtp.example:587. May be changed; no pod rolls.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$')",message="write host as a name without a port, for example smtp.example"
	Host string `json:"host"`

	// port of the mail server, 1 to 65535. Default: 587 with StartTLS, 465 with TLS. May be changed.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`

	// security says how the connection is secured, before anything else is said in it: StartTLS asks the server to secure it and ends it if
	// it does not, TLS secures it from the start. Default StartTLS.
	// +optional
	// +kubebuilder:default=StartTLS
	Security MailSecurity `json:"security,omitempty"`

	// from is the address that customers see and that answers and failures go to, at most 254 characters. May be changed.
	// +required
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?[.])+[A-Za-z]{2,63}$')",message="write from as an address without a name, for example service@lumi.example; the name goes into displayName"
	From string `json:"from"`

	// displayName is the name that customers see beside the address, at most 64 characters. Default: the Brand's displayName. May be changed.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	DisplayName string `json:"displayName,omitempty"`

	// secretRef names the Secret by which the worker signs in: its keys "username" and "password". What is in the Secret may be changed; no
	// pod rolls.
	// +required
	SecretRef CredentialsReference `json:"secretRef"`

	// caSecretRef names the Secret whose key ca.crt holds, in PEM, the certificates of the authorities that signed the mail server's; no
	// others are trusted then. Default: the authorities that browsers trust. What is in the Secret may be changed; no pod rolls.
	// +optional
	CASecretRef *CredentialsReference `json:"caSecretRef,omitempty"`
}

// MailSecurity says how the connection to a mail server is secured.
// +kubebuilder:validation:Enum=StartTLS;TLS
type MailSecurity string

// The ways to secure a connection to a mail server.
const (
	// MailStartTLS secures the connection before anything else is said.
	MailStartTLS MailSecurity = "StartTLS"
	// MailTLS secures the connection from its start.
	MailTLS MailSecurity = "TLS"
)
