package lexical

import (
	"math"
	"slices"
)

// postings is an inverted index: for each term the wordings that have it, with weights.
type postings struct {
	start   []uint32 // where term t's wordings begin; one longer than there are terms
	docs    []uint32
	weights []float32 // nil if all are 1
}

// size is how many wordings have term.
func (p *postings) size(term uint32) int { return int(p.start[term+1] - p.start[term]) }

// addTo adds weight times each wording's own weight of term to its score.
func (p *postings) addTo(scores []float32, term uint32, weight float32) {
	lo, hi := p.start[term], p.start[term+1]
	docs := p.docs[lo:hi]
	if p.weights == nil {
		for _, d := range docs {
			scores[d] += weight
		}
		return
	}
	for i, w := range p.weights[lo:hi] {
		scores[docs[i]] += float32(weight * w) // not fused, so that every processor gets the same bits
	}
}

// A collector gathers the terms of wordings one after the other, then turns them into postings.
type collector struct {
	ends  []uint32 // per wording, where its terms end
	terms []uint32 // each wording's distinct terms, in the order of their first use
	tf    []uint16 // how often the wording has the term, at most 65,535
	df    []uint32 // per term, how many wordings have it

	slot []uint32 // per term, its place in terms plus one; zero outside add
}

// add takes the next wording's terms, repeats included.
func (c *collector) add(terms []uint32) {
	first := len(c.terms)
	for _, t := range terms {
		for int(t) >= len(c.df) {
			c.df, c.slot = append(c.df, 0), append(c.slot, 0)
		}
		if at := c.slot[t]; at > 0 {
			if c.tf[at-1] < math.MaxUint16 {
				c.tf[at-1]++
			}
			continue
		}
		c.terms, c.tf = append(c.terms, t), append(c.tf, 1)
		c.slot[t] = uint32(len(c.terms))
		c.df[t]++
	}
	for _, t := range c.terms[first:] {
		c.slot[t] = 0
	}
	c.ends = append(c.ends, uint32(len(c.terms)))
}

// build turns the lists round, for the terms that a wording has often enough. weigh gives a term's
// weight in a wording; nil stands for 1.
func (c *collector) build(enough func(tf uint16) bool, weigh func(doc int, term uint32, tf uint16) float64) postings {
	p := postings{start: make([]uint32, len(c.df)+1)}
	for i, t := range c.terms {
		if enough(c.tf[i]) {
			p.start[t+1]++
		}
	}
	for t := range c.df {
		p.start[t+1] += p.start[t]
	}
	n := p.start[len(c.df)]
	p.docs = make([]uint32, n)
	if weigh != nil {
		p.weights = make([]float32, n)
	}
	next := slices.Clone(p.start)
	from := uint32(0)
	for doc, end := range c.ends {
		for i := from; i < end; i++ {
			t, tf := c.terms[i], c.tf[i]
			if !enough(tf) {
				continue
			}
			at := next[t]
			next[t]++
			p.docs[at] = uint32(doc)
			if weigh != nil {
				p.weights[at] = float32(weigh(doc, t, tf))
			}
		}
		from = end
	}
	return p
}

// runs calls do for each distinct term of sorted terms with its number of repeats.
func runs(sorted []uint32, do func(term uint32, n int)) {
	for i := 0; i < len(sorted); {
		j := i + 1
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		do(sorted[i], j-i)
		i = j
	}
}

// cleared returns dst emptied and grown to n zeroes.
func cleared(dst []float32, n int) []float32 {
	dst = slices.Grow(dst[:0], n)[:n]
	clear(dst)
	return dst
}
