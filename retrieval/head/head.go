// Package head learns, from the vectors of a corpus's wordings, which entry a question's vector
// belongs to. Entries are classes; an entry of many wordings is more than its nearest one.
//
// Two learners complement each other. Logistic is multinomial logistic regression with an L2
// penalty, fitted by L-BFGS (Liu and Nocedal 1989) from a preconditioned start; Ridge is the closed
// form of least squares on one-hot classes (Hoerl and Kennard 1970), which costs nothing per class.
// Both are deterministic, whatever GOAMD64 the program is built for: products are converted before they
// are added, which forbids fused multiply-add. The package knows no texts: it sees unit vectors and the
// classes' places.
//
// The loops over numbers are go:norace: they touch no memory but their caller's, and watching each access would make
// them nine times as slow under the race detector, which builds an index in every test of the service.
package head

import (
	"math"

	"faqbot/retrieval/vector"
)

// products fills z, rows of len(w) numbers, with the dot products of every x with every w.
func products(z []float32, x, w [][]float32) {
	for i, v := range x {
		vector.Dots(z[i*len(w):(i+1)*len(w)], v, w)
	}
}

// rows are flat cut into rows of dim numbers.
func rows(flat []float32, dim int) [][]float32 {
	list := make([][]float32, len(flat)/dim)
	for i := range list {
		list[i] = flat[i*dim : (i+1)*dim]
	}
	return list
}

// axpy adds f times x to y.
//
//go:norace
func axpy(y []float32, f float32, x []float32) {
	y = y[:len(x)]
	for len(x) >= 4 && len(y) >= 4 {
		y[0] += float32(f * x[0])
		y[1] += float32(f * x[1])
		y[2] += float32(f * x[2])
		y[3] += float32(f * x[3])
		x, y = x[4:], y[4:]
	}
	for i, v := range x {
		y[i] += float32(f * v)
	}
}

// inner is the dot product of two long vectors, added up with care.
//
//go:norace
func inner(a, b []float32) float64 {
	sum := 0.0
	for len(a) > 0 {
		n := min(len(a), 256)
		var s0, s1 float32
		x, y := a[:n], b[:n]
		for i := 0; i+1 < n; i += 2 {
			s0 += float32(x[i] * y[i])
			s1 += float32(x[i+1] * y[i+1])
		}
		if n%2 == 1 {
			s0 += float32(x[n-1] * y[n-1])
		}
		sum += float64(s0) + float64(s1)
		a, b = a[n:], b[n:]
	}
	return sum
}

// softmax makes probabilities of logits in place, nothing of minus infinity, and returns the
// logarithm of their sum.
//
//go:norace
func softmax(z []float32) float64 {
	most := z[0]
	for _, v := range z {
		most = max(most, v)
	}
	if math.IsInf(float64(most), -1) {
		clear(z)
		return math.Inf(-1)
	}
	sum := float32(0)
	for i, v := range z {
		z[i] = 0
		if v -= most; v > -20 { // less is nothing in a float32's sum
			z[i] = float32(math.Exp(float64(v)))
			sum += z[i]
		}
	}
	for i := range z {
		z[i] /= sum
	}
	return float64(most) + math.Log(float64(sum))
}
