package retrieval

import (
	"fmt"

	"faqbot/knowledge"
	"faqbot/retrieval/late"
	"faqbot/retrieval/lexical"
	"faqbot/retrieval/spelling"
	"faqbot/retrieval/vector"
)

// An index is what is searched of one affiliate. It never changes.
type index struct {
	affiliate knowledge.AffiliateID
	revision  knowledge.Revision
	entries   []knowledge.Entry
	wordings  []string // of all entries, entry after entry
	owner     []int32  // whose wording it is
	first     []int32  // where each entry's wordings begin; one longer than there are entries
	open      filter
	grams     *lexical.Ngrams
	words     *lexical.BM25
	passages  []string          // by entry: its question with its answer; nil if none has an answer
	whole     *lexical.BM25     // of the passages; nil if there are none
	landmarks *landmarks        // nil if there are too many entries for a logistic head
	lexicon   *spelling.Lexicon // the wordings' words
	builtin   *vectorSpace
	abroad    *foreignSpace
	foreign   bool                   // builtin is the multilingual embedder's
	primary   *vectorSpace           // nil until its vectors are there
	reuse     map[string]late.Tokens // the primary vectors of the index before, until primary is there
}

// A vectorSpace is an index's texts in one vector space.
type vectorSpace struct {
	vectors  *vector.Set   // by wording
	means    [][]float32   // by entry: the mean of its wordings' vectors, nil if it has but one
	wordings []late.Tokens // those after an entry's first maxCompared have no rows
	passages []late.Tokens // by entry; nil if there are none
	rarity   *late.Rarity  // nil if the embedder gives no token rows
	heads    heads
	curve    *Calibration
	shape    Evidence // without a question
}

// newIndex prepares all of an index but its vectors.
func newIndex(a knowledge.AffiliateID, r knowledge.Revision, entries []knowledge.Entry) (*index, error) {
	p := &index{affiliate: a, revision: r, entries: entries, abroad: new(foreignSpace), first: make([]int32, 1, len(entries)+1)}
	for i, e := range entries {
		// Every filter rests on an index holding one affiliate's entries only.
		if e.Affiliate != a {
			return nil, fmt.Errorf("entry %s belongs to %q", e.ID, e.Affiliate)
		}
		for _, w := range wordings(e) {
			p.wordings = append(p.wordings, w)
			p.owner = append(p.owner, int32(i))
		}
		p.first = append(p.first, int32(len(p.wordings)))
	}
	p.open = newFilter(entries)
	p.grams = lexical.NewNgrams(p.wordings)
	p.words = lexical.NewBM25(p.wordings)
	p.lexicon = spelling.NewLexicon(p.words.Words())
	p.landmarks = p.landmark()
	if p.passages = passages(entries); p.passages != nil {
		p.whole = lexical.NewBM25(p.passages)
	}
	return p, nil
}
