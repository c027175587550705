package lexical

import (
	"cmp"
	"math"
	"slices"
)

// The usual constants of BM25: how soon repeats stop counting, and how much length matters.
const (
	bm25K1 = 1.2
	bm25B  = 0.75
)

// BM25 is an index of words weighed by Okapi BM25 (Robertson, Zaragoza 2009) with the idf
// ln(1+(N-df+½)/(df+½)), which is never negative. A word is a run of letters, numbers and combining
// marks; there is no stemming.
type BM25 struct {
	ids   map[string]uint32
	size  int
	idf   []float32 // by word
	lists postings
}

// NewBM25 indexes wordings.
func NewBM25(wordings []string) *BM25 {
	x := &BM25{ids: make(map[string]uint32), size: len(wordings)}
	var c collector
	lengths := make([]float64, len(wordings))
	total := 0.0
	var terms []uint32
	for i, w := range wordings {
		terms = terms[:0]
		for _, word := range words(Fold(w)) {
			id, ok := x.ids[word]
			if !ok {
				id = uint32(len(x.ids))
				x.ids[word] = id
			}
			terms = append(terms, id)
		}
		c.add(terms)
		lengths[i] = float64(len(terms))
		total += lengths[i]
	}
	n := float64(len(wordings))
	mean := total / n
	x.idf = make([]float32, len(c.df))
	for term, df := range c.df {
		x.idf[term] = float32(idf(n, float64(df)))
	}
	x.lists = c.build(func(uint16) bool { return true }, func(doc int, term uint32, tf uint16) float64 {
		f := float64(tf)
		return float64(x.idf[term]) * f * (bm25K1 + 1) / (f + bm25K1*(1-bm25B+bm25B*lengths[doc]/mean))
	})
	return x
}

// idf is the weight of a word that df of n wordings have.
func idf(n, df float64) float64 { return math.Log(1 + (n-df+.5)/(df+.5)) }

// Len is the number of wordings.
func (x *BM25) Len() int { return x.size }

// Scores returns the BM25 score of query with every wording, by the wording's place, as a share of the
// query's idf: from 0, no word in common, to about 1, all words; more in a short wording that repeats
// them. Long questions thereby weigh no more than short ones, and words that no wording has count
// against all. It reuses dst's memory if there is enough.
func (x *BM25) Scores(dst []float32, query string) []float32 {
	dst = cleared(dst, x.size)
	var terms []uint32
	var total, unknown float32
	for _, word := range words(Fold(query)) {
		if id, ok := x.ids[word]; ok {
			terms = append(terms, id)
		} else {
			unknown++
		}
	}
	if len(terms) == 0 {
		return dst
	}
	slices.Sort(terms)
	total = unknown * float32(idf(float64(x.size), 0))
	runs(terms, func(term uint32, n int) { total += float32(n) * x.idf[term] })
	runs(terms, func(term uint32, n int) { x.lists.addTo(dst, term, float32(n)/total) })
	return dst
}

// In is how many wordings have the rarest word of a text.
func (x *BM25) In(text string) int {
	least := x.size
	for _, word := range words(Fold(text)) {
		n := 0
		if id, ok := x.ids[word]; ok {
			n = x.lists.size(id)
		}
		least = min(least, n)
	}
	return least
}

// Words returns the words of all wordings, the one that is in most first, equals by alphabet.
func (x *BM25) Words() []string {
	type counted struct {
		word string
		in   int
	}
	list := make([]counted, 0, len(x.ids))
	for w, id := range x.ids {
		list = append(list, counted{w, x.lists.size(id)})
	}
	slices.SortFunc(list, func(a, b counted) int { return cmp.Or(cmp.Compare(b.in, a.in), cmp.Compare(a.word, b.word)) })
	words := make([]string, len(list))
	for i, c := range list {
		words[i] = c.word
	}
	return words
}
