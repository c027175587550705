// Package vector finds the nearest of a fixed set of unit vectors, exactly: what it returns is what
// comparing the query with every vector returns. The package does not know what the vectors stand
// for: they are named by their place in the list. It does not filter, nor approximate. What would be
// accepted and make trouble later is refused when a Set is built.
//
// Of a Set of up to collectionMax vectors, which most FAQs have, chromem finds the nearest. It takes
// up to fifty times as long as a scan, so above that a Set has no collection but a copy of its vectors
// as 8-bit integers (Jacob et al. 2018, arXiv:1712.05877), which Nearest scans. The copy has a byte
// for each number of a vector, up to the next multiple of rowAlign, and eight bytes beside.
//
// Either gives candidates, more than were asked for, and a limit of what the cosine of any other vector
// can be; Nearest ranks the candidates by their float32 cosines. If a vector left out could belong in,
// it takes more candidates, and in the end all.
package vector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
)

const (
	// unitWithin is how far from length one chromem lets a vector be without copying it.
	unitWithin = 1e-6

	// Nearest ranks so many candidates of a scan at least, and so many times as many as it is to return.
	minCandidates  = 50
	candidatesEach = 4
	// Of chromem's, whose order is wrong by rounding only, it ranks so many more than it is to return.
	spareCandidates = 8
)

// A Set is an immutable set of unit vectors of one length. It is safe for concurrent use.
type Set struct {
	vectors [][]float32
	dim     int
	small   *collection // of the vectors if there are up to collectionMax, else nil
	slab    slab        // of the vectors if there are more, else empty
	kernel  kernel

	scratches sync.Pool // of *scratch
}

// A scratch is the working memory of one search, kept between searches.
type scratch struct {
	scores  []float32
	keys    []uint64
	rows    [][]float32
	cosines []float32
}

// A Neighbour is a vector of a Set near a query.
type Neighbour struct {
	Index  int // its place in the list the Set was built from
	Cosine float32
}

// Build makes a Set of vectors, which it keeps: the caller must not change them. All must have the
// same length in numbers, be finite and not zero; those not of length one are scaled in a copy.
func Build(ctx context.Context, vectors [][]float32) (*Set, error) {
	return buildOn(ctx, vectors, kernels()[0])
}

func buildOn(ctx context.Context, vectors [][]float32, k kernel) (*Set, error) {
	s := &Set{vectors: make([][]float32, len(vectors)), kernel: k}
	s.scratches.New = func() any { return new(scratch) }
	if len(vectors) == 0 {
		return s, nil
	}
	if s.dim = len(vectors[0]); s.dim > maxDim {
		return nil, fmt.Errorf("vector 0: has %d numbers, more than %d", s.dim, maxDim)
	}
	var err error
	for i, v := range vectors {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if s.vectors[i], err = scaleToUnit(v, s.dim); err != nil {
			return nil, fmt.Errorf("vector %d: %w", i, err)
		}
	}
	if len(vectors) <= collectionMax {
		s.small, err = newCollection(ctx, s.vectors)
		return s, err
	}
	s.slab = newSlab(s.vectors, s.dim)
	return s, nil
}

// Len is the number of vectors.
func (s *Set) Len() int { return len(s.vectors) }

// Dim is the vectors' length in numbers, 0 if there are none.
func (s *Set) Dim() int { return s.dim }

// Vector returns the i-th vector, scaled to length one. It must not be changed.
func (s *Set) Vector(i int) []float32 { return s.vectors[i] }

// Nearest returns the n vectors nearest to query, nearest first, equals by Index; fewer if there
// are fewer. query is refused like a vector of Build.
func (s *Set) Nearest(ctx context.Context, query []float32, n int) ([]Neighbour, error) {
	if n = min(n, s.Len()); n <= 0 {
		return nil, ctx.Err()
	}
	q, err := scaleToUnit(query, s.dim)
	if err != nil {
		return nil, fmt.Errorf("query vector: %w", err)
	}
	if s.small != nil {
		near, exact, err := s.rankCollected(ctx, q, n)
		if err != nil || exact {
			return near, err
		}
		return s.rankAll(ctx, q, n)
	}
	sq := s.slab.query(q)
	for want := max(minCandidates, candidatesEach*n); want < s.Len(); want *= candidatesEach {
		near, exact, err := s.rankScanned(ctx, q, &sq, n, want)
		if err != nil || exact {
			return near, err
		}
	}
	return s.rankAll(ctx, q, n)
}

// rankCollected returns the n nearest among those that chromem finds, and whether they are the nearest of all.
func (s *Set) rankCollected(ctx context.Context, q []float32, n int) ([]Neighbour, bool, error) {
	places, limit, err := s.small.nearest(ctx, q, min(n+spareCandidates, s.Len()))
	if err != nil {
		return nil, false, err
	}
	w := s.scratches.Get().(*scratch)
	defer s.scratches.Put(w)
	w.keys = w.keys[:0]
	for _, at := range places {
		w.keys = append(w.keys, key(0, at))
	}
	near := s.rankKeys(w, q, w.keys, n)
	return near, len(places) == s.Len() || float64(near[n-1].Cosine) > limit, nil
}

// rankScanned returns the n nearest among the vectors that a scan scores highest, want of them, and
// whether they are the nearest of all.
func (s *Set) rankScanned(ctx context.Context, q []float32, sq *scanQuery, n, want int) ([]Neighbour, bool, error) {
	w := s.scratches.Get().(*scratch)
	defer s.scratches.Put(w)
	w.keys = slices.Grow(w.keys[:0], 2*want)
	candidates := newTop(w.keys, want)
	w.keys = candidates.keys
	w.scores = slices.Grow(w.scores[:0], blockRows)[:blockRows]
	if err := s.slab.scan(s.kernel, sq, candidates, w.scores, ctx.Err); err != nil {
		return nil, false, err
	}
	candidates.cut()
	near := s.rankKeys(w, q, candidates.keys, n)
	return near, float64(near[n-1].Cosine) > sq.limit(candidates.floor), nil
}

// rankKeys returns the n vectors among keys' with the highest cosines. It gives the keys those as scores.
func (s *Set) rankKeys(w *scratch, q []float32, keys []uint64, n int) []Neighbour {
	w.rows, w.cosines = w.rows[:0], slices.Grow(w.cosines[:0], len(keys))[:len(keys)]
	for _, k := range keys {
		w.rows = append(w.rows, s.vectors[indexOf(k)])
	}
	s.kernel.dots(w.cosines, q, w.rows)
	for i, k := range keys {
		keys[i] = key(w.cosines[i], indexOf(k))
	}
	return neighbours(keys, n)
}

// rankAll returns the n nearest by the cosines of all.
func (s *Set) rankAll(ctx context.Context, q []float32, n int) ([]Neighbour, error) {
	nearest := newTop(nil, n)
	cosines := make([]float32, min(blockRows, s.Len()))
	for from := 0; from < s.Len(); from += blockRows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows := s.vectors[from:min(from+blockRows, s.Len())]
		s.kernel.dots(cosines, q, rows)
		for i, c := range cosines[:len(rows)] {
			if c > nearest.floor {
				nearest.add(c, from+i)
			}
		}
	}
	return neighbours(nearest.keys, n), nil
}

// neighbours returns the n lowest of keys, which it reorders.
func neighbours(keys []uint64, n int) []Neighbour {
	lowest(keys, n)
	keys = keys[:n]
	slices.Sort(keys)
	near := make([]Neighbour, n)
	for i, k := range keys {
		near[i] = Neighbour{Index: indexOf(k), Cosine: scoreOf(k)}
	}
	return near
}

// Cosine is the cosine of query, a unit vector of the Set's length, with the i-th vector.
func (s *Set) Cosine(query []float32, i int) float32 { return dot(query, s.vectors[i]) }

// Mean returns the mean of the vectors from place lo up to hi, not scaled: its dot product with a
// unit vector is the mean of the cosines.
func (s *Set) Mean(lo, hi int) []float32 {
	mean := make([]float32, s.dim)
	for _, v := range s.vectors[lo:hi] {
		for i, x := range v {
			mean[i] += x / float32(hi-lo)
		}
	}
	return mean
}

// Dot is the dot product of two vectors of one length.
func Dot(a, b []float32) float32 { return dot(a, b) }

// Dots sets dst to the dot products of query with rows, all of its length: the very numbers that Dot
// gives, several times as fast.
func Dots(dst, query []float32, rows [][]float32) {
	dst = dst[:len(rows)]
	for i, row := range rows {
		if len(row) != len(query) {
			panic(fmt.Sprintf("row %d has %d numbers, not %d", i, len(row), len(query)))
		}
	}
	dots(dst, query, rows)
}

// Unit returns v scaled to length one, or v itself if it is so long already. It refuses vectors
// that have no direction: empty, zero, or with a part that is not a finite number.
func Unit(v []float32) ([]float32, error) { return scaleToUnit(v, len(v)) }

func scaleToUnit(v []float32, dim int) ([]float32, error) {
	if len(v) != dim {
		return nil, fmt.Errorf("has %d numbers, not %d", len(v), dim)
	}
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	length := math.Sqrt(sum)
	switch {
	case math.IsNaN(length) || math.IsInf(length, 0):
		return nil, errors.New("has a part that is not a finite number")
	case length == 0:
		return nil, errors.New("is zero, so it has no direction")
	case math.Abs(length-1) < unitWithin:
		return v, nil
	}
	scaled := make([]float32, len(v))
	for i, x := range v {
		scaled[i] = float32(float64(x) / length)
	}
	return scaled, nil
}
