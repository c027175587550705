package limits

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxRateKeys bounds what a Rate remembers: about 8 MB.
const maxRateKeys = 50_000

// A Rate lets each key do something so many times a minute. It is safe for concurrent use.
type Rate struct {
	limit rate.Limit
	burst int
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// NewRate returns a Rate of perMinute, of which burst may come at once.
func NewRate(perMinute, burst int, now func() time.Time) *Rate {
	return &Rate{limit: rate.Every(time.Minute / time.Duration(perMinute)), burst: burst, now: now, buckets: map[string]*rate.Limiter{}}
}

// Take takes one for key, or says how long to wait for the next.
func (r *Rate) Take(key string) (wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	bucket := r.buckets[key]
	if bucket == nil {
		if len(r.buckets) >= maxRateKeys {
			r.forget(now)
		}
		bucket = rate.NewLimiter(r.limit, r.burst)
		r.buckets[key] = bucket
	}
	one := bucket.ReserveN(now, 1)
	if wait = one.DelayFrom(now); wait > 0 {
		one.CancelAt(now)
	}
	return wait
}

// GiveBack undoes one Take that need not count. A Reservation cannot: it is final once its time has come.
func (r *Rate) GiveBack(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if bucket := r.buckets[key]; bucket != nil {
		bucket.AllowN(r.now(), -1)
	}
}

// forget drops the buckets that are full again, and all of them if that is not enough: whoever makes
// that many keys must not exhaust memory.
func (r *Rate) forget(now time.Time) {
	for key, bucket := range r.buckets {
		if bucket.TokensAt(now) >= float64(r.burst) {
			delete(r.buckets, key)
		}
	}
	if len(r.buckets) >= maxRateKeys {
		clear(r.buckets)
	}
}
