package eval

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A mixture of two samples is the sample of the mixture.
func TestExchange(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	x, y := scattered(random, 50), scattered(random, 50)
	change := make([]bool, 50)
	mixedResults := slices.Clone(x)
	for i := range change {
		y[i].Case = x[i].Case
		if change[i] = random.IntN(2) == 0; change[i] {
			mixedResults[i] = y[i]
		}
	}
	a, _ := exchange(NewSample(x), NewSample(y), change)
	want := NewSample(mixedResults)
	for _, f := range Figures() {
		require.InDelta(t, want.Value(f.Of), a.Value(f.Of), 1e-12, f.Name)
	}
}

// pairs are two systems that answer the same cases; the second is right with another chance, and as sure.
func pairs(random *rand.Rand, n int, chance, otherChance float64) (before, after *Sample) {
	both := make([][]Result, 2)
	for range n {
		hard := random.Float64()
		for k, c := range []float64{chance, otherChance} {
			ranked := "ba"
			if (hard+random.Float64())/2 < c {
				ranked = "ab"
			}
			both[k] = append(both[k], result(random.Float64(), "a", ranked))
		}
	}
	return NewSample(both[0]), NewSample(both[1])
}

// A difference that is there is found in each of the figures that it changes, one that is not rarely.
func TestCompareFigures(t *testing.T) {
	random := rand.New(rand.NewPCG(10, 10))
	list := []Named{{Name: "acc", Of: Accuracy}, {Name: "MRR", Of: MRR()}, {Name: "AURC", Of: AURC, Low: true}}
	before, after := pairs(random, 400, .4, .6)
	for _, c := range CompareFigures(before, after, list) {
		require.Equal(t, "better", c.Verdict(), c.Name)
		require.Equal(t, 400, c.Cases)
		require.Less(t, c.Detectable, .2)
	}
	rejected := 0
	for range 40 {
		before, after = pairs(random, 100, .5, .5)
		rejected += int(count(CompareFigures(before, after, list[:1])[0].Verdict() != "no evidence"))
	}
	require.LessOrEqual(t, rejected, 7, "of 40, two are expected")
}
