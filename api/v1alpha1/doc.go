// Package v1alpha1 is the resource API of Yingda, group yingda.dev: what a brand writes to run its customer service.
//
// The package holds schema, validation markers (CEL) and the vocabulary of condition types and reasons; it imports
// nothing else of the product and has no behaviour beyond small accessors. The field comments are the users' manual:
// each says what the value means, its default, unit and bounds, and whether it may change.
//
// +kubebuilder:object:generate=true
// +groupName=yingda.dev
package v1alpha1
