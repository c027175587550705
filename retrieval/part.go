package retrieval

import (
	"context"
	"fmt"
	"slices"
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
	said      []string          // by entry: what is looked at of its answer, "" if it has none
	whole     *lexical.BM25     // of the entries' questions with their answers; nil if none has an answer
	landmarks *landmarks        // nil if there are too many entries for a logistic head
	lexicon   *spelling.Lexicon // the wordings' words
	builtin   *space
	primary   *space               // nil until its vectors are there
	reuse     map[string][]float32 // the primary vectors of the part before, until primary is there
}

// A space is a part's wordings in one vector space.
type space struct {
	vectors *vector.Set // by wording
	means   [][]float32 // by entry: the mean of its wordings' vectors, nil if it has but one
	answers [][]float32 // by entry: its answer's unit vector, nil if it has none
	hubness []float32   // by entry: how near its answer is to others' questions, 0 if it has none
	heads   heads
	shape   Evidence // without a question
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
	p.landmarks = p.landmark()
	p.said = make([]string, len(entries))
	for i := range entries {
		p.said[i] = answerText(entries[i])
	}
	if slices.ContainsFunc(p.said, func(text string) bool { return text != "" }) {
		texts := make([]string, len(entries))
		for i, e := range entries {
			texts[i] = e.Question + "\n" + p.said[i]
		}
		p.whole = lexical.NewBM25(texts)
	}
	return p, nil
}

// answerMost is how many bytes of an answer are looked at: what it is about it says at the beginning,
// and reading all of a long one would take longer than reading its wordings.
const answerMost = 500

// answerText is what is looked at of e's answer.
func answerText(e knowledge.Entry) string {
	text := e.Answer
	if len(text) > answerMost {
		text = strings.ToValidUTF8(text[:answerMost], "")
		if at := strings.LastIndexAny(text, " \n"); at > 0 {
			text = text[:at]
		}
	}
	return strings.TrimSpace(text)
}

// Texts returns all that is embedded of entries.
func Texts(entries []knowledge.Entry) (texts []string) {
	for _, e := range entries {
		texts = append(texts, e.Wordings()...)
		texts = append(texts, answerText(e))
	}
	return texts
}

// texts are all that is embedded of p: its wordings, then its answers.
func (p *part) texts() []string {
	texts := slices.Clone(p.wordings)
	for _, answer := range p.said {
		if answer != "" {
			texts = append(texts, answer)
		}
	}
	return texts
}

// embed places p's wordings and answers in e's space. Vectors found in known are not asked for again.
func (p *part) embed(ctx context.Context, e Embedder, known map[string][]float32) (*space, error) {
	texts := p.texts()
	vectors := make([][]float32, len(texts))
	var missing []string
	var places []int
	for i, t := range texts {
		if vectors[i] = known[t]; vectors[i] == nil {
			missing, places = append(missing, t), append(places, i)
		}
	}
	if len(missing) > 0 {
		made, err := e.Embed(ctx, missing)
		if err != nil {
			return nil, err
		}
		if len(made) != len(missing) {
			return nil, fmt.Errorf("embedder %s returned %d vectors for %d texts", e.Space(), len(made), len(missing))
		}
		for i, v := range made {
			vectors[places[i]] = v
		}
	}
	sp, err := p.place(ctx, vectors)
	if err != nil {
		return nil, fmt.Errorf("embedder %s: %w", e.Space(), err)
	}
	return sp, nil
}

// place makes a space of the vectors of p's texts.
func (p *part) place(ctx context.Context, vectors [][]float32) (*space, error) {
	set, err := vector.Build(ctx, vectors[:len(p.wordings)])
	if err != nil {
		return nil, err
	}
	sp := &space{vectors: set, means: make([][]float32, len(p.entries)), answers: make([][]float32, len(p.entries))}
	rest := vectors[len(p.wordings):]
	for i := range p.entries {
		if lo, hi := p.first[i], p.first[i+1]; hi-lo > 1 {
			sp.means[i] = set.Mean(int(lo), int(hi))
		}
		if p.said[i] != "" {
			if sp.answers[i], err = vector.Unit(rest[0]); err != nil {
				return nil, fmt.Errorf("an answer's vector %w", err)
			}
			rest = rest[1:]
		}
	}
	if len(p.wordings) > 0 {
		sp.heads = p.learn(set)
	}
	sp.hubness = p.hubness(sp.answers, set)
	sp.shape, err = p.shapeOf(ctx, sp)
	return sp, err
}

const (
	hubSample     = 512 // wordings at most that answers are compared with: what fits a core's cache
	hubNeighbours = 3   // 1 to 10 all rank StackFAQ and CovidFAQ better than none
)

// hubness returns the mean cosine of each answer with the wordings of other entries nearest to it. Some answers are near to
// every question, long ones above all: as in cross-domain similarity local scaling (Conneau et al. 2018),
// what counts is how much nearer an answer is to a question than to those that it is near anyway.
func (p *part) hubness(answers [][]float32, set *vector.Set) []float32 {
	sample := spread(set.Len(), hubSample)
	var wordings [][]float32
	for _, w := range sample {
		wordings = append(wordings, set.Vector(int(w)))
	}
	cosines, nearest := make([]float32, len(wordings)), make([]int32, 0, hubNeighbours)
	means := make([]float32, len(answers))
	for i, answer := range answers {
		if answer == nil {
			continue
		}
		vector.Dots(cosines, answer, wordings)
		for k, w := range sample {
			if p.owner[w] == int32(i) {
				cosines[k] = 0 // which top passes over
			}
		}
		nearest = top(nearest[:0], cosines, hubNeighbours)
		for _, w := range nearest {
			means[i] += cosines[w] / float32(len(nearest))
		}
	}
	return means
}

func builtinOf(p *part) *space { return p.builtin }
func primaryOf(p *part) *space { return p.primary }

// vectors returns the vectors p has in one of its spaces, by text.
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
	for i, v := range sp.answers {
		if v != nil {
			known[p.said[i]] = v
		}
	}
	return known
}

// covered reports whether reuse has a vector for every text.
func (p *part) covered() bool {
	for _, t := range p.texts() {
		if p.reuse[t] == nil {
			return false
		}
	}
	return true
}
