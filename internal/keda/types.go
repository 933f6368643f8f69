// Package keda has what the operator writes of KEDA's kinds: ScaledObjects, and the TriggerAuthentications that their triggers
// sign in by. KEDA's own Go API would bring nine hundred modules for it.
//
// The types hold nothing that is not written; a test compares what is rendered with KEDA's own CRDs.
//
// +kubebuilder:object:generate=true
package keda

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is KEDA's.
func GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: "keda.sh", Version: "v1alpha1"}
}

// AddToScheme registers the kinds.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion(), &ScaledObject{}, &ScaledObjectList{}, &TriggerAuthentication{}, &TriggerAuthenticationList{})
	metav1.AddToGroupVersion(scheme, GroupVersion())
	return nil
}

// +kubebuilder:object:root=true

// ScaledObject has KEDA scale a workload.
type ScaledObject struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              ScaledObjectSpec `json:"spec"`
}

// ScaledObjectSpec says how.
type ScaledObjectSpec struct {
	ScaleTargetRef  ScaleTarget `json:"scaleTargetRef"`
	MinReplicaCount *int32      `json:"minReplicaCount,omitempty"`
	MaxReplicaCount *int32      `json:"maxReplicaCount,omitempty"`
	Advanced        *Advanced   `json:"advanced,omitempty"`
	Triggers        []Trigger   `json:"triggers"`
}

// ScaleTarget is the workload.
type ScaleTarget struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Name       string `json:"name"`
}

// Advanced is about the HorizontalPodAutoscaler that KEDA makes.
type Advanced struct {
	HorizontalPodAutoscalerConfig *HorizontalPodAutoscalerConfig `json:"horizontalPodAutoscalerConfig,omitempty"`
}

// HorizontalPodAutoscalerConfig says how fast it may go, and what it is called: keda-hpa- and the ScaledObject's name unless said.
type HorizontalPodAutoscalerConfig struct {
	Name     string                                         `json:"name,omitempty"`
	Behavior *autoscalingv2.HorizontalPodAutoscalerBehavior `json:"behavior,omitempty"`
}

// Trigger is a reason to scale; of several the one that wants most replicas wins.
type Trigger struct {
	Type              string                         `json:"type"`
	MetricType        autoscalingv2.MetricTargetType `json:"metricType,omitempty"`
	Metadata          map[string]string              `json:"metadata"`
	AuthenticationRef *AuthenticationRef             `json:"authenticationRef,omitempty"`
}

// AuthenticationRef names a TriggerAuthentication.
type AuthenticationRef struct {
	Name string `json:"name"`
}

// +kubebuilder:object:root=true

// ScaledObjectList is a list of ScaledObjects.
type ScaledObjectList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ScaledObject `json:"items"`
}

// +kubebuilder:object:root=true

// TriggerAuthentication says where a trigger finds what it signs in by.
type TriggerAuthentication struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              TriggerAuthenticationSpec `json:"spec"`
}

// TriggerAuthenticationSpec names keys of Secrets.
type TriggerAuthenticationSpec struct {
	SecretTargetRef []SecretTarget `json:"secretTargetRef,omitempty"`
}

// SecretTarget is a parameter of a trigger, and the key of the Secret that holds it.
type SecretTarget struct {
	Parameter string `json:"parameter"`
	Name      string `json:"name"`
	Key       string `json:"key"`
}

// +kubebuilder:object:root=true

// TriggerAuthenticationList is a list of TriggerAuthentications.
type TriggerAuthenticationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TriggerAuthentication `json:"items"`
}
