package v1alpha1

// ExposureSpec routes a host from outside of the cluster to a Service that the operator makes: by an HTTPRoute of the
// Gateway API when parentRefs is set, by an Ingress when ingressClassName is.
// +kubebuilder:validation:XValidation:rule="has(self.parentRefs) != has(self.ingressClassName)",message="set parentRefs for a Gateway, or ingressClassName for an Ingress, and not both"
// +kubebuilder:validation:XValidation:rule="!has(self.tlsSecretName) || has(self.ingressClassName)",message="tlsSecretName is for an Ingress; with a Gateway its listener holds the certificate"
type ExposureSpec struct {
	// host is the DNS name by which the outside reaches the Service, in lower case, at most 253 characters, for example hooks.lumi.example.
	// It is expected to be served over https on port 443.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)+$')",message="write host as a DNS name in lower case without scheme, port or path, for example hooks.lumi.example"
	Host string `json:"host"`

	// parentRefs are the Gateways that carry the route, 1 to 4. The Gateway API must be installed in the cluster.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, a == b))",message="name each Gateway, or each listener of it, once"
	ParentRefs []GatewayReference `json:"parentRefs,omitempty"`

	// ingressClassName is the class of the Ingress, at most 253 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="write ingressClassName as kubectl get ingressclasses shows it, in lower case"
	IngressClassName string `json:"ingressClassName,omitempty"`

	// tlsSecretName names the Secret with the host's certificate for the Ingress, in the same namespace, at most 253 characters; the
	// operator does not read it. Default: the Ingress controller's own certificate.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="write tlsSecretName as the name of a Secret, in lower case"
	TLSSecretName string `json:"tlsSecretName,omitempty"`
}

// GatewayReference names a Gateway.
type GatewayReference struct {
	// name of the Gateway, at most 253 characters.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="write name as kubectl get gateways shows it, in lower case"
	Name string `json:"name"`
	// namespace of the Gateway, at most 63 characters. Default: the namespace of the object.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="write namespace as the name of a namespace, in lower case"
	Namespace string `json:"namespace,omitempty"`
	// sectionName is the listener of the Gateway, at most 253 characters. Default: all that admit the route.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",message="write sectionName as the Gateway names its listener, in lower case"
	SectionName string `json:"sectionName,omitempty"`
}
