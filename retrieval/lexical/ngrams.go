// Package lexical compares texts by what they are spelt with: character n-grams, which forgive
// typos and know product names, and words. Indexes are built in one go, then never change, and may
// be searched by many at once. The package knows no entries, no meaning and no language: texts go
// in as a list and scores come back by their place in it.
package lexical

import (
	"math"
	"slices"
	"strings"
)

// Lengths of the n-grams, in characters.
const (
	gramMin = 2
	gramMax = 5
)

// Ngrams is an index of n-grams weighed by TF-IDF: tf 1+ln(n); smooth idf ln((1+N)/(1+df))+1; vectors
// of length one, to which n-grams that no wording has add nothing.
type Ngrams struct {
	units  func(text string) []string              // what n-grams do not reach across
	grams  func(unit string, do func(hash uint64)) // a unit's n-grams
	ids    map[uint64]uint32                       // an n-gram's hash → its term
	idf    []float64
	scales []float32 // by wording: one over its vector's length, 0 if it has no n-grams
	// Nearly every n-gram that a wording has it has once: with no weights for those the index is half
	// as large.
	once, more postings
}

// NewNgrams indexes wordings by their characters. It is scikit-learn's
// TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True): n-grams of 2 to 5
// characters within words padded by a space on either side.
func NewNgrams(wordings []string) *Ngrams {
	return indexNgrams(wordings, func(text string) []string { return strings.Fields(Fold(text)) }, hashGrams)
}

// NewPhrases indexes wordings by their words and pairs of neighbouring words, like
// TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True) with words as BM25 has them.
func NewPhrases(wordings []string) *Ngrams { return indexNgrams(wordings, phrases, hashWhole) }

func indexNgrams(wordings []string, units func(string) []string, grams func(string, func(uint64))) *Ngrams {
	x := &Ngrams{units: units, grams: grams, ids: make(map[uint64]uint32), scales: make([]float32, len(wordings))}
	var c collector
	known := make(map[string][]uint32) // units come again and again
	var terms []uint32
	for _, w := range wordings {
		terms = terms[:0]
		for _, unit := range x.units(w) {
			grams, ok := known[unit]
			if !ok {
				x.grams(unit, func(h uint64) {
					id, ok := x.ids[h]
					if !ok {
						id = uint32(len(x.ids))
						x.ids[h] = id
					}
					grams = append(grams, id)
				})
				known[unit] = grams
			}
			terms = append(terms, grams...)
		}
		c.add(terms)
	}
	n := float64(len(wordings))
	x.idf = make([]float64, len(c.df))
	for t, df := range c.df {
		x.idf[t] = math.Log((1+n)/(1+float64(df))) + 1
	}
	from := uint32(0)
	for doc, end := range c.ends {
		sum := 0.0
		for i := from; i < end; i++ {
			w := sublinear(int(c.tf[i])) * x.idf[c.terms[i]]
			sum += float64(w * w)
		}
		if sum > 0 {
			x.scales[doc] = float32(1 / math.Sqrt(sum))
		}
		from = end
	}
	x.once = c.build(func(tf uint16) bool { return tf == 1 }, nil)
	x.more = c.build(func(tf uint16) bool { return tf > 1 }, func(_ int, _ uint32, tf uint16) float64 { return sublinear(int(tf)) })
	return x
}

// Len is the number of wordings.
func (x *Ngrams) Len() int { return len(x.scales) }

// Scores returns the cosine of query with every wording, 0 to 1, by the wording's place. It reuses
// dst's memory if there is enough.
func (x *Ngrams) Scores(dst []float32, query string) []float32 {
	dst = cleared(dst, len(x.scales))
	var terms []uint32
	for _, unit := range x.units(query) {
		x.grams(unit, func(h uint64) {
			if id, ok := x.ids[h]; ok {
				terms = append(terms, id)
			}
		})
	}
	slices.Sort(terms)
	sum := 0.0
	runs(terms, func(term uint32, n int) {
		w := sublinear(n) * x.idf[term]
		sum += float64(w * w)
	})
	if sum == 0 {
		return dst
	}
	scale := 1 / math.Sqrt(sum)
	runs(terms, func(term uint32, n int) {
		weight := float32(sublinear(n) * x.idf[term] * x.idf[term] * scale) // the query's idf and the wordings'
		x.once.addTo(dst, term, weight)
		x.more.addTo(dst, term, weight)
	})
	for i, s := range x.scales {
		dst[i] *= s
	}
	return dst
}

func sublinear(tf int) float64 {
	if tf == 1 {
		return 1
	}
	return 1 + math.Log(float64(tf))
}

// hashGrams calls do with the hash of every n-gram of word, repeats included. Hashes have 64 bits:
// among a million n-grams a collision has odds of one in ten million, and would do little harm.
func hashGrams(word string, do func(hash uint64)) {
	runes := make([]rune, 0, 32)
	runes = append(runes, ' ')
	runes = append(runes, []rune(word)...)
	runes = append(runes, ' ')
	for i := range runes {
		h := uint64(0)
		for n, r := range runes[i:min(i+gramMax, len(runes))] {
			h = mix(h ^ uint64(r))
			if n+1 >= gramMin {
				do(h)
			}
		}
	}
}

// phrases are text's words and pairs of neighbours.
func phrases(text string) []string {
	list := words(Fold(text))
	for i, n := 1, len(list); i < n; i++ {
		list = append(list, list[i-1]+" "+list[i])
	}
	return list
}

// hashWhole calls do with unit's own hash.
func hashWhole(unit string, do func(hash uint64)) {
	h := uint64(0)
	for _, r := range unit {
		h = mix(h ^ uint64(r))
	}
	do(h)
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014) with its increment.
func mix(h uint64) uint64 {
	h += 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
