package eval

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// What 95 % and 5 % mean, by simulation: intervals hold the truth 19 times in 20, and the paired test finds a
// difference that is not there one time in 20. `make slow` runs it: some minutes.
func TestSlowSimulations(t *testing.T) {
	if os.Getenv("FAQBOT_SLOW") == "" {
		t.Skip("set FAQBOT_SLOW=1")
	}
	random := rand.New(rand.NewPCG(11, 11))
	const truth, n, intervals = .8, 500, 5_000
	covered := 0
	for range intervals {
		judged := make([]Judged, n)
		for i := range judged {
			judged[i] = Judged{Confidence: .5, InScope: true, Right: random.Float64() < truth}
		}
		if i := SampleOf(judged).Interval(Accuracy); i.Low <= truth && truth <= i.High {
			covered++
		}
	}
	t.Logf("%.2f %% of %d intervals hold the accuracy", 100*float64(covered)/intervals, intervals)
	require.InDelta(t, .95, float64(covered)/intervals, .01)

	list := []Named{{Name: "acc", Of: Accuracy}, {Name: "nDCG@10", Of: NDCG()}}
	const simulated = 1_000
	rejected := make([]int, len(list))
	for range simulated {
		before, after := alike(random, 200)
		for k, extreme := range exchanged(before, after, list) {
			rejected[k] += int(count((extreme+.5)/(swaps+1) < .05))
		}
	}
	for k, f := range list {
		t.Logf("%s: %.1f %% of %d pairs without a difference are told apart", f.Name, 100*float64(rejected[k])/simulated, simulated)
		require.InDelta(t, .05, float64(rejected[k])/simulated, .015)
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
