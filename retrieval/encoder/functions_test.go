package encoder

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGELU(t *testing.T) {
	t.Parallel()
	for v := -12.; v < 12; v += 1. / 4096 {
		x := []float32{float32(v)}
		gelu(x)
		want := v / 2 * math.Erfc(-v/math.Sqrt2)
		if diff := math.Abs(float64(x[0]) - want); diff > 4e-7*max(1, math.Abs(v)) {
			t.Fatalf("gelu(%v) is %v, want %v", v, x[0], want)
		}
	}
	far := []float32{-1e30, 1e30, 0}
	gelu(far)
	assert.Equal(t, []float32{0, 1e30, 0}, far)
}

func TestExp(t *testing.T) {
	t.Parallel()
	for v := -87.; v <= 0; v += 1. / 4096 {
		got, want := float64(exp(float32(v))), math.Exp(v)
		if math.Abs(got-want) > 2e-7*want {
			t.Fatalf("exp(%v) is %v, want %v", v, got, want)
		}
	}
	assert.EqualValues(t, 1, exp(0))
	assert.Less(t, exp(-1e30), float32(1e-37))
}

func TestSoftmaxOfFarApartScores(t *testing.T) {
	t.Parallel()
	scores := []float32{-1000, 1000, 1000, -1e30}
	softmax(scores)
	assert.InDeltaSlice(t, []float32{0, .5, .5, 0}, scores, 1e-7)
}

func TestLayerNorm(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	n := layerNorm{scale: make([]float32, hidden), shift: make([]float32, hidden)}
	x := make([]float32, 2*hidden)
	for i := range x {
		x[i] = float32(random.NormFloat64()*3 + 5)
	}
	for i := range hidden {
		n.scale[i], n.shift[i] = random.Float32(), random.Float32()
	}
	want := make([]float32, len(x))
	for r := 0; r < len(x); r += hidden {
		var mean, variance float64
		for _, v := range x[r : r+hidden] {
			mean += float64(v) / hidden
		}
		for _, v := range x[r : r+hidden] {
			variance += (float64(v) - mean) * (float64(v) - mean) / hidden
		}
		for i := range hidden {
			normal := (float64(x[r+i]) - mean) / math.Sqrt(variance)
			want[r+i] = float32(normal*float64(n.scale[i]) + float64(n.shift[i]))
		}
	}
	n.apply(x)
	assert.InDeltaSlice(t, want, x, 2e-6)
}

func TestAttention(t *testing.T) {
	t.Parallel()
	const rows = 5
	random := rand.New(rand.NewPCG(7, 8))
	qkv := make([]float32, rows*3*hidden)
	for i := range qkv {
		qkv[i] = float32(random.NormFloat64())
	}
	at := func(row, part, head, i int) float64 {
		return float64(qkv[(row*3+part)*hidden+head*headWidth+i])
	}
	want := make([]float32, rows*hidden)
	for h := range heads {
		for r := range rows {
			var weights [rows]float64
			var total float64
			for j := range rows {
				for i := range headWidth {
					weights[j] += at(r, 0, h, i) * at(j, 1, h, i)
				}
				weights[j] = math.Exp(weights[j] / math.Sqrt(headWidth))
				total += weights[j]
			}
			for i := range headWidth {
				var sum float64
				for j, w := range weights {
					sum += w / total * at(j, 2, h, i)
				}
				want[r*hidden+h*headWidth+i] = float32(sum)
			}
		}
	}
	got := make([]float32, rows*hidden)
	attend(got, qkv, make([]float32, rows))
	assert.InDeltaSlice(t, want, got, 1e-5)
}
