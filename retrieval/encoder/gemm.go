package encoder

import "math"

const (
	panelColumns = 32  // outputs per panel; a multiple of the widest vector's 16 int32
	zeroPoint    = 128 // the byte that stands for activation 0
)

// A kernel does the bulk of the work, above all to multiply quantised activations with one panel of
// quantised weights. All kernels give the same bits; goKernel is the definition.
type kernel struct {
	name string

	// panel sets tile[r*panelColumns+c] = Σ_k (u[r*k+k′]−zeroPoint) · w[k′, c] for each of rows.
	// w is laid out as pack in model/write.go says, never holds −128, and k is a multiple of 4.
	// sums has the plain sum of each column. Assembly cannot be preempted and the garbage collector
	// waits for it, so a kernel must leave it every 50 µs; these do every few.
	panel func(tile []int32, u []uint8, w []int8, sums []int32, rows, k int)

	// The others are the functions of plain Go that bear their names, to the bit; normalise is
	// layerNorm.apply.
	quantise   func(u []uint8, src, factors []float32) (scale float32)
	dequantise func(dst []float32, tile []int32, rowScales, columnScales, bias []float32, outputs int)
	gelu       func(x []float32)
	attend     func(dst, qkv, scores []float32)
	add        func(a, b []float32)
	normalise  func(n layerNorm, x []float32)
}

// A linear is a layer y = Wx + b.
type linear interface {
	// apply sets dst, rows × outputs, from src, rows × inputs.
	apply(dst, src []float32, rows int, s *scratch)
}

// An int8Linear is a linear whose weights are 8-bit integers with one scale per output. Inputs that
// tend to be large are scaled down first, and their weights up; model/write.go says why.
type int8Linear struct {
	inputs, outputs int
	factors         []float32 // per input, what it is multiplied by before it is quantised
	scales, bias    []float32
	sums            []int32 // per output, the sum of its quantised weights
	weights         []int8  // panels, see pack in model/write.go
	kernel          kernel
}

func (l *int8Linear) apply(dst, src []float32, rows int, s *scratch) {
	u, scales := s.quantised[:rows*l.inputs], s.rowScales[:rows]
	for r := range rows {
		scales[r] = l.kernel.quantise(u[r*l.inputs:], src[r*l.inputs:], l.factors)
	}
	tile := s.tile[:rows*panelColumns]
	for first := 0; first < l.outputs; first += panelColumns {
		weights := l.weights[first*l.inputs:][:panelColumns*l.inputs]
		l.kernel.panel(tile, u, weights, l.sums[first:][:panelColumns], rows, l.inputs)
		l.kernel.dequantise(dst[first:], tile, scales, l.scales[first:], l.bias[first:], l.outputs)
	}
}

// dequantise turns a tile, one row for each of rowScales, into the first panelColumns of dst's rows,
// which lie outputs apart.
func dequantise(dst []float32, tile []int32, rowScales, columnScales, bias []float32, outputs int) {
	columns, shifts := (*[panelColumns]float32)(columnScales), (*[panelColumns]float32)(bias)
	for r, scale := range rowScales {
		to, sums := (*[panelColumns]float32)(dst[r*outputs:]), (*[panelColumns]int32)(tile[r*panelColumns:])
		for c := range to {
			to[c] = float32(float32(sums[c])*(scale*columns[c])) + shifts[c]
		}
	}
}

// quantise writes src·factors/scale + zeroPoint to u, rounded to nearest even, and returns the
// scale: max |src·factors| / 127.
func quantise(u []uint8, src, factors []float32) (scale float32) {
	u, src = u[:len(factors)], src[:len(factors)]
	// Comparing absolute values as integers orders non-negative floats and is quicker than max.
	var peakBits uint32
	for i, f := range factors {
		peakBits = max(peakBits, math.Float32bits(src[i]*f)&^(1<<31))
	}
	inverse, scale := scalesOf(math.Float32frombits(peakBits))
	// Adding 1.5·2²³ rounds to an integer that then lies in the lowest bits.
	const shift = 3<<22 + zeroPoint
	for i, f := range factors {
		u[i] = uint8(math.Float32bits(float32(src[i]*f*inverse) + shift))
	}
	return scale
}

// scalesOf returns what turns numbers of at most peak into at most 127, and back.
func scalesOf(peak float32) (inverse, scale float32) {
	if peak > 1e-30 { // below, 127/peak may overflow, and the row is as good as zero
		inverse = 127 / peak
		scale = peak / 127
	}
	return inverse, scale
}

// goKernel is the kernel in plain Go.
func goKernel() kernel {
	return kernel{
		name: "go", panel: panelGo, quantise: quantise, dequantise: dequantise,
		gelu: gelu, attend: attend, add: add, normalise: layerNorm.apply,
	}
}

const (
	chunkLength = 256 // inputs widened at a time; with pairColumns, 8 KiB of stack
	pairColumns = 4   // pairs of outputs that share one reading of the activations
)

// panelGo multiplies two weights at once: as one int64 holds w₀ + 2³²·w₁, the product with an
// activation holds both products, and so does the sum.
//
// The race detector is kept out, as it is of assembly: the inner loops only touch what the caller
// owns, and would be ten times as slow.
//
//go:norace
func panelGo(tile []int32, u []uint8, w []int8, _ []int32, rows, k int) {
	clear(tile[:rows*panelColumns])
	var pairs [chunkLength][pairColumns]int64
	for c := 0; c < panelColumns; c += 2 * pairColumns {
		for from := 0; from < k; from += chunkLength {
			chunk := pairs[:min(chunkLength, k-from)]
			widen(chunk, w[from*panelColumns+c*4:])
			for r := range rows {
				addPairs((*[2 * pairColumns]int32)(tile[r*panelColumns+c:]), u[r*k+from:], chunk)
			}
		}
	}
}

// widen pairs up eight neighbouring columns of a panel; w starts at the first of them.
//
//go:norace
func widen(pairs [][pairColumns]int64, w []int8) {
	for i := 0; i < len(pairs); i += 4 {
		group := (*[2 * pairColumns * 4]int8)(w[i*panelColumns:])
		for lane := range 4 {
			pair := &pairs[i+lane]
			for j := range pair {
				pair[j] = int64(group[j*8+lane]) + int64(group[j*8+4+lane])<<32
			}
		}
	}
}

// addPairs adds the products of activations and pairs to sums.
//
//go:norace
func addPairs(sums *[2 * pairColumns]int32, u []uint8, pairs [][pairColumns]int64) {
	var s0, s1, s2, s3 int64
	u = u[:len(pairs)]
	for i := range pairs {
		pair, a := &pairs[i], int64(u[i])-zeroPoint
		s0 += a * pair[0]
		s1 += a * pair[1]
		s2 += a * pair[2]
		s3 += a * pair[3]
	}
	for j, s := range [pairColumns]int64{s0, s1, s2, s3} {
		low := int32(s)
		sums[2*j] += low
		sums[2*j+1] += int32((s - int64(low)) >> 32)
	}
}
