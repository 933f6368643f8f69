package apply

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// echoes remembers the version that the last write made of each object. A pass knows all that it wrote itself: to be woken by that
// is another pass for each write, and finds nothing. It is safe for concurrent use.
type echoes struct {
	mu       sync.Mutex
	versions map[types.UID]string
}

// note takes the object as the server answered the write.
func (e *echoes) note(written client.Object) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.versions == nil || len(e.versions) >= mostCompared {
		e.versions = map[types.UID]string{}
	}
	e.versions[written.GetUID()] = written.GetResourceVersion()
}

// heard says whether the object came back as the last write made it, which it does once.
func (e *echoes) heard(object client.Object) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	echo := e.versions[object.GetUID()] == object.GetResourceVersion()
	if echo {
		delete(e.versions, object.GetUID())
	}
	return echo
}

// NotOwn lets through all changes but those that this Applier made itself. It is for one watch of each kind, that which wakes a
// controller for what it writes; a pass whose status came out Behind has to look again by itself.
func (a *Applier) NotOwn() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return !a.echoes.heard(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool { return !a.echoes.heard(e.ObjectNew) },
	}
}
