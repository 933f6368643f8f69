package apply

import (
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// NamespaceEnds says whether a write was refused because its namespace is being deleted, which takes nothing new.
func NamespaceEnds(err error) bool {
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}

// IgnoreNamespaceEnd returns nil for such an error, and any other as it is. What is in the namespace goes with it, and trying
// again until then brings nothing about but errors in the log.
func IgnoreNamespaceEnd(err error) error {
	if NamespaceEnds(err) {
		return nil
	}
	return err
}
