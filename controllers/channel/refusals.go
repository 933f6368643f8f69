package channel

import (
	"errors"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/apply"
	"github.com/yingda-dev/yingda/internal/conditions"
)

// refusals know which objects of each pool the API server refuses: who brings them about tells it, and passes over the pool's
// Channels say it. It is safe for concurrent use.
type refusals struct {
	mu    sync.Mutex
	pools map[PoolKey][]string
}

func newRefusals() *refusals { return &refusals{pools: map[PoolKey][]string{}} }

// note replaces what is refused of a pool, and says whether it is something else than before.
func (r *refusals) note(key PoolKey, refused []string) (news bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Equal(r.pools[key], refused) {
		return false
	}
	if len(refused) == 0 {
		delete(r.pools, key)
	} else {
		r.pools[key] = refused
	}
	return true
}

// of are the objects of a pool that are refused, each by kind and name and with the reason.
func (r *refusals) of(key PoolKey) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pools[key]
}

// refused has the Channels of a pool say what the API server refuses of it, by what came of bringing it about, and an event of
// its Brand tell the server's own words. It returns whether that is anything.
func (r *PoolReconciler) refused(key PoolKey, seen *poolScene, err error) bool {
	var answer *apply.RefusedError
	if err != nil && !errors.As(err, &answer) {
		return false // What is tried again refutes nothing that was said.
	}
	var refused []string
	if answer != nil {
		for _, refusal := range answer.Refusals {
			refused = append(refused, refusal.Object+" ("+refusal.Why()+")")
			r.recorder.Eventf(seen.brand, nil, corev1.EventTypeWarning, v1alpha1.ReasonNotAccepted, "Apply", "%s", conditions.Bound(refusal.Err.Error()))
		}
	}
	if r.refusals.note(key, refused) {
		r.following.lookAt(seen.channels)
	}
	return len(refused) > 0
}
