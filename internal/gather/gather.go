// Package gather spaces the passes over an object that many others are parts of.
//
// A Brand counts its Channels, and a pool is made of them: were each of ten thousand new Channels a pass over its Brand and
// one over its pool, those would be most of what the operator, and the API server for it, have to do. So the first change
// wakes after a moment in which the rest of a folder arrives, and further ones at most once in a while. No change is lost:
// each is followed by a pass that began after it.
package gather

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

// settle is how long a first change waits for others.
const settle = 200 * time.Millisecond

// Gatherer wakes requests, each at most once in a while. It is safe for concurrent use.
type Gatherer[R comparable] struct {
	now     func() time.Time
	spacing time.Duration

	mu sync.Mutex
	// next is when each request is woken next, or was last.
	next map[R]time.Time
}

// New makes a Gatherer; spacing is the least time between two passes over the same that it wakes.
func New[R comparable](now func() time.Time, spacing time.Duration) *Gatherer[R] {
	return &Gatherer[R]{now: now, spacing: spacing, next: map[R]time.Time{}}
}

// Handler wakes what find returns for a changed object, for an update what it returns for the object of before and after.
func (g *Gatherer[R]) Handler(find func(context.Context, client.Object) []R) handler.TypedEventHandler[client.Object, R] {
	wake := func(ctx context.Context, obj client.Object, queue workqueue.TypedRateLimitingInterface[R]) {
		for _, request := range find(ctx, obj) {
			queue.AddAfter(request, g.after(request))
		}
	}
	return handler.TypedFuncs[client.Object, R]{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, queue workqueue.TypedRateLimitingInterface[R]) {
			wake(ctx, e.Object, queue)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[R]) {
			wake(ctx, e.ObjectOld, queue)
			wake(ctx, e.ObjectNew, queue)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, queue workqueue.TypedRateLimitingInterface[R]) {
			wake(ctx, e.Object, queue)
		},
	}
}

// after says how long a request waits that changed now.
func (g *Gatherer[R]) after(request R) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	last, known := g.next[request]
	if known && last.After(now) {
		return last.Sub(now)
	}
	for other, at := range g.next {
		if now.Sub(at) >= g.spacing {
			delete(g.next, other)
		}
	}
	at := now.Add(settle)
	if again := last.Add(g.spacing); known && again.After(at) {
		at = again
	}
	g.next[request] = at
	return at.Sub(now)
}
