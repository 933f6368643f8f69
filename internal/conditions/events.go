package conditions

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

// eventAction is what the operator was doing when an event came about.
const eventAction = "Reconcile"

// Announce records an event when Ready changed its status or its reason, and none otherwise. The first that is said of an object
// is no change, and of ten thousand objects it is ten thousand writes that nobody reads: of that only what needs a person.
func Announce(recorder events.EventRecorder, object client.Object, before, after []metav1.Condition) {
	was, had := Find(before, v1alpha1.ConditionReady)
	is, has := Find(after, v1alpha1.ConditionReady)
	switch {
	case !has, !had && (is.Status == metav1.ConditionTrue || Passes(is.Reason)), had && was.Status == is.Status && was.Reason == is.Reason:
		return
	}
	eventType := corev1.EventTypeNormal
	if is.Status == metav1.ConditionFalse && !Passes(is.Reason) {
		eventType = corev1.EventTypeWarning
	}
	recorder.Eventf(object, nil, eventType, is.Reason, eventAction, "%s", is.Message)
}

// Passes says whether a reason of not being Ready will pass by itself, or is another object's to tell. docs/gitops.md teaches it to the
// tools that wait for objects, and a test holds the two together.
func Passes(reason string) bool {
	switch reason {
	case v1alpha1.ReasonAwaitingReferences, v1alpha1.ReasonAwaitingReplicas, v1alpha1.ReasonAwaitingReload, v1alpha1.ReasonProvisioning,
		v1alpha1.ReasonNoReadyReplica, v1alpha1.ReasonBrandNotReady, v1alpha1.ReasonNotYetTried, v1alpha1.ReasonDraining, v1alpha1.ReasonTearingDown:
		return true
	}
	return false
}
