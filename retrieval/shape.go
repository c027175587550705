package retrieval

import "math"

// A shape is what calibration knows of a corpus as a whole.
type shape struct {
	// nearest is how alike the entries are: the mean score of a wording for the best entry that it
	// does not belong to. It is what a question scores that no entry answers but one nearly does.
	// NaN if there is only one entry.
	nearest float64
	// wordings is how many an entry has on average, as a logarithm, if heads have learned from them;
	// NaN if not. Heads that saw many wordings are surer of themselves.
	wordings float64
}

const (
	sampleMost  = 256     // wordings compared with all others
	sampleLeast = 64      // the same, for a corpus of very many wordings
	sampleWork  = 400_000 // comparisons that decide between the two: some 100 ms
)

// shapeOf measures p's shape in sp on a sample of its wordings.
func (p *part) shapeOf(sp *space) (shape, error) {
	all := len(p.wordings)
	if all == 0 {
		return shape{nearest: math.NaN(), wordings: math.NaN()}, nil
	}
	n := min(all, sampleMost, max(sampleLeast, sampleWork/all))
	sum, counted := 0.0, 0
	var grams, cosines []float32
	var err error
	for i := range n {
		w := i
		if n < all {
			// Steps of the golden ratio spread evenly and fall in with no pattern: a plain stride
			// could hit the question of every entry and none of its variants.
			_, turn := math.Modf(float64(i) * math.Phi)
			w = int(turn * float64(all))
		}
		grams = p.grams.Scores(grams, p.wordings[w])
		v := sp.vectors.Vector(w)
		if cosines, err = sp.vectors.Cosines(cosines, v); err != nil {
			return shape{}, err
		}
		if best, ok := p.bestOther(sp, p.owner[w], v, cosines, grams); ok {
			sum += best
			counted++
		}
	}
	s := shape{nearest: sum / float64(counted), wordings: math.NaN()}
	if sp.heads.ridge != nil {
		s.wordings = math.Log(float64(all) / float64(len(p.entries)))
	}
	return s, nil
}

// bestOther is the best score, for a text with these similarities, of an entry other than own and
// its translations; false if there is none.
func (p *part) bestOther(sp *space, own int32, v, cosines, grams []float32) (float64, bool) {
	best, ok := math.Inf(-1), false
	for e := range p.entries {
		lo, hi := p.first[e], p.first[e+1]
		twins := p.open.twin[e] >= 0 && p.open.twin[e] == p.open.twin[own]
		if int32(e) == own || twins || lo == hi {
			continue
		}
		semantic, lexical := cosines[lo], grams[lo]
		for w := lo + 1; w < hi; w++ {
			semantic, lexical = max(semantic, cosines[w]), max(lexical, grams[w])
		}
		best, ok = max(best, fuse(semantic, sp.mean(int32(e), v, semantic), lexical)), true
	}
	return best, ok
}
