package contrast

import (
	"slices"
	"strings"
)

// Swapped is a text in which a member of a kind that an entry's wordings name is replaced by another one, which none of
// all entries names: a question that the entry does not answer any more. ok is false if there is no such member.
func (l *Lexicon) Swapped(text string, entry Entry, all []Entry) (swapped string, ok bool) {
	question := l.Read(text)
	at := 0
	for _, t := range question.tokens {
		at += strings.Index(text[at:], t.raw)
		for _, m := range t.members {
			if l.kinds[l.members[m].kind].framed || !l.has(Entry{Wordings: entry.Wordings}, m) {
				continue
			}
			if label := l.stranger(m, question, all); label != "" {
				return text[:at] + label + text[at+len(t.raw):], true
			}
		}
		at += len(t.raw)
	}
	return "", false
}

// stranger is the name of the next member of m's kind that neither the question nor an entry names, nor is related to m.
func (l *Lexicon) stranger(m int, question Text, all []Entry) string {
	for step := 1; step < len(l.members); step++ {
		other := (m + step) % len(l.members)
		if l.members[other].kind != l.members[m].kind || l.members[other].label == "" || l.within(other, m) || l.within(m, other) || slices.Contains(question.members(), other) {
			continue
		}
		if !slices.ContainsFunc(all, func(e Entry) bool { return l.has(e, other) }) {
			return l.members[other].label
		}
	}
	return ""
}
