package retrieval

import (
	"context"
	"slices"
	"strings"
)

// A follow-up ("and in Germany?") is scored twice: by itself, and together with what was said before
// it. An entry's score is the mean of both, the second counting as much as the question leans on
// what was said. The question with its past, alone, finds what was asked before rather than what is
// asked now; and an entry whose spelling is nearer to something said before than to the question has
// been asked about already, so it loses some of what the past brings it. (Why a sum, and not a
// rewritten question: without a model the rewriting errs, and the sum forgives.)
const (
	saidMost   = 6   // texts before the question that count, the latest ones
	staleShare = 0.4 // of how much nearer an entry is to what was said before than to the question
	// lacking makes up for the words that a question which leans does not have, so that a probability
	// means the same with a past as without. It is about 1 in log odds, near the best likelihood on
	// two public sets of follow-ups (canard_dev, mtrag_rewrite) with half of the entries left out.
	lacking = 0.13
)

// A recollection is a question together with what was said before it.
type recollection struct {
	reading          // the question, then what was said before, the latest first
	before  []string // each of them
	leans   float64  // how much the question needs it: 0 to 1
}

// recollect returns q with its past in e's space, nil if it needs none.
func (s *Searcher) recollect(ctx context.Context, e Embedder, text string, q Query) (*recollection, error) {
	r := recollection{leans: min(q.Leans, 1)}
	if !(r.leans > 0) {
		return nil, nil
	}
	texts := []string{text}
	for _, said := range slices.Backward(q.Before) {
		if said = bounded(said); said != "" && len(r.before) < saidMost {
			r.before = append(r.before, said)
			texts = append(texts, said)
		}
	}
	if len(r.before) == 0 {
		return nil, nil
	}
	var err error
	r.reading, err = s.read(ctx, e, bounded(strings.Join(texts, " ")))
	return &r, err
}

// stale fills dst with each entry's best n-gram similarity to any one text that was said before.
func (p *part) stale(dst []float32, shut []bool, said *recollection, v *view) []float32 {
	dst = slices.Grow(dst[:0], len(p.entries))[:len(p.entries)]
	clear(dst)
	for _, text := range said.before {
		v.byWording = p.grams.Scores(v.byWording, text)
		for w, score := range v.byWording {
			if e := p.owner[w]; score > dst[e] && (shut == nil || !shut[e]) {
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
	return (alone+r.leans*past)/(1+r.leans) + r.leans*lacking
}
