// Package spelling replaces misspelt words by the words that were probably meant: those of a corpus
// first, else those that a language model knows whole. It is the noisy channel's poor relation
// (Kernighan, Church and Gale 1990): the candidates are all words within one or two edits (Damerau
// 1964), and the nearest wins, of equals the one that the corpus has, starts alike and is frequent.
//
// Only words that nobody knows are replaced, and of those none that may be a name, a code or a
// number. The package knows no language.
package spelling

import (
	"iter"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"faqbot/retrieval/lexical"
)

const (
	shortest   = 3  // letters of a word that is repaired
	longest    = 24 // letters of one that is looked at
	short      = 4  // letters of the longest word in which only one edit is forgiven
	maxRepairs = 12 // words of a text; one with more is not a customer's typing
)

// A Lexicon is an immutable set of words. It is safe for concurrent use.
type Lexicon struct {
	known    map[string]bool
	byLength [longest + 1][]word
}

type word struct {
	runes []rune
	mask  uint64 // of the letters it has
}

// NewLexicon makes a Lexicon of lower-cased words, the most frequent first.
func NewLexicon(words []string) *Lexicon {
	l := &Lexicon{known: make(map[string]bool, len(words))}
	for _, w := range words {
		if l.known[w] {
			continue
		}
		l.known[w] = true
		if n := utf8.RuneCountInString(w); n >= 2 && n <= longest && plain(w) {
			runes := []rune(w)
			l.byLength[n] = append(l.byLength[n], word{runes, mask(runes)})
		}
	}
	return l
}

// plain reports whether w is made of letters only.
func plain(w string) bool {
	return !strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
}

func mask(runes []rune) uint64 {
	m := uint64(0)
	for _, r := range runes {
		m |= 1 << (uint(r) % 64)
	}
	return m
}

// Repair returns text with its misspelt words replaced by words of own or, failing that, common;
// text itself if there is none. common may be nil.
func Repair(text string, own, common *Lexicon) string {
	var b strings.Builder
	done, repairs, first := 0, 0, true
	for from, to := range chunks(text) {
		start := first
		first = false
		meant := ""
		if w, ok := repairable(text, from, to, start); ok {
			meant = mend(w, own, common)
		}
		if meant == "" {
			continue
		}
		if repairs++; repairs > maxRepairs {
			return text
		}
		b.WriteString(text[done:from])
		b.WriteString(meant)
		done = to
	}
	if repairs == 0 {
		return text
	}
	b.WriteString(text[done:])
	return b.String()
}

// chunks yields where text's words begin and end, without the punctuation around them.
func chunks(text string) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for at := 0; at < len(text); {
			n := strings.IndexFunc(text[at:], unicode.IsSpace)
			if n < 0 {
				n = len(text) - at
			}
			whole := text[at : at+n]
			left := len(whole) - len(strings.TrimLeftFunc(whole, unicode.IsPunct))
			right := len(strings.TrimRightFunc(whole, unicode.IsPunct))
			if left < right && !yield(at+left, at+right) {
				return
			}
			_, size := utf8.DecodeRuneInString(text[at+n:])
			at += n + size
		}
	}
}

// repairable returns the word at a place, lower-cased, unless it is too short, too long, or looks
// like a name or a code: with digits or signs inside, or capitals where a sentence has none.
func repairable(text string, from, to int, start bool) (string, bool) {
	w := text[from:to]
	if n := utf8.RuneCountInString(w); n < shortest || n > longest || !plain(w) {
		return "", false
	}
	lower := lexical.Fold(w)
	_, size := utf8.DecodeRuneInString(w)
	shouted := text == strings.ToUpper(text)
	if !shouted && (strings.ToLower(w[size:]) != w[size:] || (!start && strings.ToLower(w[:size]) != w[:size])) {
		return "", false
	}
	return lower, true
}

// mend returns the word that was meant by w, "" if w is known or resembles none.
func mend(w string, own, common *Lexicon) string {
	if own.known[w] || (common != nil && common.known[w]) {
		return ""
	}
	runes := []rune(w)
	s := search{word: runes, mask: mask(runes), within: 2, cost: worst}
	if len(runes) <= short {
		s.within = 1
	}
	s.look(own, 0)
	if common != nil {
		s.look(common, strangeness)
	}
	return string(s.best)
}

// What speaks against a candidate. An edit weighs most.
const (
	edit        = 4
	otherStart  = 3 // it starts with another letter
	strangeness = 2 // the corpus does not have it
	worst       = 100
)

// A search is for the cheapest candidate; of equals the first, which is the most frequent.
type search struct {
	word   []rune
	mask   uint64
	within int // edits
	best   []rune
	cost   int
	rows   [3][longest + 1]int
}

func (s *search) look(l *Lexicon, extra int) {
	for n := max(2, len(s.word)-s.within); n <= min(longest, len(s.word)+s.within); n++ {
		for _, c := range l.byLength[n] {
			// An edit brings or removes two letters at most.
			if bits.OnesCount64(c.mask^s.mask) > 2*s.within {
				continue
			}
			cost := extra
			if c.runes[0] != s.word[0] {
				cost += otherStart
			}
			if cost+edit >= s.cost {
				continue
			}
			if d := s.distance(c.runes); d <= s.within && cost+edit*d < s.cost {
				s.best, s.cost = c.runes, cost+edit*d
			}
		}
	}
}

// distance is how many insertions, deletions, substitutions and swaps of neighbours lead from the
// word to c, or some number above within if those are more.
func (s *search) distance(c []rune) int {
	two, one, row := &s.rows[0], &s.rows[1], &s.rows[2]
	for j := range len(c) + 1 {
		one[j] = j
	}
	for i, r := range s.word {
		row[0] = i + 1
		least := row[0]
		for j, q := range c {
			d := one[j]
			if r != q {
				d++
			}
			d = min(d, one[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && r == c[j-1] && s.word[i-1] == q {
				d = min(d, two[j-1]+1)
			}
			row[j+1] = d
			least = min(least, d)
		}
		if least > s.within {
			return least
		}
		two, one, row = one, row, two
	}
	return one[len(c)]
}
