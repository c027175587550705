package limits

import "sync"

// Slots bounds how many of something, such as event streams, are held at once, by any number of keys
// each. The zero value is ready for use, and safe for concurrent use.
type Slots struct {
	mu   sync.Mutex
	held map[string]int
}

// A Bound is how many slots one key may hold.
type Bound struct {
	Key string
	Max int
}

// Take takes one slot of every bound, or none and ok is false. The caller calls release once, when it
// is done.
func (s *Slots) Take(bounds ...Bound) (release func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range bounds {
		if s.held[b.Key] >= b.Max {
			return nil, false
		}
	}
	if s.held == nil {
		s.held = map[string]int{}
	}
	for _, b := range bounds {
		s.held[b.Key]++
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, b := range bounds {
			if s.held[b.Key]--; s.held[b.Key] == 0 {
				delete(s.held, b.Key)
			}
		}
	}, true
}
