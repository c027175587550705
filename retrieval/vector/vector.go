// Package vector finds the nearest of a fixed set of unit vectors. It is the only user of chromem,
// whose traps it keeps to itself: a Set is built afresh for each snapshot and never persisted, and
// what chromem would accept and choke on later is refused at the door. The package does not know
// what the vectors stand for: they are named by their place in the list.
package vector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/philippgille/chromem-go"
)

// unitWithin is how far from length one chromem lets a vector be without copying it.
const unitWithin = 1e-6

// A Set is an immutable set of unit vectors of one length. It is safe for concurrent use.
type Set struct {
	vectors [][]float32 // shared with chromem's documents
	dim     int
	docs    *chromem.Collection // nil if there are none
}

// A Neighbour is a vector of a Set near a query.
type Neighbour struct {
	Index  int // its place in the list the Set was built from
	Cosine float32
}

// Build makes a Set of vectors, which it keeps: the caller must not change them. All must have the
// same length in numbers, be finite and not zero; those not of length one are scaled in a copy.
func Build(ctx context.Context, vectors [][]float32) (*Set, error) {
	s := &Set{vectors: make([][]float32, len(vectors))}
	if len(vectors) == 0 {
		return s, nil
	}
	s.dim = len(vectors[0])
	// The collection is never given a text, so its embedding function, which by default calls a
	// paid service, must not be reached.
	docs, err := chromem.NewDB().CreateCollection("wordings", nil, refuseText)
	if err != nil {
		return nil, fmt.Errorf("make collection: %w", err)
	}
	for i, v := range vectors {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if s.vectors[i], err = unit(v, s.dim); err != nil {
			return nil, fmt.Errorf("vector %d: %w", i, err)
		}
		// No Metadata: chromem keeps the caller's map, not its copy.
		doc := chromem.Document{ID: strconv.Itoa(i), Embedding: s.vectors[i]}
		if err := docs.AddDocument(ctx, doc); err != nil {
			return nil, fmt.Errorf("add vector %d: %w", i, err)
		}
	}
	s.docs = docs
	return s, nil
}

func refuseText(context.Context, string) ([]float32, error) {
	return nil, errors.New("texts are embedded before they come here")
}

// Len is the number of vectors.
func (s *Set) Len() int { return len(s.vectors) }

// Vector returns the i-th vector, scaled to length one. It must not be changed.
func (s *Set) Vector(i int) []float32 { return s.vectors[i] }

// Nearest returns the n vectors nearest to query, nearest first, equals by Index; fewer if there
// are fewer. query is refused like a vector of Build.
func (s *Set) Nearest(ctx context.Context, query []float32, n int) ([]Neighbour, error) {
	if n = min(n, s.Len()); n <= 0 {
		return nil, ctx.Err()
	}
	q, err := unit(query, s.dim)
	if err != nil {
		return nil, fmt.Errorf("query vector: %w", err)
	}
	found, err := s.query(ctx, q, n)
	if err != nil {
		return nil, err
	}
	near := make([]Neighbour, len(found))
	for i, r := range found {
		at, err := strconv.Atoi(r.ID)
		if err != nil {
			return nil, fmt.Errorf("chromem returned document %q", r.ID)
		}
		near[i] = Neighbour{Index: at, Cosine: dot(q, s.vectors[at])}
	}
	slices.SortFunc(near, func(a, b Neighbour) int {
		return cmp.Or(cmp.Compare(b.Cosine, a.Cosine), cmp.Compare(a.Index, b.Index))
	})
	return near[:n], nil
}

// query asks chromem for n vectors and as many more as it takes that the choice among equals at
// the end of the list, which chromem leaves to chance, is not chromem's.
func (s *Set) query(ctx context.Context, q []float32, n int) ([]chromem.Result, error) {
	for want := n + 1; ; want *= 2 {
		want = min(want, s.Len())
		found, err := s.docs.QueryEmbedding(ctx, q, want, nil, nil)
		// Once ctx is done chromem returns what it has so far, as if that were all.
		if err := errors.Join(err, ctx.Err()); err != nil {
			return nil, fmt.Errorf("query chromem: %w", err)
		}
		if len(found) != want {
			return nil, fmt.Errorf("chromem returned %d of %d vectors", len(found), want)
		}
		if want == s.Len() || found[want-1].Similarity < found[n-1].Similarity {
			return found, nil
		}
	}
}

// Cosines returns the cosine of query with every vector, by place. It reuses dst's memory if there
// is enough. query is refused like a vector of Build.
func (s *Set) Cosines(dst, query []float32) ([]float32, error) {
	dst = dst[:0]
	if s.Len() == 0 {
		return dst, nil
	}
	q, err := unit(query, s.dim)
	if err != nil {
		return nil, fmt.Errorf("query vector: %w", err)
	}
	for _, v := range s.vectors {
		dst = append(dst, dot(q, v))
	}
	return dst, nil
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

// Unit returns v scaled to length one, or v itself if it is so long already. It refuses vectors
// that have no direction: empty, zero, or with a part that is not a finite number.
func Unit(v []float32) ([]float32, error) { return unit(v, len(v)) }

func unit(v []float32, dim int) ([]float32, error) {
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

// dot adds in eight lanes, which is several times as fast as one after the other.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	b = b[:len(a)]
	for len(a) >= 8 && len(b) >= 8 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		s4 += a[4] * b[4]
		s5 += a[5] * b[5]
		s6 += a[6] * b[6]
		s7 += a[7] * b[7]
		a, b = a[8:], b[8:]
	}
	for i, x := range a {
		s0 += x * b[i]
	}
	return (s0 + s1) + (s2 + s3) + (s4 + s5) + (s6 + s7)
}
