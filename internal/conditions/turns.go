package conditions

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Turns tells by events how conditions that stand beside Ready turn, for the objects of one controller. It remembers what was
// wrong before nobody could say: a replica that starts anew reports nothing for a moment, and what it then reports as before is
// no news. An operator that starts in that moment tells it once more.
//
// It is safe for concurrent use.
type Turns struct {
	mu sync.Mutex
	// wrong are the conditions that were False before they became Unknown.
	wrong map[turning]Condition
}

type turning struct {
	object    types.NamespacedName
	condition string
}

// NewTurns makes one that remembers nothing.
func NewTurns() *Turns { return &Turns{wrong: map[turning]Condition{}} }

// Announce records an event when the condition became False, for another reason than before, or True again. That it is well
// from the start, or that nobody could say for a while, is no news.
func (t *Turns) Announce(recorder events.EventRecorder, object client.Object, before, after []metav1.Condition, condition string) {
	is, _ := Find(after, condition)
	was := t.lastKnown(turning{client.ObjectKeyFromObject(object), condition}, before, is)
	switch {
	case is.Status == metav1.ConditionFalse && (was.Status != is.Status || was.Reason != is.Reason):
		recorder.Eventf(object, nil, corev1.EventTypeWarning, is.Reason, eventAction, "%s", is.Message)
	case is.Status == metav1.ConditionTrue && was.Status == metav1.ConditionFalse:
		recorder.Eventf(object, nil, corev1.EventTypeNormal, is.Reason, eventAction, "%s", is.Message)
	}
}

// lastKnown is what the condition was when somebody could say it last.
func (t *Turns) lastKnown(key turning, before []metav1.Condition, is Condition) Condition {
	t.mu.Lock()
	defer t.mu.Unlock()
	was, _ := Find(before, key.condition)
	if wrong, known := t.wrong[key]; known && was.Status == metav1.ConditionUnknown {
		was = wrong
	}
	if is.Status == metav1.ConditionUnknown && was.Status == metav1.ConditionFalse {
		t.wrong[key] = was
	} else {
		delete(t.wrong, key)
	}
	return was
}

// Forget forgets an object that is gone.
func (t *Turns) Forget(object types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range t.wrong {
		if key.object == object {
			delete(t.wrong, key)
		}
	}
}
