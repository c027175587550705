package head

import "math"

const (
	ridgePenalty = 1.   // λ, for wordings of length one
	ridgeRows    = 4096 // wordings whose second moments stand for those of all
)

// A Ridge is the inverse of a corpus's second moments. A class's score, of least squares on one-hot
// classes, is the sum of its wordings' products with the question's direction: 1 for a question like
// a class's own wordings, 0 for one like others', whatever the number of classes.
type Ridge struct {
	dim    int
	factor []float64 // Cholesky's lower triangle of Σxxᵀ+λ, rows of dim
}

// NewRidge fits vectors, which are not empty and of one length.
func NewRidge(vectors [][]float32) *Ridge {
	r := &Ridge{dim: len(vectors[0])}
	r.factor = moments(vectors, r.dim)
	for i := range r.dim {
		r.factor[i*r.dim+i] += ridgePenalty
	}
	cholesky(r.factor, r.dim)
	return r
}

// moments is Σxxᵀ, its lower triangle, from an even sample if there are very many.
func moments(vectors [][]float32, dim int) []float64 {
	n := min(len(vectors), ridgeRows)
	weight := float64(len(vectors)) / float64(n)
	sample := make([][]float32, n)
	for i := range sample {
		sample[i] = vectors[i*len(vectors)/n]
	}
	columns := turned(sample, dim)
	sums := make([]float64, dim*dim)
	row := make([]float32, 2*dim)
	for i := 0; i < dim; i += 2 {
		rows := columns[i:min(i+2, dim)]
		upto := min(i+2, dim)
		products(row[:len(rows)*upto], rows, columns[:upto])
		for k := range rows {
			for j, v := range row[k*upto : (k+1)*upto] {
				sums[(i+k)*dim+j] = weight * float64(v)
			}
		}
	}
	return sums
}

// cholesky factors the lower triangle a in place; what is above is left as it is.
//
//go:norace
func cholesky(a []float64, n int) {
	for i := range n {
		ri := a[i*n : i*n+n]
		for j := range i + 1 {
			rj := a[j*n : j*n+n]
			s := ri[j] - product(ri[:j], rj)
			if i == j {
				ri[i] = math.Sqrt(s)
			} else {
				ri[j] = s / rj[j]
			}
		}
	}
}

// turned are the columns of list's rows, each of dim numbers.
//
//go:norace
func turned(list [][]float32, dim int) [][]float32 {
	columns := rows(make([]float32, dim*len(list)), len(list))
	for i, row := range list {
		for j, x := range row {
			columns[j][i] = x
		}
	}
	return columns
}

// inverse returns the rows of (LLᵀ)⁻¹, of which l is the lower triangle of L.
//
//go:norace
func inverse(l []float64, n int) [][]float32 {
	columns := make([][]float32, n) // of L⁻¹
	y := make([]float64, n)
	for j := range n {
		columns[j] = make([]float32, n)
		for i := j; i < n; i++ {
			row := l[i*n : i*n+i+1]
			one := 0.
			if i == j {
				one = 1
			}
			y[i] = (one - product(row[j:i], y[j:i])) / row[i]
			columns[j][i] = float32(y[i])
		}
	}
	flat := make([]float32, n*n)
	products(flat, columns, columns)
	return rows(flat, n)
}

// product is the dot product of a with as many numbers of b, added in four lanes, so that additions need
// not wait for each other.
//
//go:norace
func product(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 {
		s0 += float64(a[0] * b[0])
		s1 += float64(a[1] * b[1])
		s2 += float64(a[2] * b[2])
		s3 += float64(a[3] * b[3])
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += float64(v * b[i])
	}
	return (s0 + s2) + (s1 + s3)
}

// Direction returns what a question's vector is multiplied into a wording's with.
func (r *Ridge) Direction(v []float32) []float32 {
	return solve(make([]float32, r.dim), v, r.factor, make([]float64, r.dim))
}

// forward replaces y by the solution of L x = y.
//
//go:norace
func forward(y, l []float64) {
	n := len(y)
	for i := range y {
		row := l[i*n : i*n+i+1]
		y[i] = (y[i] - product(row[:i], y)) / row[i]
	}
}

// solve fills dst with the solution of LLᵀ dst = v. y is scratch memory.
//
//go:norace
func solve(dst, v []float32, l []float64, y []float64) []float32 {
	n := len(v)
	for i, x := range v {
		y[i] = float64(x)
	}
	forward(y, l)
	for i := n - 1; i >= 0; i-- {
		row := l[i*n : i*n+i+1]
		y[i] /= row[i]
		f := y[i]
		for k, x := range row[:i] {
			y[k] -= float64(f * x)
		}
		dst[i] = float32(y[i])
	}
	return dst
}
