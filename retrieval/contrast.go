package retrieval

import (
	"slices"

	"faqbot/knowledge"
	"faqbot/retrieval/contrast"
)

// maxContrasted is how many of an entry's wordings are compared word by word, the first ones.
const maxContrasted = 32

// maxShared is how many wordings there are for each that may have a word, for the word to be one that few have.
const maxShared = 20

// contrast is what q asks about in place of something that e speaks of, nil if there is no such thing.
func (s *Searcher) contrast(p *index, q question, e knowledge.Entry) *contrast.Contrast {
	read := s.kinds.Read
	var entry contrast.Entry
	list := wordings(e)
	for _, w := range list[:min(len(list), maxContrasted)] {
		entry.Wordings = append(entry.Wordings, read(w))
	}
	entry.Answer = read(e.Answer)
	var asked, before []contrast.Text
	for _, r := range q.variants {
		asked = append(asked, read(r.text))
	}
	for _, text := range slices.Backward(q.before) {
		before = append(before, read(text))
	}
	few := max(1, len(p.wordings)/maxShared)
	c := s.kinds.Find(asked, before, entry, func(word string) bool { return p.words.In(word) <= few })
	if c != nil {
		c.Nowhere = p.words.In(c.Asked) == 0 && (p.whole == nil || p.whole.In(c.Asked) == 0)
	}
	return c
}
