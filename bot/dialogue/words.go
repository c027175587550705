package dialogue

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// clean writes a text as it is read: without what only says how a character looks (variation selectors,
// joiners, the box of a keycap), and with full-width letters and digits as plain ones.
func clean(text string) string {
	ascii := true
	for i := range len(text) {
		ascii = ascii && text[i] < 0x80
	}
	if ascii {
		return text
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0000 && r <= 0xE01EF, r == 0x20E3, r >= 0x1F3FB && r <= 0x1F3FF,
			r == 0x200B, r == 0x200E, r == 0x200F, r == 0x2060, r == 0xFEFF:
			return -1
		}
		return r
	}, width.Fold.String(text))
	return strings.ReplaceAll(joinedEmoji(text), "🔟", "10")
}

// joinedEmoji drops the joiners of emoji. Between letters they are part of the word in some scripts.
func joinedEmoji(text string) string {
	const joiner = 0x200D
	var b strings.Builder
	var last rune
	for _, r := range text {
		if r != joiner || unicode.IsLetter(last) || unicode.IsMark(last) {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

// A token is one word of a text and where it stands.
type token struct {
	word       string // as wordLists have it: see fold
	start, end int    // bytes
	opens      bool   // a comma, the end of a sentence or of a line stands before it

	begins, ends bool // a clause, small talk aside; only lexicon.read tells
}

// tokenize splits text into words of letters, digits, marks and inner apostrophes.
func tokenize(text string) []token {
	const bytesOfAWord = 5 // and the space after it
	list := make([]token, 0, len(text)/bytesOfAWord+1)
	start, opens := -1, false
	for i, r := range text + " " {
		inside := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || (r == '\'' || r == '’') && start >= 0
		switch {
		case inside && start < 0:
			start = i
		case !inside && start >= 0:
			list = append(list, token{word: fold(text[start:i]), start: start, end: i, opens: opens && len(list) > 0})
			start, opens = -1, false
		}
		opens = opens || strings.ContainsRune(",.;:!?()\n…¿¡؟？。！、，", r)
	}
	return list
}

// fold writes a word the way it may be compared: lower case, without the accents and apostrophes
// that people leave out. Vowel signs of other scripts stay.
func fold(word string) string {
	ascii := true
	for i := range len(word) {
		ascii = ascii && word[i] < 0x80
	}
	if !ascii {
		word = norm.NFD.String(word)
	}
	return strings.Map(func(r rune) rune {
		if r == '\'' || r == '’' || r >= 0x300 && r <= 0x36F {
			return -1
		}
		return unicode.ToLower(r)
	}, word)
}

// squeeze writes a folded word without doubled letters: "hellooo" and "helo" are "hello".
func squeeze(word string) string {
	var last rune
	return strings.Map(func(r rune) rune {
		if r == last {
			return -1
		}
		last = r
		return r
	}, word)
}

// A wordList holds sequences of words, by their first one. A loose one is squeezed.
type wordList struct {
	loose   bool
	byFirst map[string][][]string
}

func (l *wordList) add(phrase string) {
	var sequence []string
	for _, t := range tokenize(phrase) {
		sequence = append(sequence, l.form(t.word))
	}
	if len(sequence) == 0 {
		return
	}
	if l.byFirst == nil {
		l.byFirst = map[string][][]string{}
	}
	l.byFirst[sequence[0]] = append(l.byFirst[sequence[0]], sequence)
}

func (l *wordList) form(word string) string {
	if l.loose {
		return squeeze(word)
	}
	return word
}

// at is the length of the longest sequence that tokens has at i, 0 if none.
func (l *wordList) at(tokens []token, i int) int {
	best := 0
	for _, s := range l.byFirst[l.form(tokens[i].word)] {
		if len(s) > best && i+len(s) <= len(tokens) && l.equal(tokens[i:i+len(s)], s) {
			best = len(s)
		}
	}
	return best
}

func (l *wordList) equal(tokens []token, words []string) bool {
	for i, w := range words {
		if l.form(tokens[i].word) != w {
			return false
		}
	}
	return true
}

// is reports whether a sequence is all of tokens.
func (l *wordList) is(tokens []token) bool {
	return len(tokens) > 0 && l.at(tokens, 0) == len(tokens)
}

// sameWords reports whether two texts have the same words.
func sameWords(a, b []token) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].word != b[i].word {
			return false
		}
	}
	return true
}
