// Package backoff says how long to wait after a failure before the next try.
package backoff

import "time"

// Waits are the waits after the first failure in a row, after the second, and so on. The last one holds for all
// later failures.
type Waits []time.Duration

// After is the wait after the n-th failure in a row.
func (w Waits) After(n int) time.Duration { return w[min(max(n, 1), len(w))-1] }

// Doubling begins with first and doubles up to most.
func Doubling(first, most time.Duration) (w Waits) {
	for wait := first; wait < most; wait *= 2 {
		w = append(w, wait)
	}
	return append(w, most)
}
