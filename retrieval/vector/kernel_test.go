package vector

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A scanCall is one call of kernel.scan.
type scanCall struct {
	query scanQuery
	docs  slabRows
	rows  int
}

// newScan lays out slices from odd addresses, as nothing promises alignment.
func newScan(rows, stride int, query func() int8, doc func() uint8) scanCall {
	c := scanCall{
		query: scanQuery{bytes: make([]int8, stride+1)[1:], length: 1234.5},
		docs: slabRows{
			bytes:  make([]uint8, rows*stride+1)[1:],
			scales: make([]float32, rows+1)[1:],
			losses: make([]float32, rows+1)[1:],
		},
		rows: rows,
	}
	for i := range c.query.bytes {
		c.query.bytes[i] = query()
		c.query.offset += zeroPoint * int(c.query.bytes[i])
	}
	for i := range c.docs.bytes {
		c.docs.bytes[i] = doc()
	}
	for i := range rows {
		c.docs.scales[i], c.docs.losses[i] = 1/float32(100+i), 1/float32(10+3*i)
	}
	return c
}

// by runs c on k. The scores start out dirty and have guards behind them.
func (c scanCall) by(t testing.TB, k kernel) []float32 {
	t.Helper()
	scores := make([]float32, c.rows+8)
	for i := range scores {
		scores[i] = -7
	}
	k.scan(scores[:c.rows], &c.query, c.docs)
	for _, guard := range scores[c.rows:] {
		require.EqualValues(t, -7, guard, "%s wrote past its scores", k.name)
	}
	return scores[:c.rows]
}

// plain is the definition of kernel.scan, written out.
func (c scanCall) plain() []float32 {
	scores := make([]float32, c.rows)
	for r := range scores {
		var sum int32
		for i, q := range c.query.bytes {
			sum += (int32(c.docs.bytes[r*len(c.query.bytes)+i]) - zeroPoint) * int32(q)
		}
		scores[r] = float32(float32(sum)*c.docs.scales[r]) + float32(c.query.length*c.docs.losses[r])
	}
	return scores
}

func TestScansAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...int) func() int { return func() int { return list[r.IntN(len(list))] } }
	queries := map[string]func() int{
		"random": func() int { return r.IntN(255) - 127 },
		"lowest": pick(-127), "highest": pick(127), "extreme": pick(-127, 127), "zero": pick(0),
	}
	docs := map[string]func() int{
		"random": func() int { return 1 + r.IntN(255) },
		"lowest": pick(1), "highest": pick(255), "extreme": pick(1, 255), "zero": pick(zeroPoint),
	}
	for qn, query := range queries {
		for dn, doc := range docs {
			for _, stride := range []int{64, 128, 384, 448} {
				for _, rows := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 13} {
					c := newScan(rows, stride, func() int8 { return int8(query()) }, func() uint8 { return uint8(doc()) })
					want := c.plain()
					for _, k := range kernels() {
						require.Equal(t, want, c.by(t, k), "%s: %s query, %s vectors, %d × %d", k.name, qn, dn, rows, stride)
					}
				}
			}
		}
	}
}

func TestLongestRowDoesNotOverflow(t *testing.T) {
	t.Parallel()
	for _, q := range []int8{-127, 127} {
		c := newScan(2, maxDim, func() int8 { return q }, func() uint8 { return 255 })
		c.docs.scales[0], c.docs.losses[0] = 1, 0
		for _, k := range kernels() {
			require.Equal(t, float32(int(q)*127*maxDim), c.by(t, k)[0], k.name)
		}
	}
}

func FuzzScansAgree(f *testing.F) {
	f.Add(uint8(1), uint8(1), []byte{0, 255, 127, 128})
	f.Add(uint8(13), uint8(6), []byte("a query and what it looks for"))
	f.Fuzz(func(t *testing.T, rows, steps uint8, data []byte) {
		if steps == 0 || len(data) == 0 {
			return
		}
		at := 0
		next := func() uint8 { at++; return data[at%len(data)] }
		c := newScan(int(rows), int(steps)*rowAlign,
			func() int8 { return max(-127, int8(next())) }, func() uint8 { return max(1, next()) })
		want := c.plain()
		for _, k := range kernels() {
			require.Equal(t, want, c.by(t, k), k.name)
		}
	})
}

// floatsOf returns n numbers of every size from an odd address.
func floatsOf(r *rand.Rand, n int) []float32 {
	v := make([]float32, n+1)[1:]
	for i := range v {
		v[i] = float32(math.Ldexp(r.NormFloat64(), r.IntN(60)-50))
	}
	return v
}

func TestDotsAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for dim := 1; dim < 70; dim++ {
		for rows := range 10 {
			checkDots(t, r, rows, dim)
		}
	}
	for _, dim := range []int{383, 384, 385, 1536, 3072} {
		checkDots(t, r, 9, dim)
	}
	require.Zero(t, Dot(nil, nil))
	require.Panics(t, func() { Dot([]float32{1, 2}, []float32{1}) })
	require.Panics(t, func() { Dots(make([]float32, 1), []float32{1, 2}, [][]float32{{1}}) })
	require.Panics(t, func() { Dots(nil, []float32{1}, [][]float32{{1}}) })
}

func checkDots(t *testing.T, r *rand.Rand, n, dim int) {
	t.Helper()
	query := floatsOf(r, dim)
	rows := make([][]float32, n)
	want := make([]float32, n, n+1)
	for i := range rows {
		rows[i] = floatsOf(r, dim)
		want[i] = dotGo(query, rows[i])
		require.Equal(t, want[i], Dot(query, rows[i]), "one of %d numbers", dim)
	}
	all := make([]float32, n)
	Dots(all, query, rows)
	require.Equal(t, want, all, "%d rows of %d numbers", n, dim)
	want = append(want, -7)
	for _, k := range kernels() {
		got := make([]float32, n+1)
		got[n] = -7
		k.dots(got[:n], query, rows)
		require.Equal(t, want, got, "%s: %d × %d", k.name, n, dim)
	}
}

func TestDotOfExtremes(t *testing.T) {
	t.Parallel()
	inf := float32(math.Inf(1))
	for _, x := range []float32{math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, inf, -inf, 0} {
		for dim := 1; dim < 20; dim++ {
			a, b := make([]float32, dim), make([]float32, dim)
			for i := range a {
				a[i], b[i] = x, 1-float32(i%3)/2
			}
			want, got := dotGo(a, b), Dot(a, b)
			if want != got && (want == want || got == got) {
				t.Errorf("%d times %v: %v, want %v", dim, x, got, want)
			}
		}
	}
}

func FuzzDotsAgree(f *testing.F) {
	f.Add(uint64(1), uint16(384), uint8(5))
	f.Add(uint64(2), uint16(7), uint8(4))
	f.Fuzz(func(t *testing.T, seed uint64, dim uint16, rows uint8) {
		checkDots(t, rand.New(rand.NewPCG(seed, 0)), int(rows%16), 1+int(dim%1000))
	})
}
