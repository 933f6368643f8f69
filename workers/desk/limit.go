package desk

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// failuresPerAddress wrong tokens at once, then one in failureEvery.
	failuresPerAddress = 10
	failureEvery       = 6 * time.Second
	// failuresInTotal wrong tokens at once from everywhere, then ten a second.
	failuresInTotal = 100
	totalEvery      = 100 * time.Millisecond
	// maxAddresses bounds the memory; beyond it the count of an address that tries again later may start anew.
	maxAddresses = 4096
)

// failureLimit counts wrong tokens.
type failureLimit struct {
	now   func() time.Time
	mu    sync.Mutex
	total *rate.Limiter
	of    map[netip.Prefix]*rate.Limiter
}

func newFailureLimit(now func() time.Time) *failureLimit {
	return &failureLimit{
		now: now, total: rate.NewLimiter(rate.Every(totalEvery), failuresInTotal), of: map[netip.Prefix]*rate.Limiter{},
	}
}

// failed counts a wrong token; ok is false, with the time to wait, when there were too many.
func (l *failureLimit) failed(remote string) (wait time.Duration, ok bool) {
	now, network := l.now(), networkOf(remote)
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter, known := l.of[network]
	if !known {
		if len(l.of) >= maxAddresses {
			l.forget(now)
		}
		limiter = rate.NewLimiter(rate.Every(failureEvery), failuresPerAddress)
		l.of[network] = limiter
	}
	if !limiter.AllowN(now, 1) {
		return failureEvery, false
	}
	if !l.total.AllowN(now, 1) {
		return totalEvery, false
	}
	return 0, true
}

// forget makes room: first of addresses that have been quiet, and when all are loud, of any. It makes room for many, so
// that it is seldom called.
func (l *failureLimit) forget(now time.Time) {
	for network, limiter := range l.of {
		if limiter.TokensAt(now) >= failuresPerAddress {
			delete(l.of, network)
		}
	}
	for network := range l.of {
		if len(l.of) < maxAddresses*7/8 {
			return
		}
		delete(l.of, network)
	}
}

// networkOf is what one visitor can have many addresses of: an IPv4 address, or an IPv6 network of 64 bits.
func networkOf(remote string) netip.Prefix {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	address = address.Unmap().WithZone("")
	bits := 32
	if address.Is6() {
		bits = 64
	}
	prefix, _ := address.Prefix(bits) // Both lengths fit their family.
	return prefix
}

// exclusive lets one at a time through for each key.
type exclusive[K comparable] struct {
	mu     sync.Mutex
	inside map[K]struct{}
}

func newExclusive[K comparable]() *exclusive[K] { return &exclusive[K]{inside: map[K]struct{}{}} }

// enter says whether nobody was inside; leave lets the next one in.
func (e *exclusive[K]) enter(key K) (leave func(), ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, taken := e.inside[key]; taken {
		return nil, false
	}
	e.inside[key] = struct{}{}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.inside, key)
	}, true
}

// recently lets something through once in an interval for each key.
type recently[K comparable] struct {
	interval time.Duration
	now      func() time.Time
	mu       sync.Mutex
	last     map[K]time.Time
}

func newRecently[K comparable](interval time.Duration, now func() time.Time) *recently[K] {
	return &recently[K]{interval: interval, now: now, last: map[K]time.Time{}}
}

// first says whether it is the first time within the interval.
func (r *recently[K]) first(key K) bool {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.last[key]; ok && now.Sub(last) < r.interval {
		return false
	}
	if len(r.last) >= maxAddresses {
		for other, last := range r.last {
			if now.Sub(last) >= r.interval {
				delete(r.last, other)
			}
		}
	}
	r.last[key] = now
	return true
}
