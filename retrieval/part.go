package retrieval

import (
	"context"
	"fmt"
	"strings"

	"faqbot/knowledge"
	"faqbot/retrieval/lexical"
	"faqbot/retrieval/spelling"
	"faqbot/retrieval/vector"
)

// A part is what is searched of one affiliate. It never changes.
type part struct {
	affiliate knowledge.AffiliateID
	revision  knowledge.Revision
	entries   []knowledge.Entry
	wordings  []string // of all entries, entry after entry
	owner     []int32  // whose wording it is
	first     []int32  // where each entry's wordings begin; one longer than there are entries
	open      filter
	grams     *lexical.Ngrams
	words     *lexical.BM25
	lexicon   *spelling.Lexicon // the wordings' words
	builtin   *space
	primary   *space               // nil until its vectors are there
	reuse     map[string][]float32 // the primary vectors of the part before, until primary is there
}

// A space is a part's wordings in one vector space.
type space struct {
	vectors *vector.Set // by wording
	means   [][]float32 // by entry: the mean of its wordings' vectors, nil if it has but one
	heads   heads
	curve   curve
}

// newPart prepares all of a part but its vectors.
func newPart(a knowledge.AffiliateID, r knowledge.Revision, entries []knowledge.Entry) (*part, error) {
	p := &part{affiliate: a, revision: r, entries: entries, first: make([]int32, 1, len(entries)+1)}
	for i, e := range entries {
		// Every filter rests on a part holding one affiliate's entries only.
		if e.Affiliate != a {
			return nil, fmt.Errorf("entry %s belongs to %q", e.ID, e.Affiliate)
		}
		seen := make(map[string]bool, 1+len(e.Variants))
		for _, w := range e.Wordings() {
			if strings.TrimSpace(w) == "" || seen[w] {
				continue
			}
			seen[w] = true
			p.wordings = append(p.wordings, w)
			p.owner = append(p.owner, int32(i))
		}
		p.first = append(p.first, int32(len(p.wordings)))
	}
	p.open = newFilter(entries)
	p.grams = lexical.NewNgrams(p.wordings)
	p.words = lexical.NewBM25(p.wordings)
	p.lexicon = spelling.NewLexicon(p.words.Words())
	return p, nil
}

// embed places p's wordings in e's space. Vectors found in known are not asked for again.
func (p *part) embed(ctx context.Context, e Embedder, c calibration, known map[string][]float32) (*space, error) {
	vectors := make([][]float32, len(p.wordings))
	var texts []string
	var places []int
	for i, w := range p.wordings {
		if vectors[i] = known[w]; vectors[i] == nil {
			texts, places = append(texts, w), append(places, i)
		}
	}
	if len(texts) > 0 {
		made, err := e.Embed(ctx, texts)
		if err != nil {
			return nil, err
		}
		if len(made) != len(texts) {
			return nil, fmt.Errorf("embedder %s returned %d vectors for %d texts", e.Space(), len(made), len(texts))
		}
		for i, v := range made {
			vectors[places[i]] = v
		}
	}
	set, err := vector.Build(ctx, vectors)
	if err != nil {
		return nil, fmt.Errorf("embedder %s: %w", e.Space(), err)
	}
	sp := &space{vectors: set, means: make([][]float32, len(p.entries))}
	for i := range p.entries {
		if lo, hi := p.first[i], p.first[i+1]; hi-lo > 1 {
			sp.means[i] = set.Mean(int(lo), int(hi))
		}
	}
	sp.heads = p.learn(set)
	shape, err := p.shapeOf(sp)
	if err != nil {
		return nil, err
	}
	sp.curve = c.curve(e.Space(), shape)
	return sp, nil
}

func builtinOf(p *part) *space { return p.builtin }
func primaryOf(p *part) *space { return p.primary }

// vectors returns the vectors p has in one of its spaces, by wording.
func (p *part) vectors(in func(*part) *space) map[string][]float32 {
	if p == nil {
		return nil
	}
	sp := in(p)
	if sp == nil {
		return p.reuse
	}
	known := make(map[string][]float32, len(p.wordings))
	for i, w := range p.wordings {
		known[w] = sp.vectors.Vector(i)
	}
	return known
}

// covered reports whether reuse has a vector for every wording.
func (p *part) covered() bool {
	for _, w := range p.wordings {
		if p.reuse[w] == nil {
			return false
		}
	}
	return true
}
