package eval

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
)

const (
	draws = 2_000  // of a bootstrap
	flips = 10_000 // of a randomisation test
	seed  = 1      // so that the same answers give the same intervals
)

// An Interval holds a figure with 95 % confidence. Both ends are NaN if nothing is known.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Interval is f's, by 2,000 draws of the bootstrap (Efron 1979), percentile method, over clusters
// where answers belong together. Draws in which f says nothing are left out.
func (s *Sample) Interval(f Figure) Interval { return s.IntervalOf(f, .95) }

// IntervalOf is Interval with another confidence.
func (s *Sample) IntervalOf(f Figure, confidence float64) Interval {
	values := s.bootstrapped([]Named{{Of: f}})[0]
	if len(values) == 0 {
		return Interval{math.NaN(), math.NaN()}
	}
	return Interval{quantile(values, (1-confidence)/2), quantile(values, (1+confidence)/2)}
}

// Intervals are those of several figures over the same draws, which is several times as fast as one by one.
func (s *Sample) Intervals(list []Named) []Interval {
	intervals := make([]Interval, len(list))
	for k, v := range s.bootstrapped(list) {
		intervals[k] = quantileInterval(v)
	}
	return intervals
}

// bootstrapped are the values of figures in each draw, sorted, without draws in which they say nothing.
func (s *Sample) bootstrapped(list []Named) [][]float64 {
	values := make([][]float64, len(list))
	if n := s.Len(); n > 0 {
		for k := range values {
			values[k] = make([]float64, draws)
		}
		clusters, common := countOf(n, s.cluster), kindsOf(s.marks)
		memory := sync.Pool{New: func() any { return &drawn{kinds: common} }}
		parallel(draws, func(draw int) {
			of := *s
			of.draw = memory.Get().(*drawn)
			of.draw.times = drawInto(of.draw.times, draw, clusters)
			counts := s.drawn(spread(of.draw.times, n, s.cluster))
			of.draw.ready(counts)
			for k, f := range list {
				values[k][draw] = f.Of(&of, counts)
			}
			memory.Put(of.draw)
		})
	}
	for k, v := range values {
		values[k] = slices.DeleteFunc(v, math.IsNaN)
		slices.Sort(values[k])
	}
	return values
}

// Difference is how much larger f is of s than of other, which has the same cases in the same order,
// with the interval of the difference by the paired bootstrap: both see the same draws.
func (s *Sample) Difference(other *Sample, f Figure) (float64, Interval) {
	return s.Value(f) - other.Value(f), bootstrap(s.Len(), s.cluster, func(times []int) float64 {
		counts := s.drawn(times)
		return f(s, counts) - f(other, counts)
	})
}

// bootstrap draws n answers, or whole clusters of them, with replacement.
func bootstrap(n int, cluster []int, statistic func(weights []int) float64) Interval {
	return quantileInterval(resample(n, cluster, statistic))
}

// quantileInterval is that of sorted values of a bootstrap.
func quantileInterval(values []float64) Interval {
	if len(values) == 0 {
		return Interval{math.NaN(), math.NaN()}
	}
	return Interval{quantile(values, .025), quantile(values, .975)}
}

// resample is the statistic's value for each draw, sorted, without draws in which it says nothing.
func resample(n int, cluster []int, statistic func(weights []int) float64) []float64 {
	if n == 0 {
		return nil
	}
	clusters := countOf(n, cluster)
	values := make([]float64, draws)
	parallel(draws, func(draw int) { values[draw] = statistic(drawOf(draw, n, clusters, cluster)) })
	values = slices.DeleteFunc(values, math.IsNaN)
	slices.Sort(values)
	return values
}

// drawOf is how often each of n answers is drawn, the clusters with replacement. Each draw has a generator of its own,
// so that the order in which cores take them is no matter.
func drawOf(draw, n, clusters int, cluster []int) []int {
	return spread(drawInto(nil, draw, clusters), n, cluster)
}

// drawInto is how often each cluster is drawn. It uses the memory of times again.
func drawInto(times []int, draw, clusters int) []int {
	random := rand.NewPCG(seed, uint64(draw))
	times = append(times[:0], make([]int, clusters)...)
	for i := 0; i < clusters; i += 2 { // 32 random bits are enough for one of some thousands
		bits := random.Uint64()
		times[(bits>>32)*uint64(clusters)>>32]++
		if i+1 < clusters {
			times[(bits&math.MaxUint32)*uint64(clusters)>>32]++
		}
	}
	return times
}

// spread is how often each of n results is drawn, given that of the clusters.
func spread(times []int, n int, cluster []int) []int {
	if cluster == nil {
		return times
	}
	weights := make([]int, n)
	for i, c := range cluster {
		weights[i] = times[c]
	}
	return weights
}

func countOf(n int, cluster []int) int {
	if cluster == nil {
		return n
	}
	return slices.Max(cluster) + 1
}

// quantile interpolates in sorted values.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 == len(sorted) {
		return sorted[low]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// sums adds up values by cluster.
func sums(values []float64, cluster []int) []float64 {
	if cluster == nil {
		return values
	}
	sum := make([]float64, countOf(len(values), cluster))
	for i, v := range values {
		sum[cluster[i]] += v
	}
	return sum
}

// randomisation is the probability that paired differences whose signs mean nothing are together as
// far from zero as these, by 10,000 random flips of signs (Fisher 1935; Noreen 1989), those of a
// cluster flipped together.
func randomisation(differences []float64, cluster []int) float64 {
	d := sums(differences, cluster)
	observed := 0.0
	for _, x := range d {
		observed += x
	}
	observed = math.Abs(observed) - 1e-9 // equal sums may differ by rounding
	random := rand.New(rand.NewPCG(seed, flips))
	extreme := 1
	for range flips {
		sum := 0.0
		var bits uint64
		for i, x := range d {
			if i%64 == 0 {
				bits = random.Uint64()
			}
			if bits>>(i%64)&1 == 0 {
				x = -x
			}
			sum += x
		}
		if math.Abs(sum) >= observed {
			extreme++
		}
	}
	return float64(extreme) / (flips + 1)
}

// holm adjusts the probabilities of several tests made together (Holm 1979).
func holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted := make([]float64, len(p))
	last := 0.0
	for rank, i := range order {
		last = max(last, min(1, p[i]*float64(len(p)-rank)))
		adjusted[i] = last
	}
	return adjusted
}

// power is how many standard errors a difference measures that a test at 5 % finds with a power of 80 %: the
// quantiles of the normal distribution at .975 and .8.
const power = 1.959964 + 0.841621

// detectable is the smallest mean of paired differences that a test at 5 % would find with a power
// of 80 %, given how these scatter. NaN for fewer than two clusters.
func detectable(differences []float64, cluster []int) float64 {
	d := sums(differences, cluster)
	n := float64(len(d))
	average := 0.0
	for _, x := range d {
		average += x / n
	}
	squares := 0.0
	for _, x := range d {
		squares += (x - average) * (x - average)
	}
	if n < 2 {
		return math.NaN()
	}
	return power * math.Sqrt(squares/(n-1)*n) / float64(len(differences))
}

// A Comparison is two ways of answering the same cases, by how many of them each treats well.
type Comparison struct {
	Name       string   `json:"name"`
	Cases      int      `json:"cases"`
	Before     float64  `json:"before"`
	After      float64  `json:"after"`
	Low        bool     `json:"low,omitempty"` // the lower the better
	Difference float64  `json:"difference"`    // after minus before
	Interval   Interval `json:"interval"`
	P          float64  `json:"p"`          // of the paired randomisation test, by Holm's method if there are several
	Detectable float64  `json:"detectable"` // the smallest difference that so many cases could show
}

// Compare compares what each case was worth before and after, over the clusters of the cases.
func Compare(name string, before, after []float64, cluster []int) Comparison {
	d := make([]float64, len(before))
	for i := range d {
		d[i] = after[i] - before[i]
	}
	m := average(name, d, cluster)
	return Comparison{Name: name, Cases: len(d), Before: meanOf(before), After: meanOf(after), Difference: m.Value, Interval: m.Interval, P: randomisation(d, cluster), Detectable: detectable(d, cluster)}
}

func meanOf(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return ratio(sum, float64(len(values)))
}

// average is the mean of values, one for each case.
func average(name string, values []float64, cluster []int) Measured {
	of := func(weights []int) float64 {
		sum, n := 0.0, 0.0
		for i, x := range values {
			w := 1.0
			if weights != nil {
				w = float64(weights[i])
			}
			sum += w * x
			n += w
		}
		return ratio(sum, n)
	}
	return Measured{name, of(nil), bootstrap(len(values), cluster, of)}
}

// Adjust corrects for comparisons that were made together.
func Adjust(list []Comparison) {
	p := make([]float64, len(list))
	for i, c := range list {
		p[i] = c.P
	}
	for i, adjusted := range holm(p) {
		list[i].P = adjusted
	}
}

// Verdict is "better", "worse", or "no evidence" of either at 5 %.
func (c Comparison) Verdict() string {
	switch {
	case c.P >= .05:
		return "no evidence"
	case c.Difference > 0 != c.Low:
		return "better"
	}
	return "worse"
}
