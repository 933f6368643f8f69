package ack

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	firstWait = 100 * time.Millisecond
	longest   = 5 * time.Second
)

// Backoff spaces the questions about an object whose generation is not served yet: from a tenth of a second, doubling up
// to five. It is safe for concurrent use.
type Backoff struct {
	mu    sync.Mutex
	waits map[types.NamespacedName]pending
}

type pending struct {
	generation int64
	wait       time.Duration
}

// NewBackoff makes an empty Backoff.
func NewBackoff() *Backoff {
	return &Backoff{waits: map[types.NamespacedName]pending{}}
}

// Next returns how long to wait before the next question. A new generation starts over.
func (b *Backoff) Next(key types.NamespacedName, generation int64) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	state, known := b.waits[key]
	switch {
	case !known || state.generation != generation:
		state = pending{generation: generation, wait: firstWait}
	default:
		state.wait = min(2*state.wait, longest)
	}
	b.waits[key] = state
	return state.wait
}

// Forget ends the spacing of an object that is acknowledged or gone.
func (b *Backoff) Forget(key types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.waits, key)
}
