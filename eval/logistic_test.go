package eval

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

// With one feature that is 0 or 1 the fit is known: the log odds of each half.
func TestLogisticInClosedForm(t *testing.T) {
	var x [][]float64
	var y []bool
	var w []float64
	add := func(at float64, right bool, weight float64) {
		x, y, w = append(x, []float64{at}), append(y, right), append(w, weight)
	}
	add(0, true, 1)
	add(0, false, 3)
	add(1, true, 8)
	add(1, false, 2)
	beta, err := logistic(x, y, w, 0)
	require.NoError(t, err)
	require.InDelta(t, logit(.25), beta[0], 1e-6)
	require.InDelta(t, logit(.8)-logit(.25), beta[1], 1e-6)
}

func TestLogisticFindsWhatMadeTheData(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 11))
	truth := []float64{-1, 2, -.5}
	var x [][]float64
	var y []bool
	var w []float64
	for range 20_000 {
		row := []float64{random.NormFloat64(), random.NormFloat64()}
		x, y, w = append(x, row), append(y, random.Float64() < sigmoid(linear(truth, row))), append(w, 1)
	}
	beta, err := logistic(x, y, w, 0)
	require.NoError(t, err)
	for k := range truth {
		require.InDelta(t, truth[k], beta[k], .08)
	}
	// A ridge pulls towards zero, and its optimum has no slope.
	tight, err := logistic(x, y, w, 5_000)
	require.NoError(t, err)
	require.Less(t, math.Abs(tight[1]), math.Abs(beta[1]))
	gradient, _ := derivatives(x, y, w, 5_000, tight)
	for _, g := range gradient {
		require.InDelta(t, 0, g, 1e-2)
	}
}

func TestLogisticAtItsLimits(t *testing.T) {
	// What tells right from wrong without doubt has no finite fit, but with a ridge it has.
	x, y, w := [][]float64{{0}, {0}, {1}, {1}}, []bool{false, false, true, true}, []float64{1, 1, 1, 1}
	beta, err := logistic(x, y, w, 1)
	require.NoError(t, err)
	require.Positive(t, beta[1])
	require.False(t, math.IsInf(beta[1], 0) || beta[1] > 10)
	// Large features do not overflow.
	_, err = logistic([][]float64{{1e4}, {-1e4}, {1e4}, {-1e4}}, []bool{true, false, false, true}, w, 1)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		x [][]float64
		y []bool
	}{
		"no rows":             {nil, nil},
		"a column repeated":   {[][]float64{{1, 1}, {2, 2}, {3, 3}}, []bool{true, false, true}},
		"a column that stays": {[][]float64{{1}, {1}, {1}}, []bool{true, false, true}},
	} {
		_, err := logistic(c.x, c.y, []float64{1, 1, 1}, 0)
		require.ErrorContains(t, err, "fit: ", name)
	}
}
