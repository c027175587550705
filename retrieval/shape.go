package retrieval

import (
	"context"
	"fmt"
)

const (
	sampleMost = 256 // wordings whose nearest neighbour is looked for
	neighbours = 32  // looked at; of an entry with more wordings as near as that, the last one stands for the next entry's
	// loneNearest stands for the nearest other entry where there is none: about the middle of what
	// corpora have.
	loneNearest = 0.5
)

// shapeOf measures what calibration knows of p as a whole in sp.
func (p *index) shapeOf(ctx context.Context, sp *vectorSpace) (Evidence, error) {
	e := Evidence{Learned: sp.heads.logistic != nil, Entries: len(p.entries), Nearest: loneNearest, Tokens: sp.rarity != nil}
	if len(p.entries) == 0 {
		return e, nil
	}
	e.Wordings = float64(len(p.wordings)) / float64(len(p.entries))
	sum, counted := 0.0, 0
	for _, w := range spread(len(p.wordings), sampleMost) {
		found, err := sp.vectors.Nearest(ctx, sp.vectors.Vector(int(w)), neighbours)
		if err != nil {
			return e, fmt.Errorf("compare wordings: %w", err)
		}
		for i, n := range found {
			if other := p.owner[n.Index]; !p.twins(other, p.owner[w]) || i == neighbours-1 {
				sum += float64(n.Cosine)
				counted++
				break
			}
		}
	}
	if counted > 0 {
		e.Nearest = sum / float64(counted)
	}
	return e, nil
}

// twins reports whether two entries are one, or translations of each other.
func (p *index) twins(a, b int32) bool {
	return a == b || p.open.twin[a] >= 0 && p.open.twin[a] == p.open.twin[b]
}
