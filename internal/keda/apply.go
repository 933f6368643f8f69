package keda

import (
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// ApplyConfiguration is an object of KEDA's as it is applied, as client-go has it for kinds of Kubernetes.
// +kubebuilder:object:generate=false
type ApplyConfiguration[Spec any] struct {
	metav1ac.TypeMetaApplyConfiguration    `json:",inline"`
	*metav1ac.ObjectMetaApplyConfiguration `json:"metadata,omitempty"`

	Spec Spec `json:"spec"`
}

// Apply starts the configuration of an object.
func Apply[Spec any](kind string, meta *metav1ac.ObjectMetaApplyConfiguration, spec Spec) *ApplyConfiguration[Spec] {
	return &ApplyConfiguration[Spec]{
		TypeMetaApplyConfiguration:   *metav1ac.TypeMeta().WithAPIVersion(GroupVersion().String()).WithKind(kind),
		ObjectMetaApplyConfiguration: meta,
		Spec:                         spec,
	}
}

// IsApplyConfiguration marks it as one.
func (ApplyConfiguration[Spec]) IsApplyConfiguration() {}

// GetAPIVersion is the group and version.
func (a *ApplyConfiguration[Spec]) GetAPIVersion() *string { return a.APIVersion }

// GetKind is the kind.
func (a *ApplyConfiguration[Spec]) GetKind() *string { return a.Kind }

// GetNamespace is the object's namespace.
func (a *ApplyConfiguration[Spec]) GetNamespace() *string { return a.Namespace }

// GetName is the object's name.
func (a *ApplyConfiguration[Spec]) GetName() *string { return a.Name }
