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

// obstacles know what keeps the objects of each pool from being brought about: who does it tells them, and passes over the
// pool's Channels say it. It is safe for concurrent use.
type obstacles struct {
	mu    sync.Mutex
	pools map[PoolKey]obstacle
}

// obstacle is what the newest pass over a pool met.
type obstacle struct {
	// inTheWay are the objects of somebody else which have the names of the pool's, by kind and name.
	inTheWay []string
	// refused are the objects that the API server refuses, by kind and name, and with the reason.
	refused []string
}

func newObstacles() *obstacles { return &obstacles{pools: map[PoolKey]obstacle{}} }

// note replaces what is known of a pool, and says whether it is something else than before; that nothing is there any more of
// which nothing was known is nothing else.
func (o *obstacles) note(key PoolKey, met obstacle) (news bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.pools[key]
	o.pools[key] = met
	return !slices.Equal(before.inTheWay, met.inTheWay) || !slices.Equal(before.refused, met.refused)
}

// of is what a pool met; looked says whether a pass over it has ended since the operator began.
func (o *obstacles) of(key PoolKey) (met obstacle, looked bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	met, looked = o.pools[key]
	return met, looked
}

// forget drops a pool that is no more.
func (o *obstacles) forget(key PoolKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.pools, key)
}

// met has the Channels of a pool say what is in its way and what the API server refuses of it, by what came of bringing it about,
// and an event of its Brand tell the server's own words. It returns whether something is refused.
func (r *PoolReconciler) met(key PoolKey, seen *poolScene, inTheWay []string, err error) (refused bool) {
	var answer *apply.RefusedError
	if err != nil && !errors.As(err, &answer) {
		return false // What is tried again refutes nothing that was said.
	}
	found := obstacle{inTheWay: inTheWay}
	if answer != nil {
		for _, refusal := range answer.Refusals {
			found.refused = append(found.refused, refusal.Object+" ("+refusal.Why()+")")
			r.recorder.Eventf(seen.brand, nil, corev1.EventTypeWarning, v1alpha1.ReasonNotAccepted, "Apply", "%s", conditions.Bound(refusal.Err.Error()))
		}
	}
	if r.obstacles.note(key, found) {
		r.following.lookAt(seen.channels)
	}
	return len(found.refused) > 0
}
