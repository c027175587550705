package vector

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomRows are n unit vectors, and as Rows.
func randomRows(r *rand.Rand, n, dim int) (vectors [][]float32, rows Rows) {
	for range n {
		v := make([]float32, dim)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		v, _ = scaleToUnit(v, dim)
		vectors = append(vectors, v)
		rows.Append(v)
	}
	return vectors, rows
}

// Whatever the kernel, a probe finds the largest cosine to within what 8 bits lose.
func TestProbeFindsTheNearestRow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, probeRows - 1, probeRows, probeRows + 1, 3*probeRows + 5} {
		asked, question := randomRows(r, 9, 128)
		vectors, rows := randomRows(r, n, 128)
		require.Equal(t, n, rows.Len())
		want := make([]float32, len(asked))
		for i, q := range asked {
			want[i] = -1
			for _, v := range vectors {
				want[i] = max(want[i], dotGo(q, v))
			}
		}
		var first []float32
		for _, k := range kernels() {
			got := make([]float32, len(asked))
			probeOn(question, k).Nearest(got, rows)
			require.InDeltaSlice(t, want, got, .01, "%s, %d rows", k.name, n)
			if first == nil {
				first = got
			}
			require.Equal(t, first, got, "%s: not to the bit", k.name)
		}
	}
}

func TestProbeOfNothing(t *testing.T) {
	_, rows := randomRows(rand.New(rand.NewPCG(3, 4)), 2, 64)
	got := []float32{0, 0}
	NewProbe(rows).Nearest(got, Rows{})
	require.True(t, math.IsInf(float64(got[0]), -1) && math.IsInf(float64(got[1]), -1))
	require.Zero(t, NewProbe(Rows{}).Len())
	NewProbe(Rows{}).Nearest(nil, rows)
}
