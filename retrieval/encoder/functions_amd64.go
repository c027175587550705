package encoder

import "math"

// callLength is how many numbers geluEights and addEights are given at a time: at most 10 µs.
const callLength = 1 << 14

// withAVX2 sets all of k but panel.
func withAVX2(k kernel) kernel {
	k.quantise, k.dequantise = quantiseRowAVX2, dequantisePanelAVX2
	k.gelu, k.attend, k.add, k.normalise = geluAVX2, attendAVX2, addAVX2, normaliseAVX2
	return k
}

// quantiseRowAVX2 is kernel.quantise.
func quantiseRowAVX2(u []uint8, src, factors []float32) (scale float32) {
	n := len(factors)
	if n == 0 || n%32 != 0 { // no layer of the model's is so
		return quantise(u, src, factors)
	}
	u, src = u[:n], src[:n]
	inverse, scale := scalesOf(math.Float32frombits(peakAVX2(&src[0], &factors[0], n/8)))
	bytesAVX2(&u[0], &src[0], &factors[0], n, inverse)
	return scale
}

// dequantisePanelAVX2 is kernel.dequantise.
func dequantisePanelAVX2(dst []float32, tile []int32, rowScales, columnScales, bias []float32, outputs int) {
	rows := len(rowScales)
	if rows == 0 {
		return
	}
	dst, tile = dst[:(rows-1)*outputs+panelColumns], tile[:rows*panelColumns]
	columnScales, bias = columnScales[:panelColumns], bias[:panelColumns]
	dequantiseAVX2(&dst[0], &tile[0], &rowScales[0], &columnScales[0], &bias[0], rows, outputs)
}

// geluAVX2 is kernel.gelu.
func geluAVX2(x []float32) {
	for len(x) >= 8 {
		n := min(len(x), callLength) &^ 7
		geluEights(&x[0], n/8)
		x = x[n:]
	}
	gelu(x)
}

// addAVX2 is kernel.add.
func addAVX2(a, b []float32) {
	b = b[:len(a)]
	for len(a) >= 8 {
		n := min(len(a), callLength) &^ 7
		addEights(&a[0], &b[0], n/8)
		a, b = a[n:], b[n:]
	}
	add(a, b)
}

// normaliseAVX2 is kernel.normalise.
func normaliseAVX2(n layerNorm, x []float32) {
	scale, shift := n.scale[:hidden], n.shift[:hidden]
	for ; len(x) >= 2*hidden; x = x[2*hidden:] {
		var squares [2]float32
		centreTwo(&squares[0], &x[0])
		stretchTwo(&x[0], &scale[0], &shift[0], inverseOf(squares[0]), inverseOf(squares[1]))
	}
	n.apply(x)
}

// attendAVX2 is kernel.attend.
func attendAVX2(dst, qkv, scores []float32) {
	const stride = 3 * hidden
	scale := float32(1 / math.Sqrt(headWidth))
	rows := len(scores)
	if rows == 0 {
		return
	}
	dst, qkv = dst[:rows*hidden], qkv[:rows*stride]
	for at := 0; at < hidden; at += headWidth {
		for i := range rows {
			scoresAVX2(&scores[0], &qkv[i*stride+at], &qkv[hidden+at], rows, stride, scale)
			softmaxAVX2(scores)
			weighAVX2(&dst[i*hidden+at], &scores[0], &qkv[2*hidden+at], rows, stride)
		}
	}
}

// softmaxAVX2 is softmax.
func softmaxAVX2(scores []float32) {
	peak := peakOf(scores)
	whole := len(scores) &^ 7
	if whole > 0 {
		expEights(&scores[0], whole/8, peak)
	}
	if rest := scores[whole:]; len(rest) > 0 {
		var eight [8]float32
		copy(eight[:], rest)
		expEights(&eight[0], 1, peak)
		copy(rest, eight[:])
	}
	shareOut(scores)
}

// geluEights is gelu for eight numbers at a time, at least once.
//
//go:noescape
func geluEights(x *float32, eights int)

// expEights replaces each x by exp(x − peak), eight at a time, at least once.
//
//go:noescape
func expEights(x *float32, eights int, peak float32)

// scoresAVX2 sets each of the rows' scores to scale · the dot product of query and its key. Keys lie
// stride apart.
//
//go:noescape
func scoresAVX2(scores, query, keys *float32, rows, stride int, scale float32)

// weighAVX2 is weigh for values that lie stride apart.
//
//go:noescape
func weighAVX2(dst, weights, values *float32, rows, stride int)

// peakAVX2 gives the bits of max |src·factors|.
//
//go:noescape
func peakAVX2(src, factors *float32, eights int) uint32

// bytesAVX2 sets u to src·factors·inverse + zeroPoint, rounded. n is a multiple of 32.
//
//go:noescape
func bytesAVX2(u *uint8, src, factors *float32, n int, inverse float32)

// dequantiseAVX2 is kernel.dequantise for at least one row.
//
//go:noescape
func dequantiseAVX2(dst *float32, tile *int32, rowScales, columnScales, bias *float32, rows, stride int)

// addEights is add for eight numbers at a time, at least once.
//
//go:noescape
func addEights(a, b *float32, eights int)

// centreTwo takes the mean of each of two rows off it, and sets squares to their sums of squares.
//
//go:noescape
func centreTwo(squares, x *float32)

// stretchTwo multiplies two rows by a number each and by scale, and adds shift.
//
//go:noescape
func stretchTwo(x, scale, shift *float32, first, second float32)
