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
	readings []reading     // as it is, and as it was probably meant if that differs
	said     *recollection // nil if the question stands alone
	locale   string
	now      time.Time
	limit    int
}

// A reading is a spelling of a question.
type reading struct {
	text   string
	vector []float32 // of length one
}

// scored is a hit with what it is ranked by.
type scored struct {
	Hit
	sum float64 // of score
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
type buffers [3]view

// A view is what a part looks like from one reading.
type view struct {
	reading
	verdict
	byWording  []float32 // n-gram similarity, then BM25
	lexical    []float32 // by entry: its best wording's n-gram similarity
	words      []float32 // by entry: its best wording's BM25
	semantic   []float32 // by entry: its best wording's cosine, unknown if not computed
	best       []int32   // by entry: the wording with that cosine
	candidates []int32   // entries whose semantic is known
	top        []int32   // entries with the best n-gram similarity
	stale      []float32 // by entry: how near it is to what was said before; only with a past
}

// A candidate is an entry with its score.
type candidate struct {
	entry int32
	sum   float64
}

const unknown = math.MaxFloat32

// rank scores an entry by the cosine of its best wording, tempered by the mean of all its wordings',
// plus half the n-gram similarity of its best wording, plus what the heads learned if there are any,
// and returns the best entries, at most one of each set of translations. The mean makes up for the
// many chances that an entry of many wordings has to be near by accident. A question with misspelt
// words has two readings, and an entry the mean of its scores in both.
//
// Candidates are the entries near by any measure, and by BM25; all parts are then exact for each.
// BM25 has no part in the score: added to it, it helped long questions with rare words, and cost as
// much elsewhere.
func (p *part) rank(ctx context.Context, sp *space, q question, buf *buffers) ([]scored, error) {
	shut := p.open.shut(q.now, q.locale)
	readings := q.readings
	if q.said != nil {
		readings = append(slices.Clip(readings), q.said.reading)
	}
	views := buf[:len(readings)]
	for i, r := range readings {
		views[i].reading = r
		p.spell(shut, &views[i])
		views[i].judge(sp.heads, r.vector, shut)
		if err := p.near(ctx, sp, q.limit+spare, shut, &views[i]); err != nil {
			return nil, err
		}
	}
	candidates := p.join(sp, shut, views, q.said)
	views = views[:len(q.readings)]
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.sum, a.sum), cmp.Compare(p.entries[a.entry].ID, p.entries[b.entry].ID))
	})
	found := make([]scored, 0, q.limit)
	var seen map[int32]bool // sets of translations
	for _, c := range candidates {
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
		v := &views[0]
		if last := &views[len(views)-1]; last.semantic[c.entry] > v.semantic[c.entry] {
			v = last
		}
		found = append(found, scored{sum: c.sum, Hit: Hit{
			Entry:    p.entries[c.entry],
			Wording:  p.wordings[v.best[c.entry]],
			Score:    sp.curve.at(c.sum),
			Semantic: float64(v.semantic[c.entry]),
			Lexical:  float64(v.lexical[c.entry]),
		}})
	}
	return found, nil
}

// join scores the candidates of every view in all of them, and returns each with its mean score. With
// a past, the last view is the question's with it.
func (p *part) join(sp *space, shut []bool, views []view, said *recollection) []candidate {
	for i := range views {
		for k := range views {
			for _, e := range views[i].candidates {
				p.consider(e, sp, shut, &views[k])
			}
		}
	}
	alone := views
	if said != nil {
		alone = views[:len(views)-1]
		last := &views[len(views)-1]
		last.stale = p.stale(last.stale, shut, said, last)
	}
	joined := make([]candidate, 0, len(views[0].candidates))
	for _, e := range views[0].candidates {
		sum := 0.0
		for i := range alone {
			sum += p.score(e, sp, &alone[i])
		}
		sum /= float64(len(alone))
		if said != nil {
			last := &views[len(views)-1]
			sum = said.inContext(sum, p.score(e, sp, last), alone[0].lexical[e], last.stale[e])
		}
		joined = append(joined, candidate{e, sum})
	}
	return joined
}

// score is an entry's in a view that has it as a candidate.
func (p *part) score(e int32, sp *space, v *view) float64 {
	mean := sp.mean(e, v.vector, v.semantic[e])
	return fuse(v.semantic[e], mean, v.lexical[e]) + p.verdict(e, sp, &v.verdict)
}

// fuse is an entry's score without heads, from -1 to 1.5, of its best wording's cosine, the mean
// cosine of all and the best n-gram similarity. Sums of the raw parts carry over to other corpora
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

// spell fills v.lexical and v.words, and resets the rest.
func (p *part) spell(shut []bool, v *view) {
	v.byWording = p.grams.Scores(v.byWording, v.text)
	v.lexical = p.byEntry(v.lexical, v.byWording, shut)
	v.byWording = p.words.Scores(v.byWording, v.text)
	v.words = p.byEntry(v.words, v.byWording, shut)
	n := len(p.entries)
	v.semantic = slices.Grow(v.semantic[:0], n)[:n]
	v.best = slices.Grow(v.best[:0], n)[:n]
	v.candidates = v.candidates[:0]
	for e := range v.semantic {
		v.semantic[e] = unknown
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

// near finds at least want candidates, if there are, and fills v.semantic and v.best for them.
func (p *part) near(ctx context.Context, sp *space, want int, shut []bool, v *view) error {
	found, err := sp.vectors.Nearest(ctx, v.vector, nearest)
	if err != nil {
		return err
	}
	for _, n := range found {
		e := p.owner[n.Index]
		if (shut != nil && shut[e]) || v.semantic[e] != unknown {
			continue // shut, or its best wording was here before
		}
		v.semantic[e], v.best[e] = n.Cosine, int32(n.Index)
		v.candidates = append(v.candidates, e)
	}
	if len(v.candidates) < want && len(found) < len(p.wordings) {
		// A few entries with very many wordings, or many that are shut: look at everything.
		for e := range p.entries {
			p.consider(int32(e), sp, shut, v)
		}
		return nil
	}
	for _, scores := range [][]float32{v.lexical, v.words, v.chances} {
		v.top = top(v.top[:0], scores, want)
		for _, e := range v.top {
			p.consider(e, sp, shut, v)
		}
	}
	return nil
}

// consider makes e a candidate unless it is one already or shut.
func (p *part) consider(e int32, sp *space, shut []bool, v *view) {
	if (shut != nil && shut[e]) || v.semantic[e] != unknown || p.first[e] == p.first[e+1] {
		return
	}
	for w := p.first[e]; w < p.first[e+1]; w++ {
		if c := sp.vectors.Cosine(v.vector, int(w)); w == p.first[e] || c > v.semantic[e] {
			v.semantic[e], v.best[e] = c, w
		}
	}
	v.candidates = append(v.candidates, e)
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
