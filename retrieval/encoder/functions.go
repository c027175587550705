package encoder

import "math"

// The products in this package are converted to float32 before they are added: that forbids fused
// multiply-add, so that every architecture computes the same bits.

// add adds b to a, element by element.
func add(a, b []float32) {
	b = b[:len(a)]
	for i := range a {
		a[i] += b[i]
	}
}

// A layerNorm is layer normalisation (Ba et al. 2016, arXiv:1607.06450) over hidden numbers.
type layerNorm struct {
	scale, shift []float32
}

// apply normalises each row of x.
func (n layerNorm) apply(x []float32) {
	scale, shift := (*[hidden]float32)(n.scale), (*[hidden]float32)(n.shift)
	for ; len(x) > 0; x = x[hidden:] {
		row := (*[hidden]float32)(x)
		mean := sum(row) / hidden
		for i := range row {
			row[i] -= mean
		}
		inverse := inverseOf(sumSquares(row))
		for i, v := range row {
			row[i] = float32(v*inverse*scale[i]) + shift[i]
		}
	}
}

// inverseOf returns one over the standard deviation, given the sum of squares.
func inverseOf(squares float32) float32 {
	const epsilon = 1e-12 // the model's
	return float32(1 / math.Sqrt(float64(squares/hidden)+epsilon))
}

func sum(row *[hidden]float32) float32 {
	var s0, s1, s2, s3 float32
	for i := 0; i < hidden; i += 4 {
		s0 += row[i]
		s1 += row[i+1]
		s2 += row[i+2]
		s3 += row[i+3]
	}
	return (s0 + s2) + (s1 + s3)
}

func sumSquares(row *[hidden]float32) float32 {
	var s0, s1, s2, s3 float32
	for i := 0; i < hidden; i += 4 {
		s0 += float32(row[i] * row[i])
		s1 += float32(row[i+1] * row[i+1])
		s2 += float32(row[i+2] * row[i+2])
		s3 += float32(row[i+3] * row[i+3])
	}
	return (s0 + s2) + (s1 + s3)
}

// softmax replaces scores by their exponentials, scaled to sum to 1.
func softmax(scores []float32) {
	peak := peakOf(scores)
	for i, v := range scores {
		scores[i] = exp(v - peak)
	}
	shareOut(scores)
}

func peakOf(scores []float32) float32 {
	peak := scores[0]
	for _, v := range scores {
		if v > peak {
			peak = v
		}
	}
	return peak
}

// shareOut scales scores to sum to 1.
func shareOut(scores []float32) {
	var total float32
	for _, v := range scores {
		total += v
	}
	scale := 1 / total
	for i := range scores {
		scores[i] *= scale
	}
}

// exp is eˣ for x ≤ 0, to about 1e-7 of the value; below −87 it is e⁻⁸⁷. Method and coefficients:
// Cephes' expf (Moshier 1992).
func exp(x float32) float32 {
	const (
		log2e = 1.44269504088896341
		ln2Hi = 0.693359375
		ln2Lo = -2.12194440e-4
		shift = 3 << 22 // adding 1.5·2²³ rounds to an integer, as in quantise
	)
	if x < -87 {
		x = -87
	}
	rounded := float32(x*log2e) + shift
	n := rounded - shift
	x = x - float32(n*ln2Hi) - float32(n*ln2Lo)
	p := float32(x*1.9875691500e-4) + 1.3981999507e-3
	p = float32(p*x) + 8.3334519073e-3
	p = float32(p*x) + 4.1665795894e-2
	p = float32(p*x) + 1.6666665459e-1
	p = float32(p*x) + 5.0000001201e-1
	p = float32(p*float32(x*x)) + x + 1
	return p * math.Float32frombits(uint32(int32(n)+127)<<23)
}

// gelu is the Gaussian error linear unit x·Φ(x) (Hendrycks and Gimpel 2016, arXiv:1606.08415), in
// place and to 4e-7 of max(1, |x|). It is the exact form: the tanh form differs by up to 5e-4. The
// error function is a ratio of polynomials, with Eigen's coefficients (generic_fast_erf_float), and
// its argument is held to where float32 does not tell it from ±1 anyway.
func gelu(x []float32) {
	const inverseSqrt2 = 0.70710678118654752
	for i, v := range x {
		z := v * inverseSqrt2
		if z > 4 {
			z = 4
		}
		if z < -4 {
			z = -4
		}
		q := z * z
		a := float32(q*-2.72614225801306e-10) + 2.77068142495902e-08
		a = float32(a*q) - 2.10102402082508e-06
		a = float32(a*q) - 5.69250639462346e-05
		a = float32(a*q) - 7.34990630326855e-04
		a = float32(a*q) - 2.95459980854025e-03
		a = float32(a*q) - 1.60960333262415e-02
		b := float32(q*-1.45660718464996e-05) - 2.13374055278905e-04
		b = float32(b*q) - 1.68282697438203e-03
		b = float32(b*q) - 7.37332916720468e-03
		b = float32(b*q) - 1.42647390514189e-02
		half := 0.5 * v
		x[i] = half + float32(half*(z*a/b))
	}
}
