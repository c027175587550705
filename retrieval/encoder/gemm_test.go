package encoder

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A product is one call of kernel.panel.
type product struct {
	u       []uint8
	w       []int8
	sums    []int32
	rows, k int
}

// newProduct lays out weights given by input and column. Slices start at odd addresses, as nothing
// promises alignment.
func newProduct(rows, k int, activation func() uint8, weight func() int8) product {
	p := product{
		u: make([]uint8, rows*k+1)[1:], w: make([]int8, k*panelColumns+1)[1:],
		sums: make([]int32, panelColumns), rows: rows, k: k,
	}
	for i := range p.u {
		p.u[i] = activation()
	}
	for i := range p.w {
		p.w[i] = weight()
		p.sums[i/4%panelColumns] += int32(p.w[i])
	}
	return p
}

// by runs p on k. The tile starts out dirty and has guards behind it.
func (p product) by(t testing.TB, k kernel) []int32 {
	t.Helper()
	n := p.rows * panelColumns
	tile := make([]int32, n+16)
	for i := range tile {
		tile[i] = -7
	}
	k.panel(tile, p.u, p.w, p.sums, p.rows, p.k)
	for _, guard := range tile[n:] {
		require.EqualValues(t, -7, guard, "%s wrote past its tile", k.name)
	}
	return tile[:n]
}

// plain is the definition of kernel.panel, written out.
func (p product) plain() []int32 {
	tile := make([]int32, p.rows*panelColumns)
	for r := range p.rows {
		for c := range panelColumns {
			for i := range p.k {
				weight := p.w[i/4*4*panelColumns+c*4+i%4]
				tile[r*panelColumns+c] += (int32(p.u[r*p.k+i]) - zeroPoint) * int32(weight)
			}
		}
	}
	return tile
}

func TestKernelsAgree(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...int) func() int { return func() int { return list[random.IntN(len(list))] } }
	activations := map[string]func() int{
		"random": func() int { return random.IntN(256) },
		"lowest": pick(0), "highest": pick(255), "zero": pick(zeroPoint), "extreme": pick(0, 1, 255),
	}
	weights := map[string]func() int{
		"random": func() int { return random.IntN(255) - 127 },
		"lowest": pick(-127), "highest": pick(127), "extreme": pick(-127, 127), "zero": pick(0),
	}
	for an, a := range activations {
		for wn, w := range weights {
			for _, k := range []int{4, 8, 252, 256, 260, hidden, ffn} {
				for _, rows := range []int{1, 2, 3, 13, 14} {
					p := newProduct(rows, k,
						func() uint8 { return uint8(a()) }, func() int8 { return int8(w()) })
					want := p.plain()
					for _, kernel := range kernels() {
						require.Equal(t, want, p.by(t, kernel), "%s: %s activations, %s weights, %d × %d",
							kernel.name, an, wn, rows, k)
					}
				}
			}
		}
	}
}

func TestKernelsAgreeForAnyNumberOfRows(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for rows := 1; rows <= 60; rows++ {
		p := newProduct(rows, 16, func() uint8 { return uint8(random.Uint32()) },
			func() int8 { return int8(random.IntN(255) - 127) })
		want := p.plain()
		for _, kernel := range kernels() {
			require.Equal(t, want, p.by(t, kernel), "%s: %d rows", kernel.name, rows)
		}
	}
}

func FuzzKernelsAgree(f *testing.F) {
	f.Add(uint8(1), uint8(1), []byte{0, 255, 127, 128})
	f.Add(uint8(13), uint8(70), []byte("activations and weights"))
	f.Fuzz(func(t *testing.T, rows, quads uint8, data []byte) {
		if rows == 0 || quads == 0 || len(data) == 0 {
			return
		}
		at := 0
		next := func() uint8 { at++; return data[at%len(data)] }
		weight := func() int8 { return max(-127, int8(next())) }
		p := newProduct(int(rows), int(quads)*4, next, weight)
		want := p.by(t, goKernel())
		for _, kernel := range kernels() {
			require.Equal(t, want, p.by(t, kernel), kernel.name)
		}
	})
}

func TestShippedWeightsKeepTheKernelsPromise(t *testing.T) {
	t.Parallel()
	net, _, err := loadEnglish(english, goKernel())
	require.NoError(t, err)
	for i, l := range net.layers {
		for j, part := range []linear{l.qkv, l.output, l.expand, l.reduce} {
			matrix := part.(*int8Linear)
			sums := make([]int32, matrix.outputs)
			for at, w := range matrix.weights {
				if w == -128 {
					t.Fatalf("layer %d, matrix %d: −128 at %d", i, j, at)
				}
				panel := at / (panelColumns * matrix.inputs)
				sums[panel*panelColumns+at/4%panelColumns] += int32(w)
			}
			assert.Equal(t, matrix.sums, sums, "layer %d, matrix %d", i, j)
		}
	}
}

func TestQuantise(t *testing.T) {
	t.Parallel()
	u := make([]uint8, 6)
	src, factors := []float32{127, -254, 0, 1, -3, 2.5}, []float32{2, 1, 1, 2, 1, 2}
	assert.EqualValues(t, 2, quantise(u, src, factors))
	assert.Equal(t, []uint8{255, 1, 128, 129, 126, 130}, u, "halves go to even")
	for _, tiny := range []float32{0, math.SmallestNonzeroFloat32, -1e-31} {
		assert.Zero(t, quantise(u[:1], []float32{tiny}, []float32{1}))
		assert.EqualValues(t, zeroPoint, u[0])
	}
}

func BenchmarkPanel(b *testing.B) {
	for _, shape := range [][2]int{{14, hidden}, {14, ffn}, {maxEnglish, hidden}, {maxEnglish, ffn}} {
		p := newProduct(shape[0], shape[1],
			func() uint8 { return uint8(rand.Uint32()) }, func() int8 { return int8(rand.IntN(255) - 127) })
		tile := make([]int32, p.rows*panelColumns)
		for _, k := range kernels() {
			b.Run(fmt.Sprintf("%dx%d/%s", p.rows, p.k, k.name), func(b *testing.B) {
				for b.Loop() {
					k.panel(tile, p.u, p.w, p.sums, p.rows, p.k)
				}
				perCall := float64(p.rows * p.k * panelColumns)
				b.ReportMetric(perCall*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
			})
		}
	}
}
