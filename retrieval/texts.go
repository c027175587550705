package retrieval

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"faqbot/knowledge"
	"faqbot/retrieval/late"
	"faqbot/retrieval/vector"
)

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

// passage is an entry's question with its answer, which often has the facts that customers ask for.
func passage(e knowledge.Entry) string { return strings.TrimSpace(e.Question + "\n" + answerText(e)) }

// Texts returns all that is embedded of entries.
func Texts(entries []knowledge.Entry) (texts []string) {
	for _, e := range entries {
		texts = append(texts, e.Wordings()...)
		texts = append(texts, passage(e))
	}
	return texts
}

// wordings are e's, each once.
func wordings(e knowledge.Entry) (list []string) {
	seen := make(map[string]bool, 1+len(e.Variants))
	for _, w := range e.Wordings() {
		if strings.TrimSpace(w) != "" && !seen[w] {
			seen[w] = true
			list = append(list, w)
		}
	}
	return list
}

// passages are those of entries, in order; nil if none has an answer.
func passages(entries []knowledge.Entry) (list []string) {
	if !slices.ContainsFunc(entries, func(e knowledge.Entry) bool { return answerText(e) != "" }) {
		return nil
	}
	for _, e := range entries {
		list = append(list, passage(e))
	}
	return list
}

// maxCompared is how many of an entry's wordings have token rows, the first ones. Where there are many, their
// vectors tell nearly all that their tokens can.
const maxCompared = 16

// read returns what e makes of entries' texts, by text. What is in known it is not asked for again.
func read(ctx context.Context, e Embedder, entries []knowledge.Entry, known map[string]late.Tokens) (map[string]late.Tokens, error) {
	var compared, rest []string
	for _, entry := range entries {
		w := wordings(entry)
		compared = append(compared, w[:min(len(w), maxCompared)]...)
		rest = append(rest, w[min(len(w), maxCompared):]...)
	}
	compared = append(compared, passages(entries)...)
	haveRows := false
	for _, t := range known {
		haveRows = haveRows || t.Rows.Len() > 0
	}
	made := make(map[string]late.Tokens, len(compared)+len(rest))
	ask := func(texts []string, e Embedder, rows bool) error {
		var missing []string
		for _, text := range texts {
			if _, ok := made[text]; ok {
				continue
			}
			if made[text] = known[text]; made[text].Vector == nil || rows && made[text].Rows.Len() == 0 {
				missing = append(missing, text)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		list, err := EmbedTokens(ctx, e, missing)
		if err == nil && len(list) != len(missing) {
			err = fmt.Errorf("embedder %s returned %d vectors for %d texts", e.Space(), len(list), len(missing))
		}
		if err != nil {
			return err
		}
		for i, text := range missing {
			made[text] = list[i]
		}
		return nil
	}
	if err := ask(compared, e, haveRows); err != nil {
		return nil, err
	}
	return made, ask(rest, struct{ Embedder }{e}, false) // which hides that e has rows
}

// Prepare embeds what a search in entries needs, so that a cache has it when they are published.
func Prepare(ctx context.Context, e Embedder, entries []knowledge.Entry) error {
	_, err := read(ctx, e, entries, nil)
	return err
}

// embed places p's texts in e's space. What is in known is not asked for again.
func (p *index) embed(ctx context.Context, e Embedder, known map[string]late.Tokens) (*vectorSpace, error) {
	made, err := read(ctx, e, p.entries, known)
	if err != nil {
		return nil, err
	}
	sp, err := p.place(ctx, made)
	if err != nil {
		return nil, fmt.Errorf("embedder %s: %w", e.Space(), err)
	}
	return sp, nil
}

// place makes a space of what an embedder made of p's texts.
func (p *index) place(ctx context.Context, made map[string]late.Tokens) (*vectorSpace, error) {
	vectors := make([][]float32, len(p.wordings))
	sp := &vectorSpace{means: make([][]float32, len(p.entries)), wordings: make([]late.Tokens, len(p.wordings))}
	for w, text := range p.wordings {
		sp.wordings[w] = made[text]
		vectors[w] = made[text].Vector
	}
	var err error
	if sp.vectors, err = vector.Build(ctx, vectors); err != nil {
		return nil, err
	}
	for w := range p.wordings {
		sp.wordings[w].Vector = sp.vectors.Vector(w)
	}
	for _, text := range p.passages {
		t := made[text]
		if t.Vector, err = vector.Unit(t.Vector); err != nil {
			return nil, fmt.Errorf("a passage's vector %w", err)
		}
		sp.passages = append(sp.passages, t)
	}
	for i := range p.entries {
		if lo, hi := p.first[i], p.first[i+1]; hi-lo > 1 {
			sp.means[i] = sp.vectors.Mean(int(lo), int(hi))
		}
	}
	if len(p.wordings) > 0 {
		sp.rarity = p.rarity(sp)
		sp.heads = p.learn(sp.vectors)
	}
	sp.shape, err = p.shapeOf(ctx, sp)
	return sp, err
}

// rarity counts the word pieces of sp's entries.
func (p *index) rarity(sp *vectorSpace) *late.Rarity {
	if !slices.ContainsFunc(sp.wordings, func(t late.Tokens) bool { return t.Rows.Len() > 0 }) {
		return nil
	}
	r := late.NewRarity()
	for i := range p.entries {
		texts := sp.wordings[p.first[i]:p.first[i+1]]
		if sp.passages != nil {
			texts = append(slices.Clip(texts), sp.passages[i])
		}
		r.Add(texts...)
	}
	return r
}

func builtinOf(p *index) *vectorSpace { return p.builtin }
func primaryOf(p *index) *vectorSpace { return p.primary }

// tokens returns what p has in one of its spaces, by text.
func (p *index) tokens(in func(*index) *vectorSpace) map[string]late.Tokens {
	if p == nil {
		return nil
	}
	sp := in(p)
	if sp == nil {
		return p.reuse
	}
	known := make(map[string]late.Tokens, len(p.wordings)+len(p.passages))
	for i, text := range p.wordings {
		known[text] = sp.wordings[i]
	}
	for i, text := range p.passages {
		known[text] = sp.passages[i]
	}
	return known
}

// covered reports whether reuse has a vector for every text.
func (p *index) covered() bool {
	missing := func(text string) bool { return p.reuse[text].Vector == nil }
	return !slices.ContainsFunc(p.wordings, missing) && !slices.ContainsFunc(p.passages, missing)
}
