package vector

import (
	"math"
	"slices"
)

// A top keeps the highest scores with their indexes, equals by index.
type top struct {
	keys  []uint64 // unordered, at most twice want
	want  int
	floor float32 // scores of later indexes that are no higher cannot be among the highest
}

// newTop uses the memory of keys, if it has any.
func newTop(keys []uint64, want int) *top {
	return &top{keys: slices.Grow(keys[:0], 2*want), want: want, floor: float32(math.Inf(-1))}
}

// add must be given indexes in ascending order, and no score that is not a number. It returns floor.
func (t *top) add(score float32, index int) float32 {
	t.keys = append(t.keys, key(score, index))
	if len(t.keys) == 2*t.want {
		t.cut()
	}
	return t.floor
}

// cut leaves the want highest, in any order, and sets floor to the least of them.
func (t *top) cut() {
	if len(t.keys) < t.want {
		return
	}
	lowest(t.keys, t.want)
	t.keys = t.keys[:t.want]
	last := t.keys[0]
	for _, k := range t.keys {
		last = max(last, k)
	}
	t.floor = scoreOf(last)
}

// key packs a score and an index so that keys ascend as scores descend, and then by index.
func key(score float32, index int) uint64 {
	bits := math.Float32bits(score + 0) // +0 makes −0 equal to 0
	if bits>>31 == 0 {
		bits = ^bits &^ (1 << 31)
	}
	return uint64(bits)<<32 | uint64(uint32(index))
}

func scoreOf(key uint64) float32 {
	bits := uint32(key >> 32)
	if bits>>31 == 0 {
		bits = ^bits &^ (1 << 31)
	}
	return math.Float32frombits(bits)
}

func indexOf(key uint64) int { return int(uint32(key)) }

// lowest moves the n lowest of keys, which are all different, to the front: Hoare's quickselect
// (1961), with the median of three as pivot.
func lowest(keys []uint64, n int) {
	lo, hi := 0, len(keys)-1
	for lo < hi {
		a, b, c := keys[lo], keys[(lo+hi)/2], keys[hi]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := lo, hi
		for i <= j {
			for keys[i] < pivot {
				i++
			}
			for keys[j] > pivot {
				j--
			}
			if i <= j {
				keys[i], keys[j] = keys[j], keys[i]
				i++
				j--
			}
		}
		switch {
		case n <= j:
			hi = j
		case n >= i:
			lo = i
		default:
			return
		}
	}
}
