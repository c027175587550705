package webchat

import (
	"sync"
	"time"
)

// The limits of a visitor and of an address on the Internet. They are far above what a person does.
const (
	messagesPerMinute = 20
	messagesAtOnce    = 6
	filesPerMinute    = 5
	newPerMinute      = 30 // visitors from one IP address who begin a conversation, or prove who they are
	streamsEach       = 20 // open streams of one visitor
	streamsMost       = 2000
)

// mostBuckets bounds what a limiter remembers.
const mostBuckets = 50_000

// A limiter lets each key do something so often. It is a token bucket per key.
type limiter struct {
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

func newLimiter(perMinute, burst int, now func() time.Time) *limiter {
	return &limiter{every: time.Minute / time.Duration(perMinute), burst: float64(burst), now: now, buckets: map[string]bucket{}}
}

// take takes one for key, or says how long to wait for the next.
func (l *limiter) take(key string) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if len(l.buckets) >= mostBuckets {
		l.forget(now)
	}
	b, known := l.buckets[key]
	if !known {
		b = bucket{left: l.burst, at: now}
	}
	b.left = min(l.burst, b.left+float64(now.Sub(b.at))/float64(l.every))
	b.at = now
	if b.left < 1 {
		wait = time.Duration((1 - b.left) * float64(l.every))
	} else {
		b.left--
	}
	l.buckets[key] = b
	return wait
}

// forget drops the buckets that are full again, and all of them if that is not enough: whoever makes
// so many keys must not make us run out of memory.
func (l *limiter) forget(now time.Time) {
	full := time.Duration(l.burst * float64(l.every))
	for key, b := range l.buckets {
		if now.Sub(b.at) > full {
			delete(l.buckets, key)
		}
	}
	if len(l.buckets) >= mostBuckets {
		clear(l.buckets)
	}
}
