package retrieval

import (
	"faqbot/retrieval/head"
	"faqbot/retrieval/vector"
)

const (
	chanceShare  = 0.6     // of the logistic head's probability in an entry's score
	ridgeShare   = 0.5     // of the ridge head's score
	fewWordings  = 1.5     // per entry, below which nothing is learned
	logisticWork = 250_000 // wordings times entries that logistic regression is given: some 1.5 s
	fewToLearn   = 4       // wordings per entry, below which it does without
	widest       = 512     // numbers of a vector that heads learn from: the work grows with the square
)

// heads are what was learned of the wordings in a space, once for each part: two learners, since the
// one knows many wordings better and the other is the better judge of what is none of them. Both are
// nil where entries have too few wordings.
type heads struct {
	logistic *head.Logistic // also nil where there are too many entries
	ridge    *head.Ridge
}

// learn fits heads to p's wordings.
func (p *part) learn(set *vector.Set) heads {
	n := len(p.entries)
	if n < 2 || float64(len(p.wordings)) < fewWordings*float64(n) || len(set.Vector(0)) > widest {
		return heads{}
	}
	all := make([][]float32, len(p.wordings))
	for i := range all {
		all[i] = set.Vector(i)
	}
	h := heads{ridge: head.NewRidge(all)}
	most := logisticWork / n / n // of each entry's wordings, if all are too many
	switch {
	case len(all)*n <= logisticWork:
		h.logistic = head.NewLogistic(all, p.owner, n)
	case most >= fewToLearn:
		vectors, class := p.evenly(all, most)
		h.logistic = head.NewLogistic(vectors, class, n)
	}
	return h
}

// evenly picks at most most of each entry's wordings' vectors, and says whose each is.
func (p *part) evenly(all [][]float32, most int) (vectors [][]float32, owner []int32) {
	for e := range p.entries {
		lo, has := int(p.first[e]), int(p.first[e+1]-p.first[e])
		take := min(has, most)
		for i := range take {
			vectors, owner = append(vectors, all[lo+i*has/take]), append(owner, int32(e))
		}
	}
	return vectors, owner
}

// A verdict is what the heads think of a question.
type verdict struct {
	chances   []float32 // by entry: of the logistic head, empty if there is none
	direction []float32 // of the ridge head, nil if there is none
}

// judge asks h about a question's vector.
func (v *verdict) judge(h heads, question []float32, shut []bool) {
	v.chances, v.direction = v.chances[:0], nil
	if h.ridge != nil {
		v.direction = h.ridge.Direction(question)
	}
	if h.logistic != nil {
		v.chances = h.logistic.Probabilities(v.chances, question, shut)
	}
}

// verdict is what the heads add to the score of entry e in v.
func (p *part) verdict(e int32, sp *space, v *verdict) float64 {
	if v.direction == nil {
		return 0
	}
	typical := sp.means[e]
	if typical == nil {
		typical = sp.vectors.Vector(int(p.first[e]))
	}
	wordings := float64(p.first[e+1] - p.first[e])
	sum := ridgeShare * wordings * float64(vector.Dot(v.direction, typical))
	if len(v.chances) > 0 {
		sum += chanceShare * float64(v.chances[e])
	}
	return sum
}
