package retrieval

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"faqbot/retrieval/late"
	"faqbot/retrieval/vector"
)

const (
	nearest         = 128   // wordings asked of the vector store
	spareCandidates = 10    // candidates beyond the hits wanted, from either side
	exactSimilarity = 0.995 // n-gram similarity from which two texts have the same words
)

// A question is a query made ready.
type question struct {
	variants []queryVariant // as it is, and as it was probably meant if that differs
	before   []string       // what was said before it, the latest first; nothing if it stands alone
	said     *recollection  // the question with that, nil if it is not needed
	learned  Offsets        // of the affiliate that is searched
	locale   string
	now      time.Time
	limit    int
}

// A queryVariant is a spelling of a question.
type queryVariant struct {
	text   string
	vector []float32      // of length one
	tokens *late.Question // nil if its space has no token rows
}

// scored is a hit with what it is ranked by among its affiliate's.
type scored struct {
	Hit
	rankScore float64
}

// compareScored orders by probability. Where that is the same, the score decides, then the entry's ID
// and, as IDs are only unique by promise, the affiliate.
func compareScored(a, b scored) int {
	return cmp.Or(
		cmp.Compare(b.Score, a.Score),
		cmp.Compare(b.rankScore, a.rankScore),
		cmp.Compare(a.Entry.ID, b.Entry.ID),
		cmp.Compare(a.Entry.Affiliate, b.Entry.Affiliate),
	)
}

// buffers are the scratch memory of one ranking.
type buffers [3]view

// A view is what an index looks like from one variant.
type view struct {
	queryVariant
	verdict
	byWording  []float32 // n-gram similarity, then BM25
	phrases    []float32 // by wording: similarity in words and pairs of words
	lexical    []float32 // by entry: its best wording's n-gram similarity
	words      []float32 // by entry: its best wording's BM25
	whole      []float32 // by entry: the BM25 of its question with its answer; empty if no entry has one
	alike      []float64 // by landmark; empty if there are none
	semantic   []float32 // by entry: its best wording's cosine, unknown if not computed
	best       []int32   // by entry: the wording with that cosine
	candidates []int32   // entries whose semantic is known
	top        []int32   // entries with the best n-gram similarity
	stale      []float32 // by entry: how near it is to what was said before; only with a past
}

// A candidate is an entry with its features, and with what they come to in the conversation.
type candidate struct {
	entry             int32
	features          Features
	score, confidence float64
}

const unknown = math.MaxFloat32

// rank returns the entries that answer q best, at most one of each set of translations, with the
// probability that each does. An entry's score is a sum of its Parts. A question with misspelt words has
// two variants, and an entry the mean of its scores in both. Candidates are the entries near by any
// measure; all features are then exact for each, but for Late, which only the best have.
func (p *index) rank(ctx context.Context, sp *vectorSpace, q question, buf *buffers) ([]scored, error) {
	excluded := p.open.excluded(q.now, q.locale)
	variants := q.variants
	if q.said != nil {
		variants = append(slices.Clip(variants), q.said.queryVariant)
	}
	views := buf[:len(variants)]
	for i, r := range variants {
		if len(r.vector) != sp.vectors.Dim() {
			return nil, fmt.Errorf("the query's vector has %d numbers, the wordings' %d", len(r.vector), sp.vectors.Dim())
		}
		views[i].queryVariant = r
		p.spell(excluded, &views[i])
		views[i].judge(sp.heads, r.vector, p.landmarks, views[i].alike, excluded)
		if err := p.near(ctx, sp, q.limit+spareCandidates, excluded, &views[i]); err != nil {
			return nil, err
		}
	}
	candidates := p.join(sp, excluded, views, q.said)
	p.sort(candidates)
	p.sort(p.compare(sp, candidates, q))
	return p.hits(candidates, q, sp, views[:len(q.variants)]), nil
}

// sort puts the best candidates first.
func (p *index) sort(candidates []candidate) {
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(p.entries[a.entry].ID, p.entries[b.entry].ID))
	})
}

// compare compares q's tokens with those of the best candidates, which it returns: others would hardly get
// ahead of them. Of what was said before it takes as much as of the other features, see inContext; but what is
// told of an entry, and how likely it is, goes by the question alone.
func (p *index) compare(sp *vectorSpace, candidates []candidate, q question) []candidate {
	if sp.rarity == nil {
		return nil
	}
	best, weight := candidates[:min(len(candidates), maxLate)], lateWeight(sp.shape.Wordings)
	for _, r := range q.variants {
		for i, score := range p.late(sp, best, r.tokens) {
			best[i].features.Late += score / float64(len(q.variants))
		}
	}
	for i := range best {
		best[i].score += float64(weight * best[i].features.Late)
	}
	if q.said != nil {
		for i, score := range p.late(sp, best, q.said.tokens) {
			best[i].score += float64(weight * q.said.dependence * score)
		}
	}
	return best
}

// late is how well a text's tokens are found in each candidate's passage or the best of its wordings.
func (p *index) late(sp *vectorSpace, candidates []candidate, q *late.Question) []float64 {
	scores := make([]float64, len(candidates))
	if q == nil {
		return scores
	}
	weights := q.Weights(sp.rarity)
	for i, c := range candidates {
		texts := sp.wordings[p.first[c.entry]:p.first[c.entry+1]]
		if sp.passages != nil {
			texts = append(slices.Clip(texts), sp.passages[c.entry])
		}
		for _, text := range texts {
			if text.Rows.Len() > 0 {
				scores[i] = max(scores[i], q.Score(weights, text.Rows))
			}
		}
	}
	return scores
}

// hits makes hits of the first candidates, which are in order, as many as q asks for and at most one of each set of
// translations.
func (p *index) hits(candidates []candidate, q question, sp *vectorSpace, views []view) []scored {
	kept := p.dedupeTranslations(candidates)
	odds, others := make([]float64, len(kept)), 0.0
	for i, c := range kept {
		odds[i] = math.Exp(decay * (c.score - kept[0].score))
		if i > 0 {
			others += odds[i]
		}
	}
	kept = kept[:min(len(kept), q.limit)]
	found := make([]scored, 0, len(kept))
	best := 0.0
	for i, c := range kept {
		v := &views[0]
		if last := &views[len(views)-1]; last.semantic[c.entry] > v.semantic[c.entry] {
			v = last
		}
		evidence := sp.shape
		evidence.Offsets = q.learned
		evidence.Sure, evidence.Plain, evidence.Late = c.confidence, c.features.plain(), c.features.Late
		probability := best * (1 - best) * odds[i] / others
		if i == 0 {
			best = sp.curve.At(evidence)
			probability = best
		}
		found = append(found, scored{rankScore: c.score, Hit: Hit{
			Entry:    p.entries[c.entry],
			Wording:  p.wordings[v.best[c.entry]],
			Score:    probability,
			Odds:     odds[i],
			Exact:    v.lexical[c.entry] >= exactSimilarity,
			Parts:    c.features,
			Evidence: evidence,
		}})
	}
	return found
}

// dedupeTranslations returns candidates without those that are translations of a better one.
func (p *index) dedupeTranslations(candidates []candidate) []candidate {
	kept := candidates[:0]
	var seen map[int32]bool // sets of translations
	for _, c := range candidates {
		if twins := p.open.twin[c.entry]; twins >= 0 {
			if seen[twins] {
				continue
			}
			if seen == nil {
				seen = make(map[int32]bool)
			}
			seen[twins] = true
		}
		kept = append(kept, c)
	}
	return kept
}

// join scores the candidates of every view in all of them, and returns each with the mean of its features.
// With a past, the last view is the question's with it.
func (p *index) join(sp *vectorSpace, excluded []bool, views []view, said *recollection) []candidate {
	for i := range views {
		for k := range views {
			for _, e := range views[i].candidates {
				p.consider(e, sp, excluded, &views[k])
			}
		}
	}
	alone, last := views, &views[len(views)-1]
	if said != nil {
		alone = views[:len(views)-1]
		last.stale = p.stale(last.stale, excluded, said, last)
	}
	joined := make([]candidate, 0, len(views[0].candidates))
	for _, e := range views[0].candidates {
		c := candidate{entry: e}
		for i := range alone {
			c.features.add(1/float64(len(alone)), p.features(e, sp, &alone[i]))
		}
		c.score, c.confidence = c.features.rankScore(), c.features.confidence(len(p.entries))
		if said != nil {
			// The logistic head would be sure that what was asked before is asked again, and of a question
			// that means little by itself it knows little.
			by, together := c.features, p.features(e, sp, last)
			by.Chance, by.logChance = (1-said.dependence)*by.Chance, (1-said.dependence)*by.logChance
			together.Chance, together.logChance = by.Chance, by.logChance
			// Twice the evidence sets entries twice as far apart: a mean would make them all seem likely.
			c.score = (1 + said.dependence) * said.inContext(by.rankScore(), together.rankScore(), alone[0].lexical[e], last.stale[e])
			c.confidence = said.inContext(c.confidence, together.confidence(len(p.entries)), alone[0].lexical[e], last.stale[e])
		}
		joined = append(joined, c)
	}
	return joined
}

// features are an entry's in a view that has it as a candidate.
func (p *index) features(e int32, sp *vectorSpace, v *view) Features {
	features := Features{
		Cosine: float64(v.semantic[e]),
		Mean:   float64(sp.mean(e, v.vector, v.semantic[e])),
		Ngrams: float64(v.lexical[e]),
		Words:  float64(v.words[e]),
		Ridge:  p.ridge(e, sp, &v.verdict),
	}
	if sp.passages != nil {
		features.Passage = float64(vector.Dot(v.vector, sp.passages[e].Vector))
	}
	if len(v.whole) > 0 {
		features.AnswerWords = float64(v.whole[e])
	}
	if len(v.chances) > 0 {
		features.Chance = float64(v.chances[e])
		features.logChance = math.Log(features.Chance + minChance)
	}
	return features
}

// mean is the mean cosine of unit vector v with e's wordings; best is that of its best one.
func (sp *vectorSpace) mean(e int32, v []float32, best float32) float32 {
	if sp.means[e] == nil {
		return best
	}
	return vector.Dot(v, sp.means[e])
}

// spell fills what v knows of spelling, and resets the rest.
func (p *index) spell(excluded []bool, v *view) {
	v.byWording = p.grams.Scores(v.byWording, v.text)
	v.lexical = p.byEntry(v.lexical, v.byWording, excluded)
	v.alike = v.alike[:0]
	if l := p.landmarks; l != nil {
		v.phrases = l.phrases.Scores(v.phrases, v.text)
		v.alike = l.alike(v.alike, v.byWording, v.phrases)
	}
	v.byWording = p.words.Scores(v.byWording, v.text)
	v.words = p.byEntry(v.words, v.byWording, excluded)
	if p.whole != nil {
		v.whole = p.whole.Scores(v.whole, v.text)
	} else {
		v.whole = v.whole[:0]
	}
	n := len(p.entries)
	v.semantic = slices.Grow(v.semantic[:0], n)[:n]
	v.best = slices.Grow(v.best[:0], n)[:n]
	v.candidates = v.candidates[:0]
	for e := range v.semantic {
		v.semantic[e] = unknown
	}
}

// byEntry returns each entry's best score, zero for those that are excluded. It reuses dst's memory.
func (p *index) byEntry(dst, byWording []float32, excluded []bool) []float32 {
	dst = slices.Grow(dst[:0], len(p.entries))[:len(p.entries)]
	clear(dst)
	for w, score := range byWording {
		if e := p.owner[w]; score > dst[e] && (excluded == nil || !excluded[e]) {
			dst[e] = score
		}
	}
	return dst
}

// near finds at least want candidates, if there are, and fills v.semantic and v.best for them.
func (p *index) near(ctx context.Context, sp *vectorSpace, want int, excluded []bool, v *view) error {
	found, err := sp.vectors.Nearest(ctx, v.vector, nearest)
	if err != nil {
		return err
	}
	for _, n := range found {
		e := p.owner[n.Index]
		if (excluded != nil && excluded[e]) || v.semantic[e] != unknown {
			continue // excluded, or its best wording was here before
		}
		v.semantic[e], v.best[e] = n.Cosine, int32(n.Index)
		v.candidates = append(v.candidates, e)
	}
	if len(v.candidates) < want && len(found) < len(p.wordings) {
		// A few entries with very many wordings, or many that are excluded: look at everything.
		for e := range p.entries {
			p.consider(int32(e), sp, excluded, v)
		}
		return nil
	}
	for _, scores := range [][]float32{v.lexical, v.words, v.chances} {
		v.top = top(v.top[:0], scores, want)
		for _, e := range v.top {
			p.consider(e, sp, excluded, v)
		}
	}
	return nil
}

// consider makes e a candidate unless it is one already or excluded.
func (p *index) consider(e int32, sp *vectorSpace, excluded []bool, v *view) {
	if (excluded != nil && excluded[e]) || v.semantic[e] != unknown || p.first[e] == p.first[e+1] {
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
