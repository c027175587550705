package retrieval

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"faqbot/retrieval/vector"
)

const (
	meanShare    = 0.3 // of all wordings in the semantic part of an entry's score; the rest is the best one's
	lexicalShare = 0.5 // of the n-gram similarity in an entry's score
	nearest      = 128 // wordings asked of the vector store
	spare        = 10  // candidates beyond the hits wanted, from either side
)

// A question is a query made ready.
type question struct {
	text   string
	vector []float32 // of length one
	locale string
	now    time.Time
	limit  int
}

// scored is a hit with what it is ranked by.
type scored struct {
	Hit
	sum float64 // of fuse
}

// compareScored orders by probability. Where two are too close to certainty to differ, the sum
// decides, then the entry's ID and, as IDs are only unique by promise, the affiliate.
func compareScored(a, b scored) int {
	return cmp.Or(
		cmp.Compare(b.Score, a.Score),
		cmp.Compare(b.sum, a.sum),
		cmp.Compare(a.Entry.ID, b.Entry.ID),
		cmp.Compare(a.Entry.Affiliate, b.Entry.Affiliate),
	)
}

// buffers are the scratch memory of one ranking.
type buffers struct {
	byWording  []float32 // n-gram similarity, then BM25
	lexical    []float32 // by entry: its best wording's n-gram similarity
	words      []float32 // by entry: its best wording's BM25
	semantic   []float32 // by entry: its best wording's cosine, unknown if not computed
	best       []int32   // by entry: the wording with that cosine
	candidates []candidate
	top        []int32 // entries with the best n-gram similarity
}

// A candidate is an entry with its score.
type candidate struct {
	entry int32
	sum   float64
}

const unknown = math.MaxFloat32

// rank scores an entry by the cosine of its best wording, tempered by the mean of all its wordings',
// plus half the n-gram similarity of its best wording, and returns the best entries, at most one of
// each set of translations. The mean makes up for the many chances that an entry of many wordings
// has to be near by accident.
//
// Candidates are the entries near by either measure, and by BM25; both parts are then exact for
// each. BM25 has no part in the score: added to it, it helped long questions with rare words, and
// cost as much elsewhere.
func (p *part) rank(ctx context.Context, sp *space, q question, buf *buffers) ([]scored, error) {
	shut := p.open.shut(q.now, q.locale)
	p.spell(q.text, shut, buf)
	if err := p.near(ctx, sp, q, shut, buf); err != nil {
		return nil, err
	}
	slices.SortFunc(buf.candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.sum, a.sum), cmp.Compare(p.entries[a.entry].ID, p.entries[b.entry].ID))
	})
	found := make([]scored, 0, q.limit)
	var seen map[int32]bool // sets of translations
	for _, c := range buf.candidates {
		if len(found) == q.limit {
			break
		}
		if twins := p.open.twin[c.entry]; twins >= 0 {
			if seen[twins] {
				continue
			}
			if seen == nil {
				seen = make(map[int32]bool)
			}
			seen[twins] = true
		}
		found = append(found, scored{sum: c.sum, Hit: Hit{
			Entry:    p.entries[c.entry],
			Wording:  p.wordings[buf.best[c.entry]],
			Score:    sp.curve.at(c.sum),
			Semantic: float64(buf.semantic[c.entry]),
			Lexical:  float64(buf.lexical[c.entry]),
		}})
	}
	return found, nil
}

// fuse is an entry's score, from -1 to 1.5, of its best wording's cosine, the mean cosine of all and
// the best n-gram similarity. Sums of the raw parts carry over to other corpora
// better than products or ranks.
func fuse(semantic, mean, lexical float32) float64 {
	return (1-meanShare)*float64(semantic) + meanShare*float64(mean) + lexicalShare*float64(lexical)
}

// mean is the mean cosine of unit vector v with e's wordings; best is that of its best one.
func (sp *space) mean(e int32, v []float32, best float32) float32 {
	if sp.means[e] == nil {
		return best
	}
	return vector.Dot(v, sp.means[e])
}

// spell fills buf.lexical and buf.words, and resets the rest.
func (p *part) spell(text string, shut []bool, buf *buffers) {
	buf.byWording = p.grams.Scores(buf.byWording, text)
	buf.lexical = p.byEntry(buf.lexical, buf.byWording, shut)
	buf.byWording = p.words.Scores(buf.byWording, text)
	buf.words = p.byEntry(buf.words, buf.byWording, shut)
	n := len(p.entries)
	buf.semantic = slices.Grow(buf.semantic[:0], n)[:n]
	buf.best = slices.Grow(buf.best[:0], n)[:n]
	buf.candidates = buf.candidates[:0]
	for e := range buf.semantic {
		buf.semantic[e] = unknown
	}
}

// byEntry returns each entry's best score, zero for those that are shut. It reuses dst's memory.
func (p *part) byEntry(dst, byWording []float32, shut []bool) []float32 {
	dst = slices.Grow(dst[:0], len(p.entries))[:len(p.entries)]
	clear(dst)
	for w, score := range byWording {
		if e := p.owner[w]; score > dst[e] && (shut == nil || !shut[e]) {
			dst[e] = score
		}
	}
	return dst
}

// near finds the candidates and fills buf.semantic and buf.best for them.
func (p *part) near(ctx context.Context, sp *space, q question, shut []bool, buf *buffers) error {
	want := q.limit + spare
	found, err := sp.vectors.Nearest(ctx, q.vector, nearest)
	if err != nil {
		return err
	}
	for _, n := range found {
		e := p.owner[n.Index]
		if (shut != nil && shut[e]) || buf.semantic[e] != unknown {
			continue // shut, or its best wording was here before
		}
		buf.semantic[e], buf.best[e] = n.Cosine, int32(n.Index)
		buf.add(e, sp.mean(e, q.vector, n.Cosine))
	}
	if len(buf.candidates) < want && len(found) < len(p.wordings) {
		// A few entries with very many wordings, or many that are shut: look at everything.
		for e := range p.entries {
			p.consider(int32(e), sp, q, shut, buf)
		}
		return nil
	}
	for _, scores := range [][]float32{buf.lexical, buf.words} {
		buf.top = top(buf.top[:0], scores, want)
		for _, e := range buf.top {
			p.consider(e, sp, q, shut, buf)
		}
	}
	return nil
}

// consider makes e a candidate unless it is one already or shut.
func (p *part) consider(e int32, sp *space, q question, shut []bool, buf *buffers) {
	if (shut != nil && shut[e]) || buf.semantic[e] != unknown || p.first[e] == p.first[e+1] {
		return
	}
	for w := p.first[e]; w < p.first[e+1]; w++ {
		if c := sp.vectors.Cosine(q.vector, int(w)); w == p.first[e] || c > buf.semantic[e] {
			buf.semantic[e], buf.best[e] = c, w
		}
	}
	buf.add(e, sp.mean(e, q.vector, buf.semantic[e]))
}

// add makes e a candidate; mean is the mean cosine of its wordings.
func (b *buffers) add(e int32, mean float32) {
	b.candidates = append(b.candidates, candidate{e, fuse(b.semantic[e], mean, b.lexical[e])})
}

// top appends to dst, which is empty, the places of the n greatest scores above zero, the greatest
// first, equals by place.
func top(dst []int32, scores []float32, n int) []int32 {
	for i, score := range scores {
		if score == 0 || (len(dst) == n && score <= scores[dst[n-1]]) {
			continue
		}
		at := len(dst)
		for at > 0 && scores[dst[at-1]] < score {
			at--
		}
		dst = slices.Insert(dst[:min(len(dst), n-1)], min(at, n-1), int32(i))
	}
	return dst
}
