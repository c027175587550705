package retrieval

import (
	"math"

	"faqbot/retrieval/head"
	"faqbot/retrieval/lexical"
	"faqbot/retrieval/vector"
)

const (
	logisticWork = 2_400_000 // wordings times entries that logistic regression is given: some 3 s
	fewToLearn   = 4         // wordings per entry, below which it does without if there are more
	widest       = 512       // numbers of a vector that heads learn from: the work grows with the square

	landmarkMost = 256
	gramWeight   = 0.06 // of n-grams in how alike two texts are to the logistic head; its cosine has 1
	phraseWeight = 0.2  // of words and pairs of words
)

// heads are what was learned of the wordings in a space, once for each index: two learners, since the
// one knows best which entry is meant and the other is the better judge of what is none of them. Both
// are nil where there is nothing to choose from.
type heads struct {
	logistic *head.Logistic // also nil where there are too many entries
	ridge    *head.Ridge
	centre   []float32 // mean of the wordings' vectors, which says what they have in common
}

// landmarks are wordings that stand for all: how a text is spelt, for the logistic head, is how alike
// it is to each of them.
type landmarks struct {
	wordings []int32
	phrases  *lexical.Ngrams
	plane    *head.Nystrom
}

// learns reports how many wordings of each entry logistic regression can be given at most; none if
// there are too many entries for it, or nothing to choose from.
func (p *index) learns() (most int) {
	n := len(p.entries)
	switch {
	case n < 2:
		return 0
	case len(p.wordings)*n <= logisticWork:
		return len(p.wordings)
	case logisticWork/n/n >= fewToLearn:
		return logisticWork / n / n
	}
	return 0
}

// landmark picks p's landmarks, nil if no logistic head will be learned.
func (p *index) landmark() *landmarks {
	if p.learns() == 0 {
		return nil
	}
	l := &landmarks{wordings: spread(len(p.wordings), landmarkMost), phrases: lexical.NewPhrases(p.wordings)}
	var grams, phrases []float32
	alike := make([]float64, 0, len(l.wordings)*len(l.wordings))
	for _, w := range l.wordings {
		grams = p.grams.Scores(grams, p.wordings[w])
		phrases = l.phrases.Scores(phrases, p.wordings[w])
		alike = l.alike(alike, grams, phrases)
	}
	l.plane = head.NewNystrom(alike, len(l.wordings))
	return l
}

// alike appends how alike to each landmark a text with these similarities to all wordings is.
//
//go:norace
func (l *landmarks) alike(dst []float64, grams, phrases []float32) []float64 {
	for _, w := range l.wordings {
		dst = append(dst, gramWeight*float64(grams[w])+float64(phraseWeight*float64(phrases[w])))
	}
	return dst
}

// learn fits heads to p's wordings.
func (p *index) learn(set *vector.Set) heads {
	n := len(p.entries)
	if n < 2 || len(p.wordings) < 2 || len(set.Vector(0)) > widest {
		return heads{}
	}
	all := make([][]float32, len(p.wordings))
	for i := range all {
		all[i] = set.Vector(i)
	}
	h := heads{ridge: head.NewRidge(all)}
	if p.landmarks == nil {
		return h
	}
	h.centre = set.Mean(0, len(all))
	var traits [][]float32
	var owner []int32
	var grams, phrases []float32
	for _, w := range p.evenly(p.learns()) {
		grams = p.grams.Scores(grams, p.wordings[w])
		phrases = p.landmarks.phrases.Scores(phrases, p.wordings[w])
		traits = append(traits, h.traits(nil, all[w], p.landmarks.plane, p.landmarks.alike(nil, grams, phrases)))
		owner = append(owner, p.owner[w])
	}
	h.logistic = head.NewLogistic(traits, owner, n)
	return h
}

// traits are what the logistic head sees of a text: where its vector lies beside the wordings' centre,
// and its coordinates between the landmarks. They reuse dst's memory.
//
//go:norace
func (h *heads) traits(dst, v []float32, plane *head.Nystrom, alike []float64) []float32 {
	dst = append(dst[:0], v...)
	square := 0.0
	for i, c := range h.centre {
		dst[i] -= c
		square += float64(float64(dst[i]) * float64(dst[i]))
	}
	if square > 0 {
		scale := float32(1 / math.Sqrt(square))
		for i := range dst {
			dst[i] *= scale
		}
	}
	return plane.Coordinates(dst, alike)
}

// evenly picks at most most of each entry's wordings.
func (p *index) evenly(most int) (wordings []int32) {
	for e := range p.entries {
		lo, has := int(p.first[e]), int(p.first[e+1]-p.first[e])
		take := min(has, most)
		for i := range take {
			wordings = append(wordings, int32(lo+i*has/take))
		}
	}
	return wordings
}

// spread picks at most most of n things. Steps of the golden ratio spread evenly and fall in with no
// pattern: a plain stride could hit the question of every entry and none of its variants.
func spread(n, most int) []int32 {
	picked := make([]int32, 0, min(n, most))
	if n <= most {
		for i := range n {
			picked = append(picked, int32(i))
		}
		return picked
	}
	seen := make(map[int32]bool, most)
	for i := range most {
		_, turn := math.Modf(float64(i) * math.Phi)
		if at := int32(turn * float64(n)); !seen[at] {
			seen[at] = true
			picked = append(picked, at)
		}
	}
	return picked
}

// A verdict is what the heads think of a question.
type verdict struct {
	traits    []float32
	chances   []float32 // by entry: of the logistic head, empty if there is none
	direction []float32 // of the ridge head, nil if there is none
}

// judge asks h about a question's vector and, where there are landmarks, how alike it is to them.
func (v *verdict) judge(h heads, question []float32, l *landmarks, alike []float64, excluded []bool) {
	v.chances, v.direction = v.chances[:0], nil
	if h.ridge != nil {
		v.direction = h.ridge.Direction(question)
	}
	if h.logistic != nil {
		v.traits = h.traits(v.traits, question, l.plane, alike)
		v.chances = h.logistic.Probabilities(v.chances, v.traits, excluded)
	}
}

// ridge is the ridge head's score of entry e, 0 if there is none.
func (p *index) ridge(e int32, sp *vectorSpace, v *verdict) float64 {
	if v.direction == nil {
		return 0
	}
	typical := sp.means[e]
	if typical == nil {
		typical = sp.vectors.Vector(int(p.first[e]))
	}
	return float64(p.first[e+1]-p.first[e]) * float64(vector.Dot(v.direction, typical))
}
