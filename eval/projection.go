package eval

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"

	"faqbot/retrieval"
)

// A TokenReader gives the rows of a text's tokens, all of one length.
type TokenReader interface {
	TokenRows(text string) [][]float32
}

// rowsEach is how many token rows of a source a projection is fitted to.
const rowsEach = 4000

// FitProjection returns the to directions in which token rows of sources' entries are longest: the right
// singular vectors of the rows, not centred, that belong to the largest singular values. The longest comes first.
func FitProjection(sources []Source, e TokenReader, to int) [][]float64 {
	var moments [][]float64
	for _, s := range sources {
		texts := retrieval.Texts(s.Entries)
		random := rand.New(rand.NewPCG(hash(s.Name), 0))
		random.Shuffle(len(texts), func(i, k int) { texts[i], texts[k] = texts[k], texts[i] })
		left := rowsEach
		for _, text := range texts {
			for _, row := range e.TokenRows(text) {
				if left == 0 {
					break
				}
				left--
				moments = addMoment(moments, row)
			}
		}
	}
	vectors, values := eigen(moments)
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[b], values[a]) })
	directions := make([][]float64, to)
	for i := range directions {
		directions[i] = make([]float64, len(values))
		for k := range values {
			directions[i][k] = vectors[k][order[i]]
		}
	}
	return directions
}

// addMoment adds uuᵀ to moments, u being row scaled to length one.
func addMoment(moments [][]float64, row []float32) [][]float64 {
	if moments == nil {
		moments = square(len(row))
	}
	length := 0.0
	for _, x := range row {
		length += float64(x) * float64(x)
	}
	for i, x := range row {
		for k, y := range row {
			moments[i][k] += float64(x) * float64(y) / length
		}
	}
	return moments
}

func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

// eigen returns the eigenvectors of the symmetric matrix a, as columns, and its eigenvalues, by Jacobi's method:
// it turns pairs of axes until nothing is left beside the diagonal. It overwrites a.
func eigen(a [][]float64) (vectors [][]float64, values []float64) {
	n := len(a)
	vectors = square(n)
	for i := range n {
		vectors[i][i] = 1
	}
	const sweeps = 30 // ten do
	for range sweeps {
		beside, all := 0.0, 0.0
		for i := range n {
			for k := range n {
				all += a[i][k] * a[i][k]
				if i != k {
					beside += a[i][k] * a[i][k]
				}
			}
		}
		if beside <= 1e-24*all {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				turn(a, vectors, p, q)
			}
		}
	}
	values = make([]float64, n)
	for i := range n {
		values[i] = a[i][i]
	}
	return vectors, values
}

// turn makes a[p][q] zero.
func turn(a, vectors [][]float64, p, q int) {
	if a[p][q] == 0 {
		return
	}
	theta := (a[q][q] - a[p][p]) / (2 * a[p][q])
	t := math.Copysign(1, theta) / (math.Abs(theta) + math.Sqrt(theta*theta+1))
	c := 1 / math.Sqrt(t*t+1)
	s := t * c
	for k := range a {
		a[k][p], a[k][q] = c*a[k][p]-s*a[k][q], s*a[k][p]+c*a[k][q]
	}
	for k := range a {
		a[p][k], a[q][k] = c*a[p][k]-s*a[q][k], s*a[p][k]+c*a[q][k]
	}
	for k := range vectors {
		vectors[k][p], vectors[k][q] = c*vectors[k][p]-s*vectors[k][q], s*vectors[k][p]+c*vectors[k][q]
	}
}

// PackProjection writes directions as float32, little-endian.
func PackProjection(directions [][]float64) (packed []byte) {
	for _, d := range directions {
		for _, x := range d {
			packed = binary.LittleEndian.AppendUint32(packed, math.Float32bits(float32(x)))
		}
	}
	return packed
}
