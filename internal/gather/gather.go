// Package gather spaces the passes over an object that many others are parts of.
//
// A pool is made of Channels: were each of ten thousand new ones a pass over its pool, those would be most of what the
// operator, and the API server for it, have to do. So the first change wakes after a moment in which the rest of a folder
// arrives, and further ones at most once in a while, which doubles while they go on: the next object of a folder that comes a
// little late waits a little, of ten thousand each one waits longer. No change is lost: each is followed by a pass that began
// after it.
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
	now               func() time.Time
	shortest, longest time.Duration

	mu sync.Mutex
	// wakes are the next of each request, or its last.
	wakes map[R]wake
}

type wake struct {
	at time.Time
	// spacing is the least time until another one.
	spacing time.Duration
}

// New makes a Gatherer; shortest and longest bound the least time between two passes over the same that it wakes.
func New[R comparable](now func() time.Time, shortest, longest time.Duration) *Gatherer[R] {
	return &Gatherer[R]{now: now, shortest: shortest, longest: longest, wakes: map[R]wake{}}
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
	last, known := g.wakes[request]
	if known && last.at.After(now) {
		return last.at.Sub(now)
	}
	for other, w := range g.wakes {
		if now.Sub(w.at) >= g.longest {
			delete(g.wakes, other)
		}
	}
	next := wake{at: now.Add(settle), spacing: g.shortest}
	if known && now.Sub(last.at) < g.longest {
		next.spacing = last.spacing
		if again := last.at.Add(last.spacing); again.After(next.at) {
			next = wake{at: again, spacing: min(2*last.spacing, g.longest)}
		}
	}
	g.wakes[request] = next
	return next.at.Sub(now)
}
