package head

// jitter keeps landmarks that are all but the same from spoiling the factor, as a part of the greatest
// similarity to itself.
const jitter = 1e-3

// A Nystrom gives things coordinates by how alike they are to each of a few landmarks, so that the dot
// product of two things' coordinates is about their similarity (Williams and Seeger 2001). With all
// things as landmarks it is exact.
type Nystrom struct {
	factor []float64 // Cholesky's lower triangle of the landmarks' similarities, rows of size
}

// NewNystrom takes the similarities of n landmarks to each other, a positive semidefinite kernel, row
// after row.
func NewNystrom(alike []float64, n int) *Nystrom {
	most := 0.0
	for i := range n {
		most = max(most, alike[i*n+i])
	}
	if most == 0 { // nothing is like anything
		most = 1 / jitter
	}
	for i := range n {
		alike[i*n+i] += jitter * most
	}
	cholesky(alike, n)
	return &Nystrom{factor: alike}
}

// Coordinates appends the coordinates of something so alike to each landmark to dst. It overwrites alike.
func (m *Nystrom) Coordinates(dst []float32, alike []float64) []float32 {
	forward(alike, m.factor)
	for _, v := range alike {
		dst = append(dst, float32(v))
	}
	return dst
}
