package channel

import (
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/refs"
)

// accountChanged lets through Channels that come, go, or let go of their account. The account itself is immutable.
func accountChanged() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, was := e.ObjectOld.(*v1alpha1.Channel)
			after, is := e.ObjectNew.(*v1alpha1.Channel)
			return was && is && refs.HoldsAccount(before) != refs.HoldsAccount(after)
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}
