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
		p := (extreme[i] + .5) / (swaps + 1)
		if before.Value(f.Of) == after.Value(f.Of) {
			p = 1
		}
		comparisons[i] = Comparison{Name: f.Name, Cases: before.Len(), Before: before.Value(f.Of), After: after.Value(f.Of), Low: f.Low,
			Interval: quantileInterval(values), P: p, Detectable: detectableFrom(values)}
		comparisons[i].Difference = comparisons[i].After - comparisons[i].Before
	}
	return comparisons
}

// exchanged counts for each figure the exchanges that bring a larger difference than the one observed, and half of those
// that bring the same: shares of cases take few values, and to count all would find differences too rarely (the mid-p of
// Lancaster 1961).
func exchanged(before, after *Sample, list []Named) []float64 {
	observed := make([]float64, len(list))
	for k, f := range list {
		observed[k] = math.Abs(after.Value(f.Of) - before.Value(f.Of))
	}
	extreme := make([]float64, len(list))
	var mu sync.Mutex
	parallel(swaps, func(draw int) {
		random := rand.New(rand.NewPCG(seed, uint64(swaps+draw)))
		change := make([]bool, countOf(before.Len(), before.cluster))
		for i := range change {
			change[i] = random.Uint64()&1 == 1
		}
		a, b := exchange(before, after, change)
		for k, f := range list {
			d := math.Abs(b.Value(f.Of)-a.Value(f.Of)) - observed[k]
			counts := 0.0
			switch {
			case math.Abs(d) < 1e-9: // equal differences may differ by rounding
				counts = .5
			case d > 0 || math.IsNaN(d):
				counts = 1
			}
			mu.Lock()
			extreme[k] += counts
			mu.Unlock()
		}
	})
	return extreme
}

// exchange is both samples, with the answers of some clusters in the other's place.
func exchange(before, after *Sample, change []bool) (a, b *Sample) {
	changed := func(i int) bool {
		if before.cluster != nil {
			i = before.cluster[i]
		}
		return change[i]
	}
	return mixed(before, after, changed), mixed(after, before, changed)
}

// mixed is x with the answers of y in some places. Both are sorted, so that it is, too, by merging.
func mixed(x, y *Sample, fromY func(place int) bool) *Sample {
	n := x.Len()
	s := &Sample{judged: make([]Judged, n), marks: make([]marks, n), order: make([]int, 0, n), sorted: make([]Judged, 0, n), cluster: x.cluster, weight: x.weight}
	take := func(from *Sample, at int) {
		place := from.order[at]
		s.order, s.sorted = append(s.order, place), append(s.sorted, from.sorted[at])
		s.judged[place] = from.sorted[at]
		if from.marks != nil {
			s.marks[place] = from.marks[place]
		}
	}
	for i, j := 0, 0; i < n || j < n; {
		switch {
		case i < n && fromY(x.order[i]):
			i++
		case j < n && !fromY(y.order[j]):
			j++
		case j == n || i < n && x.sorted[i].Confidence >= y.sorted[j].Confidence:
			take(x, i)
			i++
		default:
			take(y, j)
			j++
		}
	}
	return s
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
