package eval

import (
	"math"
	"math/rand/v2"
	"sync"
)

// swaps is how often a randomisation test of whole figures exchanges answers.
const swaps = 2_000

// CompareFigures compares two ways of answering the same cases, which both samples have in the same order, by
// each figure that means something on both. The probability is that of the paired randomisation test (Noreen
// 1989): how often the difference is as large if each case's two answers, those of a cluster together, are
// exchanged at random. It holds for any figure, not for means alone. Adjust corrects for several.
func CompareFigures(before, after *Sample, list []Named) []Comparison {
	var known []Named
	for _, f := range list {
		if !math.IsNaN(before.Value(f.Of)) && !math.IsNaN(after.Value(f.Of)) {
			known = append(known, f)
		}
	}
	comparisons := make([]Comparison, len(known))
	extreme := exchanged(before, after, known)
	for i, f := range known {
		values := resample(before.Len(), before.cluster, func(times []int) float64 {
			counts := before.drawn(times)
			return f.Of(after, counts) - f.Of(before, counts)
		})
		comparisons[i] = Comparison{Name: f.Name, Cases: before.Len(), Before: before.Value(f.Of), After: after.Value(f.Of), Low: f.Low,
			Interval: intervalOf(values), P: float64(extreme[i]+1) / (swaps + 1), Detectable: detectableFrom(values)}
		comparisons[i].Difference = comparisons[i].After - comparisons[i].Before
	}
	return comparisons
}

// exchanged counts for each figure the exchanges that bring a difference as large as the one observed.
func exchanged(before, after *Sample, list []Named) []int {
	observed := make([]float64, len(list))
	for k, f := range list {
		observed[k] = math.Abs(after.Value(f.Of)-before.Value(f.Of)) - 1e-9 // equal differences may differ by rounding
	}
	extreme := make([]int, len(list))
	var mu sync.Mutex
	parallel(swaps, func(draw int) {
		random := rand.New(rand.NewPCG(seed, uint64(swaps+draw)))
		change := make([]bool, countOf(before.Len(), before.cluster))
		for i := range change {
			change[i] = random.Uint64()&1 == 1
		}
		a, b := exchange(before, after, change)
		for k, f := range list {
			if d := math.Abs(b.Value(f.Of) - a.Value(f.Of)); d >= observed[k] || math.IsNaN(d) {
				mu.Lock()
				extreme[k]++
				mu.Unlock()
			}
		}
	})
	return extreme
}

// exchange is both samples, with the answers of some clusters in the other's place.
func exchange(before, after *Sample, change []bool) (a, b *Sample) {
	n := before.Len()
	mixed := func(x, y *Sample) *Sample {
		judged, notes := make([]Judged, n), make([]marks, n)
		for i := range n {
			from, at := x, i
			if before.cluster != nil {
				at = before.cluster[i]
			}
			if change[at] {
				from = y
			}
			judged[i] = from.judged[i]
			if from.marks != nil {
				notes[i] = from.marks[i]
			}
		}
		s := SampleOf(judged)
		s.marks, s.cluster, s.weight = notes, before.cluster, before.weight
		return s
	}
	return mixed(before, after), mixed(after, before)
}

// detectableFrom is the smallest difference that a test at 5 % would find with a power of 80 %, given how the
// difference scatters in a bootstrap.
func detectableFrom(values []float64) float64 {
	if len(values) < 2 {
		return math.NaN()
	}
	mean, squares := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return power * math.Sqrt(squares/float64(len(values)-1))
}
