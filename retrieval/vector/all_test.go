package vector

import (
	"fmt"
	"slices"
)

// Cosines returns the cosine of query with every vector, by place. It reuses dst's memory if there
// is enough. query is refused like a vector of Build. It is what Nearest is compared with.
func (s *Set) Cosines(dst, query []float32) ([]float32, error) {
	dst = dst[:0]
	if s.Len() == 0 {
		return dst, nil
	}
	q, err := scaleToUnit(query, s.dim)
	if err != nil {
		return nil, fmt.Errorf("query vector: %w", err)
	}
	dst = slices.Grow(dst, s.Len())[:s.Len()]
	s.kernel.dots(dst, q, s.vectors)
	return dst, nil
}
