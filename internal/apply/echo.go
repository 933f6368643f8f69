package apply

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// echoes remembers the version that the last status of each object made. A pass knows all that its own status tells: to be woken
// by that is another pass for each write, and finds nothing. It is safe for concurrent use.
type echoes struct {
	mu       sync.Mutex
	versions map[types.UID]string
}

func (e *echoes) note(object client.Object, version string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.versions == nil || len(e.versions) >= mostCompared {
		e.versions = map[types.UID]string{}
	}
	e.versions[object.GetUID()] = version
}

// heard says whether the object came back as the last status made it, which it does once.
func (e *echoes) heard(object client.Object) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	echo := e.versions[object.GetUID()] == object.GetResourceVersion()
	if echo {
		delete(e.versions, object.GetUID())
	}
	return echo
}

// NotOwnStatus lets through all changes but those that this Applier made itself with the status. It is for the one watch which
// wakes a controller for its own objects, and asks that a pass looks again when its status came out Behind.
func (a *Applier) NotOwnStatus() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool { return !a.echoes.heard(e.ObjectNew) }}
}
