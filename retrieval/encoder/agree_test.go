package encoder

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// numbers returns n numbers from an odd address: ordinary ones, and some of extreme.
func numbers(r *rand.Rand, n int, extreme ...float32) []float32 {
	list := make([]float32, n+1)[1:]
	for i := range list {
		list[i] = float32(math.Ldexp(r.NormFloat64(), r.IntN(12)-6))
		if len(extreme) > 0 && r.IntN(4) == 0 {
			list[i] = extreme[r.IntN(len(extreme))]
		}
	}
	return list
}

// same compares bits, but for what is not a number.
func same(t *testing.T, want, got []float32, what ...any) {
	t.Helper()
	require.Len(t, got, len(want), what...)
	for i := range want {
		if math.Float32bits(want[i]) != math.Float32bits(got[i]) && (want[i] == want[i] || got[i] == got[i]) {
			require.Equal(t, want[i], got[i], append(what, i)...)
		}
	}
}

func infinite(sign int) float32 { return float32(math.Inf(sign)) }

func TestGELUsAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 12))
	notANumber := float32(math.NaN())
	for _, k := range kernels() {
		for n := range 70 {
			x := numbers(r, n, 0, -0, 6, -6, 1e30, -1e30, math.SmallestNonzeroFloat32, infinite(1), infinite(-1), notANumber)
			want := slices.Clone(x)
			gelu(want)
			k.gelu(x)
			same(t, want, x, k.name, n)
		}
		long := numbers(r, 40_001)
		want := slices.Clone(long)
		gelu(want)
		k.gelu(long)
		same(t, want, long, k.name)
	}
}

func TestQuantisationsAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(13, 14))
	extremes := map[string][]float32{
		"ordinary": nil, "zero": {0}, "tiny": {1e-38, -1e-31}, "large": {1e30, -1e30, 3e30},
		"halves": {.5, 1.5, -2.5, 127}, "infinite": {infinite(1), infinite(-1)},
	}
	for name, extreme := range extremes {
		for _, n := range []int{0, 1, 31, 32, 33, 64, 96, hidden, ffn} {
			src, factors := numbers(r, n, extreme...), numbers(r, n)
			want, got := make([]uint8, n), make([]uint8, n+2)
			scale := quantise(want, src, factors)
			for _, k := range kernels() {
				got[n] = 77
				same(t, []float32{scale}, []float32{k.quantise(got[:n], src, factors)}, k.name, name, n)
				require.EqualValues(t, 77, got[n])
				if name != "infinite" { // what is not a number has no byte
					require.Equal(t, want, got[:n], "%s: %s, %d", k.name, name, n)
				}
			}
		}
	}
}

func TestDequantisationsAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(15, 16))
	for rows := range 17 {
		const outputs = 3 * panelColumns
		tile := make([]int32, rows*panelColumns+1)[1:]
		for i := range tile {
			tile[i] = int32(r.Uint32())
		}
		rowScales, columnScales, bias := numbers(r, rows), numbers(r, panelColumns), numbers(r, panelColumns)
		want := numbers(r, rows*outputs+panelColumns)
		start := slices.Clone(want)
		dequantise(want[panelColumns:], tile, rowScales, columnScales, bias, outputs)
		for _, k := range kernels() {
			got := slices.Clone(start)
			k.dequantise(got[panelColumns:], tile, rowScales, columnScales, bias, outputs)
			same(t, want, got, k.name, rows)
		}
	}
}

func TestSumsAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(21, 22))
	for _, n := range []int{0, 1, 7, 8, 9, 383, 384, 40_001} {
		a, b := numbers(r, n, infinite(1), 1e38), numbers(r, n, infinite(-1), 1e38)
		want := slices.Clone(a)
		add(want, b)
		for _, k := range kernels() {
			got := append(slices.Clone(a), 77)
			k.add(got[:n], b)
			same(t, want, got[:n], k.name, n)
			require.EqualValues(t, 77, got[n])
		}
	}
}

func TestNormalisationsAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(23, 24))
	n := layerNorm{scale: numbers(r, hidden), shift: numbers(r, hidden)}
	for _, extreme := range [][]float32{nil, {0}, {1e-30}, {1e15, -1e15}, {1e30}, {infinite(1)}} {
		for rows := range 6 {
			x := numbers(r, rows*hidden, extreme...)
			want := slices.Clone(x)
			n.apply(want)
			for _, k := range kernels() {
				got := append(slices.Clone(x), 77)
				k.normalise(n, got[:len(x)])
				same(t, want, got[:len(x)], k.name, rows, extreme)
				require.EqualValues(t, 77, got[len(x)])
			}
		}
	}
}

func checkAttentions(t *testing.T, r *rand.Rand, rows int, extreme ...float32) {
	t.Helper()
	qkv := numbers(r, rows*3*hidden, extreme...)
	want, got := make([]float32, rows*hidden), make([]float32, rows*hidden+1)
	attend(want, qkv, make([]float32, rows))
	for _, k := range kernels() {
		scores := make([]float32, rows+8)
		got[rows*hidden] = 77
		k.attend(got, qkv, scores[:rows])
		same(t, want, got[:rows*hidden], k.name, rows)
		require.EqualValues(t, 77, got[rows*hidden])
		require.Equal(t, make([]float32, 8), scores[rows:])
	}
}

func TestAttentionsAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(17, 18))
	for rows := range 20 {
		checkAttentions(t, r, rows)
		checkAttentions(t, r, rows, 0, 1e3, -1e3, 1e-30)
		checkAttentions(t, r, rows, 1e15, -1e15)
	}
}

func FuzzFunctionsAgree(f *testing.F) {
	f.Add(uint64(1), uint8(14), float32(0))
	f.Add(uint64(2), uint8(7), float32(1e9))
	f.Add(uint64(3), uint8(255), float32(math.SmallestNonzeroFloat32))
	f.Fuzz(func(t *testing.T, seed uint64, rows uint8, extreme float32) {
		r := rand.New(rand.NewPCG(seed, 0))
		checkAttentions(t, r, int(rows%24), extreme)
		x, y := numbers(r, int(rows), extreme), numbers(r, int(rows), extreme)
		norm := layerNorm{scale: numbers(r, hidden), shift: numbers(r, hidden)}
		wide, factors := numbers(r, int(rows%5)*hidden, extreme), numbers(r, hidden)
		for _, k := range kernels() {
			checkPairwise(t, k, x, y)
			want, got := slices.Clone(wide), slices.Clone(wide)
			norm.apply(want)
			k.normalise(norm, got)
			same(t, want, got, k.name, "normalise")
			for ; len(got) > 0; got = got[hidden:] {
				checkQuantisation(t, k, got[:hidden], factors)
			}
		}
	})
}

// checkPairwise compares what works on each number by itself.
func checkPairwise(t *testing.T, k kernel, x, y []float32) {
	t.Helper()
	want, got := slices.Clone(x), slices.Clone(x)
	gelu(want)
	k.gelu(got)
	same(t, want, got, k.name, "gelu")
	want, got = slices.Clone(x), slices.Clone(x)
	add(want, y)
	k.add(got, y)
	same(t, want, got, k.name, "add")
}

// checkQuantisation compares the scales, and the bytes unless some number is none.
func checkQuantisation(t *testing.T, k kernel, src, factors []float32) {
	t.Helper()
	want, got := make([]uint8, len(src)), make([]uint8, len(src))
	scale := quantise(want, src, factors)
	same(t, []float32{scale}, []float32{k.quantise(got, src, factors)}, k.name, "quantise")
	finite := !slices.ContainsFunc(src, func(x float32) bool { return x-x != 0 })
	if finite && scale-scale == 0 {
		require.Equal(t, want, got, k.name)
	}
}

func BenchmarkFunctions(b *testing.B) {
	const rows = 14
	r := rand.New(rand.NewPCG(19, 20))
	qkv, wide, factors := numbers(r, rows*3*hidden), numbers(r, rows*ffn), numbers(r, ffn)
	dst, scores := make([]float32, rows*hidden), make([]float32, rows)
	norm := layerNorm{scale: numbers(r, hidden), shift: numbers(r, hidden)}
	u, tile := make([]uint8, rows*ffn), make([]int32, rows*panelColumns)
	for _, k := range kernels() {
		for name, call := range map[string]func(){
			"gelu":       func() { k.gelu(wide) },
			"attend":     func() { k.attend(dst, qkv, scores) },
			"quantise":   func() { k.quantise(u, wide[:ffn], factors) },
			"normalise":  func() { k.normalise(norm, dst) },
			"dequantise": func() { k.dequantise(dst, tile, factors[:rows], factors, factors, hidden) },
		} {
			b.Run(fmt.Sprintf("%s/%s", name, k.name), func(b *testing.B) {
				for b.Loop() {
					call()
				}
			})
		}
	}
}
