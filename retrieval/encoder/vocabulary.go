package encoder

import (
	"cmp"
	"maps"
	"slices"
)

// Words returns the words that the model knows whole, lower-cased, roughly the most frequent first: none of the
// multilingual one, whose pieces are of all languages.
func (e *Encoder) Words() []string {
	ids := e.words
	return slices.SortedFunc(maps.Keys(ids), func(a, b string) int { return cmp.Compare(ids[a], ids[b]) })
}
