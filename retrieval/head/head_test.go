package head

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// toy is n vectors of each class around the class's own direction; the farther, the more spread.
func toy(classes, n, dim int, spread float64) (vectors [][]float32, class []int32, centres [][]float32) {
	r := rand.New(rand.NewPCG(1, 2))
	around := func(centre []float32, spread float64) []float32 {
		v, sum := make([]float32, dim), 0.0
		for i := range v {
			v[i] = float32(spread * r.NormFloat64() / math.Sqrt(float64(dim)))
			if centre != nil {
				v[i] += centre[i]
			}
			sum += float64(v[i]) * float64(v[i])
		}
		for i := range v {
			v[i] /= float32(math.Sqrt(sum))
		}
		return v
	}
	for c := range classes {
		centres = append(centres, around(nil, 1))
		for range n {
			vectors, class = append(vectors, around(centres[c], spread)), append(class, int32(c))
		}
	}
	return vectors, class, centres
}

func TestLogisticSeparatesTheSeparable(t *testing.T) {
	for _, size := range []struct{ classes, n, dim int }{{2, 5, 8}, {7, 9, 33}, {40, 4, 64}} {
		vectors, class, centres := toy(size.classes, size.n, size.dim, .4)
		l := NewLogistic(vectors, class, size.classes)
		for c, v := range centres {
			p := l.Probabilities(nil, v, nil)
			sum := float32(0)
			for other, x := range p {
				sum += x
				require.True(t, other == c || x < p[c], "class %d of %v is taken for %d", c, size, other)
			}
			require.InDelta(t, 1, sum, 1e-4)
		}
	}
}

func TestLogisticIsAtItsMinimum(t *testing.T) {
	vectors, class, _ := toy(3, 20, 8, 1.5)
	f := newFit(vectors, class, 3)
	f.run()
	reached := f.loss
	for range 5 {
		f.run() // on from where it stopped
	}
	require.InEpsilon(t, f.loss, reached, 1e-3)
	require.Less(t, math.Sqrt(inner(f.slope, f.slope)), .05)

	// The gradient is that of the loss.
	slope, other := make([]float32, len(f.at)), make([]float32, len(f.at))
	at := make([]float32, len(f.at))
	f.measure(at, slope)
	for i := range at {
		at[i] = .1
		up := f.measure(at, other)
		at[i] = -.1
		down := f.measure(at, other)
		at[i] = 0
		require.InDelta(t, (up-down)/.2, slope[i], .02)
	}
}

func TestClosedClassesHaveNoChance(t *testing.T) {
	vectors, class, centres := toy(4, 5, 16, .3)
	p := NewLogistic(vectors, class, 4).Probabilities(nil, centres[2], []bool{false, false, true, false})
	require.Zero(t, p[2])
	require.InDelta(t, 1, p[0]+p[1]+p[3], 1e-4)
}

func TestAllClassesClosed(t *testing.T) {
	vectors, class, centres := toy(2, 5, 16, .3)
	for _, p := range NewLogistic(vectors, class, 2).Probabilities(nil, centres[0], []bool{true, true}) {
		require.Zero(t, p)
	}
}

func TestRidgeSolves(t *testing.T) {
	vectors, class, _ := toy(5, 6, 24, .8)
	r := NewRidge(vectors)
	for _, v := range vectors {
		// (Σxxᵀ+λ) direction is the question again.
		d := r.Direction(v)
		back := make([]float32, len(v))
		axpy(back, ridgePenalty, d)
		for _, x := range vectors {
			axpy(back, float32(inner(x, d)), x)
		}
		require.InDeltaSlice(t, v, back, 1e-4)
	}
	own, others := 0.0, 0.0
	for i, x := range vectors {
		if s := inner(r.Direction(vectors[0]), x); class[i] == class[0] {
			own += s
		} else {
			others += s
		}
	}
	require.Greater(t, own, .5)
	require.Less(t, math.Abs(others), .3)
}

func TestRidgeOfManyIsThatOfASample(t *testing.T) {
	vectors, _, _ := toy(3, ridgeRows, 8, .8)
	r := NewRidge(vectors)
	d := r.Direction(vectors[0])
	sum := make([]float64, 8)
	for _, x := range vectors {
		f := inner(x, d)
		for i := range sum {
			sum[i] += f * float64(x[i])
		}
	}
	for i, s := range sum {
		require.InDelta(t, vectors[0][i], s+float64(d[i]), .1)
	}
}

func TestSameInSameOut(t *testing.T) {
	vectors, class, centres := toy(9, 5, 40, 1)
	a, b := NewLogistic(vectors, class, 9), NewLogistic(vectors, class, 9)
	require.Equal(t, a, b)
	require.Equal(t, a.Probabilities(nil, centres[0], nil), b.Probabilities([]float32{7, 7}, centres[0], nil))
	require.Equal(t, NewRidge(vectors), NewRidge(vectors))
}

func BenchmarkLogistic(b *testing.B) {
	vectors, class, _ := toy(77, 11, 384, 1)
	for b.Loop() {
		NewLogistic(vectors, class, 77)
	}
}

func BenchmarkRidge(b *testing.B) {
	vectors, _, _ := toy(1000, 10, 384, 1)
	for b.Loop() {
		NewRidge(vectors)
	}
}
