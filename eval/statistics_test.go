package eval

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIntervalsCoverTheTruth(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	const truth, n, times = .7, 150, 120
	covered := 0
	for range times {
		judged := make([]Judged, n)
		for i := range judged {
			judged[i] = Judged{Confidence: random.Float64(), InScope: true, Right: random.Float64() < truth}
		}
		i := SampleOf(judged).Interval(Accuracy)
		require.Less(t, i.Low, i.High)
		if i.Low <= truth && truth <= i.High {
			covered++
		}
	}
	require.InDelta(t, .95, float64(covered)/times, .05)
}

// Ten answers that are always alike are worth one: the interval must be that of the clusters.
func TestClustersWidenTheInterval(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 6))
	var results []Result
	var names []string
	for c := range 40 {
		right := random.Float64() < .6
		for range 10 {
			r := result(.5, "b", "a")
			if right {
				r = result(.5, "a", "a")
			}
			r.Case.Dialog = string(rune('A' + c))
			results = append(results, r)
			names = append(names, r.Case.Dialog)
		}
	}
	clustered := NewSample(results).Interval(Accuracy)
	for i := range results {
		results[i].Case.Dialog = ""
	}
	alone := NewSample(results).Interval(Accuracy)
	require.InDelta(t, math.Sqrt(10), (clustered.High-clustered.Low)/(alone.High-alone.Low), .5)
	require.Equal(t, []int{0, 0, 1, 2, 0}, clustersOf([]string{"x", "x", "", "", "x"}))
	require.Nil(t, clustersOf([]string{"", ""}))
	for i := range results {
		results[i].Case.Dialog = names[i]
	}
	some := NewSample(results).Only(func(r Result) bool { return r.Case.Dialog > "Z" })
	require.Equal(t, some.Len()/10, countOf(some.Len(), some.cluster), "no empty clusters are drawn")
	require.Len(t, clustersOf(names), 400)
}

func TestIntervalsAreTheSameEveryTime(t *testing.T) {
	s := NewSample(scattered(rand.New(rand.NewPCG(7, 7)), 80))
	require.Equal(t, s.Interval(AUROC), s.Interval(AUROC))
}

func TestDifferenceOfAUROCs(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	results := make([]Result, 600)
	good, noise := make([]float64, len(results)), make([]float64, len(results))
	for i := range results {
		results[i] = result(.5, "", "a")
		if i%2 == 0 {
			results[i] = result(.5, "a", "a")
			good[i] = 1
		}
		good[i] += random.NormFloat64()
		noise[i] = random.NormFloat64()
	}
	s := NewSample(results)
	d, i := s.By(good).Difference(s.By(noise), AUROC)
	require.InDelta(t, AUROC(s.By(good), nil)-AUROC(s.By(noise), nil), d, 1e-12)
	require.Greater(t, i.Low, .1)
	require.Less(t, i.Low, d)
	require.Greater(t, i.High, d)
	d, i = s.By(good).Difference(s.By(good), AUROC)
	require.Equal(t, []float64{0, 0, 0}, []float64{d, i.Low, i.High}, "the same on every draw: it is paired")
}

func TestRandomisation(t *testing.T) {
	// Five differences of one sign: of 2^5 sign patterns two are as extreme.
	require.InDelta(t, 2./32, randomisation([]float64{1, 1, 1, 1, 1}, nil), .01)
	require.InDelta(t, 1, randomisation([]float64{0, 0, 0}, nil), 1e-3)
	require.InDelta(t, 1, randomisation(nil, nil), 1e-3)
	// As one cluster they are one observation.
	require.InDelta(t, 1, randomisation([]float64{1, 1, 1, 1, 1}, []int{0, 0, 0, 0, 0}), 1e-3)
	// A fair coin rejects one time in twenty.
	random := rand.New(rand.NewPCG(9, 9))
	rejected := 0
	for range 200 {
		d := make([]float64, 30)
		for i := range d {
			d[i] = random.NormFloat64()
		}
		if randomisation(d, nil) < .05 {
			rejected++
		}
	}
	require.InDelta(t, 10, rejected, 9)
}

func TestHolm(t *testing.T) {
	got := holm([]float64{.01, .04, .03, .005})
	for i, want := range []float64{.03, .06, .06, .02} {
		require.InDelta(t, want, got[i], 1e-12)
	}
	require.Equal(t, []float64{1, 1}, holm([]float64{.9, .8}))
	require.Empty(t, holm(nil))
}

// A difference as large as detectable is found four times in five.
func TestDetectable(t *testing.T) {
	random := rand.New(rand.NewPCG(10, 10))
	const n, times = 100, 150
	found := 0
	for range times {
		d := make([]float64, n)
		for i := range d {
			d[i] = random.NormFloat64() + 2.8/math.Sqrt(n)
		}
		require.InDelta(t, 2.8/math.Sqrt(n), detectable(d, nil), .1)
		if randomisation(d, nil) < .05 {
			found++
		}
	}
	require.InDelta(t, .8, float64(found)/times, .1)
	require.True(t, math.IsNaN(detectable([]float64{1}, nil)))
}

func TestCompare(t *testing.T) {
	before, after := make([]float64, 200), make([]float64, 200)
	for i := range before {
		before[i] = float64(i % 2)
		after[i] = before[i]
		if i%10 == 0 {
			after[i] = 1
		}
	}
	same, better, worse := Compare("same", before, before, nil), Compare("better", before, after, nil), Compare("worse", after, before, nil)
	list := []Comparison{same, better, worse}
	p := better.P
	Adjust(list)
	require.InDelta(t, 3*p, list[1].P, 1e-9)
	require.Equal(t, "no evidence", list[0].Verdict())
	require.Equal(t, "better", list[1].Verdict())
	require.Equal(t, "worse", list[2].Verdict())
	require.InDelta(t, .1, better.Difference, 1e-12)
	require.Positive(t, better.Interval.Low)
	require.Negative(t, worse.Interval.High)
	require.Greater(t, better.Detectable, .03)
}
