package retrieval

import (
	"context"
	"slices"
	"strings"
)

// A follow-up ("and in Germany?") is scored twice: by itself, and together with what was said before
// it. An entry's score is the mean of both, the second counting as much as the question dependence on
// what was said. The question with its past, alone, finds what was asked before rather than what is
// asked now; and an entry whose spelling is nearer to something said before than to the question has
// been asked about already, so it loses some of what the past brings it. (Why a sum, and not a
// rewritten question: without a model the rewriting errs, and the sum forgives.)
const (
	saidMost   = 6   // texts before the question that count, the latest ones
	staleShare = 0.4 // of how much nearer an entry is to what was said before than to the question
	// lacking makes up for the words that a question which dependence does not have, so that a probability
	// means the same with a past as without. It is about 1 in log odds, near the best likelihood on
	// two public sets of follow-ups (canard_dev, mtrag_rewrite) with half of the entries left out.
	lacking = 0.13
)

// A recollection is a question together with what was said before it.
type recollection struct {
	queryVariant          // the question, then what was said before, the latest first
	before       []string // each of them
	dependence   float64  // how much the question needs it: 0 to 1
}

// settled is the probability from which an entry that was found by the question alone is not in doubt. Then what was
// said before is not read, which takes several times as long as the question: it has more words. At .9 follow-ups lose
// a quarter of what they gain from their past, at .99 next to nothing.
const settled = 0.99

// before returns what was said before q, the latest first; nothing if q stands alone.
func before(q Query) (list []string) {
	if !(q.ContextDependence > 0) {
		return nil
	}
	for _, said := range slices.Backward(q.Before) {
		if said = bounded(said); said != "" && len(list) < saidMost {
			list = append(list, said)
		}
	}
	return list
}

// inDoubt reports whether what was said before asked may change which of hits, which were found without it, answers.
func inDoubt(asked question, hits []Hit) bool {
	return len(asked.before) > 0 && !(len(hits) > 0 && (hits[0].Exact || hits[0].Score >= settled))
}

// recollect reads a question with its past in e's space.
func (s *Searcher) recollect(ctx context.Context, e Embedder, text string, asked question, dependence float64) (*recollection, error) {
	together, err := s.read(ctx, e, bounded(strings.Join(append([]string{text}, asked.before...), " ")))
	return &recollection{queryVariant: together, before: asked.before, dependence: min(dependence, 1)}, err
}

// stale fills dst with each entry's best n-gram similarity to any one text that was said before.
func (p *index) stale(dst []float32, excluded []bool, said *recollection, v *view) []float32 {
	dst = slices.Grow(dst[:0], len(p.entries))[:len(p.entries)]
	clear(dst)
	for _, text := range said.before {
		v.byWording = p.grams.Scores(v.byWording, text)
		for w, score := range v.byWording {
			if e := p.owner[w]; score > dst[e] && (excluded == nil || !excluded[e]) {
				dst[e] = score
			}
		}
	}
	return dst
}

// inContext is an entry's score in its conversation, on the same scale as each: of its score alone
// and with the past, and its n-gram similarities to the question and to what was said before.
func (r *recollection) inContext(alone, together float64, lexical, stale float32) float64 {
	past := together - staleShare*float64(max(0, stale-lexical))
	return (alone+r.dependence*past)/(1+r.dependence) + r.dependence*lacking
}
