// Package contrast tells when a question asks about another member of a kind than an entry speaks of: about Spain
// where the entry has France, about PayPal for Visa, about deleting for changing. Vectors cannot tell: they are as near
// as those of synonyms, so such an entry comes out as the answer with a probability near 1.
//
// It takes knowledge of what excludes what. That is kinds.txt, where members of one kind stand together; codes and
// names, which mean different things when they are different; and the frame, when a question is a wording of the entry
// but for one word. Texts go in and a Contrast comes out; what follows from it others decide.
package contrast

import "slices"

// A Contrast is a word of a question in whose place an entry has another one.
type Contrast struct {
	Asked string `json:"asked"` // as the customer wrote it
	Known string `json:"known"` // as the entry has it
	// Nowhere is whether no entry of the affiliate speaks of what was asked for.
	Nowhere bool `json:"nowhere"`
	// Sure is whether the two are known to exclude each other. Else they may mean the same.
	Sure bool `json:"sure"`
}

// An Entry is what is compared with a question.
type Entry struct {
	Wordings []Text
	Answer   Text
}

// Find returns the contrast of a question with an entry, nil if there is none. rare reports whether few entries have a
// word: what many have is no member of a kind. The question may be read in two
// spellings: as it was typed, and as it was probably meant. What was said before it, the latest last, counts where the
// question itself names no member of a kind.
func (l *Lexicon) Find(question, before []Text, e Entry, rare func(word string) bool) *Contrast {
	for _, q := range question {
		if c := l.ofKinds(q, e); c != nil {
			return c
		}
	}
	for i := len(before) - 1; i >= 0; i-- {
		if !l.settles(question, before[i]) {
			if c := l.ofKinds(before[i], e); c != nil {
				return c
			}
		}
	}
	meant := question[len(question)-1]
	if c := codes(meant, e); c != nil {
		return c
	}
	return l.ofFrames(meant, e, rare)
}

// settles reports whether a question names a member of a kind that a text before it has a member of.
func (l *Lexicon) settles(question []Text, before Text) bool {
	for _, q := range question {
		for _, m := range q.members() {
			if slices.ContainsFunc(before.members(), func(b int) bool { return l.members[b].kind == l.members[m].kind }) {
				return true
			}
		}
	}
	return false
}

// ofKinds looks for a member of a kind in q that the entry does not have, where the entry's wordings have exactly
// one other. Two or more are fillers of an open place ("how do I say this in Greek"), which takes any.
func (l *Lexicon) ofKinds(q Text, e Entry) *Contrast {
	for _, t := range q.tokens {
		for _, m := range t.members {
			if l.kinds[l.members[m].kind].framed {
				continue
			}
			if known, ok := l.other(m, q, e.Wordings); ok && !l.has(e, m) {
				return &Contrast{Asked: t.raw, Known: known.raw, Sure: true}
			}
		}
	}
	return nil
}

// A named is a member and how a text calls it.
type named struct {
	member int
	raw    string
}

// other returns the only member of m's kind that an entry's wordings have and q has not; false if there is none, are
// several, or one is a part of the other; also if most wordings do without it, since then it is not what the entry is
// about.
func (l *Lexicon) other(m int, q Text, wordings []Text) (found named, ok bool) {
	n, asked := 0, q.members()
	for _, w := range wordings {
		if w.open() {
			return named{}, false
		}
		if slices.ContainsFunc(w.members(), func(other int) bool { return l.members[other].kind == l.members[m].kind }) {
			n++
		}
		for _, t := range w.tokens {
			for _, other := range t.members {
				switch {
				case l.members[other].kind != l.members[m].kind || other != m && slices.Contains(asked, other):
				case other == m || l.within(m, other) || l.within(other, m):
					return named{}, false
				case ok && found.member != other:
					return named{}, false
				default:
					found, ok = named{other, t.raw}, true
				}
			}
		}
	}
	return found, ok && 2*n >= len(wordings)
}

// open reports whether a text lists examples.
func (t Text) open() bool {
	return slices.ContainsFunc(t.tokens, func(one token) bool {
		return one.word == "etc" || one.word == "example" || one.word == "ejemplo" || one.word == "exemplo"
	})
}

// within reports whether member a is a part of member b.
func (l *Lexicon) within(a, b int) bool {
	for at := l.members[a].within; at >= 0; at = l.members[at].within {
		if at == b {
			return true
		}
	}
	return false
}

// has reports whether an entry's texts name a member, or the one that it is a part of.
func (l *Lexicon) has(e Entry, m int) bool {
	for _, text := range append(slices.Clip(e.Wordings), e.Answer) {
		if slices.ContainsFunc(text.members(), func(other int) bool { return other == m || l.within(m, other) }) {
			return true
		}
	}
	return false
}

// codes looks for a code in q after the same word as another code in the entry's question, or of the same shape:
// "error 404" for "error 500", "X300" for "X200".
func codes(q Text, e Entry) *Contrast {
	for i, t := range q.tokens {
		if !t.code || e.holds(t) {
			continue
		}
		for _, w := range e.Wordings {
			for k, known := range w.tokens {
				if !known.code || !e.most(known) {
					continue
				}
				same := known.shape == t.shape && t.mixed || i > 0 && k > 0 && !q.tokens[i-1].function && q.tokens[i-1].same(w.tokens[k-1])
				if same && !q.holds(known) {
					return &Contrast{Asked: t.raw, Known: known.raw, Sure: true}
				}
			}
		}
	}
	return nil
}

// maxFresh is how many words of content a question and a wording have at most that the other lacks, for the rest to
// be a frame.
const maxFresh = 2

// ofFrames compares q with each wording. Of the words in which the two differ it looks at the nearest wording's.
func (l *Lexicon) ofFrames(q Text, e Entry, rare func(string) bool) *Contrast {
	fresh := q.lacking(e.holds)
	if len(fresh) == 0 || len(fresh) > maxFresh || e.open() {
		return nil
	}
	var weak *Contrast
	for _, w := range e.Wordings {
		lost := w.lacking(q.holds)
		if len(lost) == 0 || len(lost) > maxFresh || len(lost) == w.content() {
			continue
		}
		f, g := fresh[0], lost[0]
		one := len(fresh) == 1 && len(lost) == 1
		if names := pair(fresh, lost, rare); names != nil {
			return names
		}
		if one && l.exclude(f, g) {
			return &Contrast{Asked: f.raw, Known: g.raw, Sure: true}
		}
		if one && weak == nil && rare(g.raw) && (f.name || sameFrame(q, w)) {
			weak = &Contrast{Asked: f.raw, Known: g.raw}
		}
	}
	return weak
}

// pair is the contrast of a name with another name, nil if there are no two.
func pair(fresh, lost []token, rare func(string) bool) *Contrast {
	for _, f := range fresh {
		for _, g := range lost {
			if f.name && g.name && rare(g.raw) {
				return &Contrast{Asked: f.raw, Known: g.raw, Sure: true}
			}
		}
	}
	return nil
}

// exclude reports whether two words are different members of one framed kind.
func (l *Lexicon) exclude(a, b token) bool {
	for _, m := range a.members {
		for _, o := range b.members {
			if k := l.members[m].kind; l.kinds[k].framed && l.members[o].kind == k && m != o && !l.within(m, o) && !l.within(o, m) {
				return true
			}
		}
	}
	return false
}

// maxSpan is how many words may stand in place of one another for the texts to have the same frame.
const maxSpan = 2

// sameFrame reports whether two texts have the same words but for one of content, each, in the same place, with at
// most a little word beside it.
func sameFrame(a, b Text) bool {
	from := 0
	for from < len(a.tokens) && from < len(b.tokens) && a.tokens[from].same(b.tokens[from]) {
		from++
	}
	x, y := len(a.tokens), len(b.tokens)
	for x > from && y > from && a.tokens[x-1].same(b.tokens[y-1]) {
		x, y = x-1, y-1
	}
	left, right := Text{tokens: a.tokens[from:x]}, Text{tokens: b.tokens[from:y]}
	return x-from <= maxSpan && y-from <= maxSpan && left.content() == 1 && right.content() == 1
}

// maxWordings is how many wordings an entry has at most for a single word to tell that it means something else:
// where there are more, they show themselves which words may stand in a place.
const maxWordings = 3

// open reports whether an entry has so many wordings that any word may stand in a place.
func (e Entry) open() bool { return len(e.Wordings) > maxWordings }

// most reports whether at least half of the entry's wordings have a word.
func (e Entry) most(t token) bool {
	n := 0
	for _, w := range e.Wordings {
		if w.holds(t) {
			n++
		}
	}
	return 2*n >= len(e.Wordings)
}

// holds reports whether one of the entry's texts has a word.
func (e Entry) holds(t token) bool {
	return e.Answer.holds(t) || slices.ContainsFunc(e.Wordings, func(w Text) bool { return w.holds(t) })
}
