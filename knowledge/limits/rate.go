package limits

import (
	"sync"
	"time"
)

// maxRateKeys bounds what a Rate remembers: about 5 MB.
const maxRateKeys = 50_000

// A Rate lets each key do something so often. It is a token bucket per key, safe for concurrent use.
type Rate struct {
	every time.Duration // one more is allowed after that
	burst float64
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// NewRate returns a Rate of perMinute, of which burst may come at once.
func NewRate(perMinute, burst int, now func() time.Time) *Rate {
	return &Rate{every: time.Minute / time.Duration(perMinute), burst: float64(burst), now: now, buckets: map[string]bucket{}}
}

// Take takes one for key, or says how long to wait for the next.
func (r *Rate) Take(key string) (wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if len(r.buckets) >= maxRateKeys {
		r.forget(now)
	}
	b, known := r.buckets[key]
	if !known {
		b = bucket{left: r.burst, at: now}
	}
	b.left = min(r.burst, b.left+float64(now.Sub(b.at))/float64(r.every))
	b.at = now
	if b.left < 1 {
		wait = time.Duration((1 - b.left) * float64(r.every))
	} else {
		b.left--
	}
	r.buckets[key] = b
	return wait
}

// GiveBack undoes one Take that need not count.
func (r *Rate) GiveBack(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b, known := r.buckets[key]; known {
		b.left = min(r.burst, b.left+1)
		r.buckets[key] = b
	}
}

// forget drops the buckets that are full again, and all of them if that is not enough: whoever makes
// so many keys must not make us run out of memory.
func (r *Rate) forget(now time.Time) {
	full := time.Duration(r.burst * float64(r.every))
	for key, b := range r.buckets {
		if now.Sub(b.at) > full {
			delete(r.buckets, key)
		}
	}
	if len(r.buckets) >= maxRateKeys {
		clear(r.buckets)
	}
}
