package ack

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

// Blame turns the finding that no replica is ready into one that names the Brand, where that is what keeps all of its replicas
// from starting; brand is nil where there is none. What is wrong with it the Brand says itself, once: each of its objects would
// have to be written for every word of that.
func Blame(finding conditions.Condition, brand *v1alpha1.Brand) conditions.Condition {
	replicas := finding.Reason == v1alpha1.ReasonNoReadyReplica || finding.Reason == v1alpha1.ReasonAwaitingReplicas
	if brand == nil || !replicas || fault(brand) == "" {
		return finding
	}
	return conditions.False(finding.Type, v1alpha1.ReasonBrandNotReady,
		"Brand "+brand.Name+" is not ready ("+fault(brand)+"): its own conditions say why, and what to do")
}

// fault is the reason for which a Brand has no replicas started; empty when it has.
func fault(brand *v1alpha1.Brand) string {
	for _, condition := range []string{v1alpha1.ConditionReferencesResolved, v1alpha1.ConditionProvisioned} {
		if found, _ := conditions.Find(brand.Status.Conditions, condition); found.Status == metav1.ConditionFalse {
			return found.Reason
		}
	}
	return ""
}

// BlameChanged lets through Brands that come and go, and those that Blame says something else of.
func BlameChanged() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, wasBrand := e.ObjectOld.(*v1alpha1.Brand)
			after, isBrand := e.ObjectNew.(*v1alpha1.Brand)
			return wasBrand && isBrand && fault(before) != fault(after)
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}
