package eval

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// What 95 % and 5 % mean, by simulation: intervals hold the truth 19 times in 20, and the paired test finds a
// difference that is not there one time in 20. `make slow` runs it: about a minute on two cores.
func TestSlowSimulations(t *testing.T) {
	if os.Getenv("FAQBOT_SLOW") == "" {
		t.Skip("set FAQBOT_SLOW=1")
	}
	random := rand.New(rand.NewPCG(11, 11))
	const n = 500
	for _, truth := range []float64{.8, .6} {
		const simulations = 5_000
		covered := 0
		for range simulations {
			judged := make([]Judged, n)
			for i := range judged {
				judged[i] = Judged{Confidence: .5, InScope: true, Right: random.Float64() < truth}
			}
			if i := SampleOf(judged).Interval(Accuracy); i.Low <= truth && truth <= i.High {
				covered++
			}
		}
		share := float64(covered) / simulations
		t.Logf("accuracy %.1f: %.2f %% of %d intervals hold it", truth, 100*share, simulations)
		require.InDelta(t, .95, share, .01)
	}
	for _, f := range []Named{{Name: "acc", Of: Accuracy}, {Name: "AUROC", Of: AUROC}, {Name: "nDCG@10", Of: NDCG()}, {Name: "ECE", Of: ECE}} {
		const simulations = 1_000
		rejected := 0
		for range simulations {
			before, after := alike(random, n)
			if exchanged(before, after, []Named{f})[0]+1 < (swaps+1)/20 {
				rejected++
			}
		}
		share := float64(rejected) / simulations
		t.Logf("%s: %.1f %% of %d pairs without a difference are told apart", f.Name, 100*share, simulations)
		require.InDelta(t, .05, share, .015)
	}
}

// alike are two systems that are as good as one another, on the same cases, a quarter of which nothing answers.
func alike(random *rand.Rand, n int) (before, after *Sample) {
	both := make([][]Result, 2)
	for range n {
		hard, out := random.Float64(), random.Float64() < .25
		for k := range both {
			r := result(random.Float64(), "a", []string{"abc", "bac", "bca"}[int(3*(hard+random.Float64())/2)])
			if out {
				r = result(random.Float64()*.8, "", "abc")
			}
			both[k] = append(both[k], r)
		}
	}
	return NewSample(both[0]), NewSample(both[1])
}
