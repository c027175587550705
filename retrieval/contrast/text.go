package contrast

import (
	"slices"
	"strings"
	"unicode"

	"faqbot/retrieval/lexical"
)

// A Text is a text read word by word. It never changes.
type Text struct {
	tokens []token
	run    string // its words without space between them
}

// A token is a word, or the words of a name that is known.
type token struct {
	word     string // lower case, without accents
	raw      string // as it was written
	function bool   // says nothing of what a text is about
	name     bool   // has a capital inside a sentence, so it is somebody's name for something
	number   bool   // has only digits
	code     bool   // has a digit, and is no quantity
	mixed    bool   // has a digit and a letter, and is no quantity
	shape    string // of a code: a letter and a digit for each run of them
	members  []int
}

// Read reads a text.
func (l *Lexicon) Read(text string) Text {
	raw := words(text)
	titled := 0
	for _, w := range raw {
		if capital(w.text) {
			titled++
		}
	}
	shouted := 2*titled > len(raw) && len(raw) > 1 // a title has capitals everywhere
	var t Text
	for i := 0; i < len(raw); {
		n, members := l.at(raw[i:])
		one := token{word: raw[i].bare, raw: text[raw[i].from:raw[i+max(n, 1)-1].to], members: members}
		if n > 1 {
			one.word = bare(one.raw)
		}
		one.describe()
		one.function = n == 0 && l.function[one.word]
		one.name = !one.function && len(members) == 0 && capital(raw[i].text) && !raw[i].opens && !shouted
		one.code = one.code && !raw[i].money
		t.tokens = append(t.tokens, one)
		t.run += one.word
		i += max(n, 1)
	}
	return t
}

// describe notes whether t is a code.
func (t *token) describe() {
	letters := false
	var shape strings.Builder
	var last rune
	for _, r := range t.word {
		kind := 'a'
		if unicode.IsDigit(r) {
			kind, t.code = '1', true
		} else {
			letters = true
		}
		if kind != last {
			shape.WriteRune(kind)
			last = kind
		}
	}
	t.number, t.mixed, t.shape = t.code && !letters, t.code && letters, shape.String()
	if t.mixed && quantity(t.word) {
		t.code, t.mixed = false, false
	}
}

// quantity reports whether a word is a number with a unit or an ordinal: "14th", "10kg", "9pm". Such are seldom what a
// question is about.
func quantity(word string) bool {
	unit := strings.TrimLeft(word, "0123456789")
	return unit != word && slices.Contains([]string{"st", "nd", "rd", "th", "am", "pm", "h", "min", "mins", "s", "kg", "g", "mg", "lb", "lbs", "mm", "cm", "m", "km",
		"ml", "l", "gb", "mb", "tb", "k", "x", "eur", "usd", "gbp", "brl", "a", "o", "ª", "º"}, unit)
}

// content reports whether t says what a text is about. Numbers do so only where they are codes.
func (t token) content() bool { return !t.function && !t.number }

// content is how many words of t say what it is about.
func (t Text) content() (n int) {
	for _, one := range t.tokens {
		if one.content() {
			n++
		}
	}
	return n
}

// lacking are the words of content of t that other does not hold.
func (t Text) lacking(other func(token) bool) (list []token) {
	for _, one := range t.tokens {
		if one.content() && !other(one) {
			list = append(list, one)
		}
	}
	return list
}

// holds reports whether t has a word, or a code in parts: "covid 19".
func (t Text) holds(one token) bool {
	return slices.ContainsFunc(t.tokens, one.same) || one.mixed && strings.Contains(t.run, one.word)
}

func (t Text) members() (list []int) {
	for _, one := range t.tokens {
		list = append(list, one.members...)
	}
	return list
}

// same reports whether two tokens are one word in two forms, or two names of one member.
func (t token) same(other token) bool {
	if t.word == other.word || slices.ContainsFunc(t.members, func(m int) bool { return slices.Contains(other.members, m) }) {
		return true
	}
	if len(t.members) > 0 && len(other.members) > 0 || t.code || other.code {
		return false
	}
	return sameStem(t.word, other.word)
}

// sameStem reports whether two words begin alike and differ only in how they end: "order" and "orders", "cancel"
// and "cancellation".
func sameStem(a, b string) bool {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	short, long := min(len(a), len(b))-n, max(len(a), len(b))-n
	return n >= 5 && short <= 1 || n >= 3 && short <= 1 && long <= 2 || n >= 4 && short <= 3 && long <= 3 && 5*n >= 3*max(len(a), len(b))
}

// A word is one as it stands in a text.
type word struct {
	text, bare string
	from, to   int
	opens      bool // it begins a sentence
	money      bool // the sign of a currency stands before it
}

// words splits a text. A hyphen beside a digit is part of a word, and so is a dot between two: "W-9", "2.5".
func words(text string) (list []word) {
	start, opens := -1, true
	runes := []rune(text + " ")
	at := 0
	for i, r := range runes {
		inside := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || start >= 0 && (r == '\'' || r == '’')
		if r == '-' && start >= 0 && i+1 < len(runes) {
			next := runes[i+1]
			inside = (unicode.IsDigit(next) || unicode.IsDigit(runes[i-1])) && (unicode.IsDigit(next) || unicode.IsLetter(next))
		}
		if (r == '.' || r == ',') && start >= 0 && i+1 < len(runes) {
			inside = unicode.IsDigit(runes[i+1]) && unicode.IsDigit(runes[i-1])
		}
		switch {
		case inside && start < 0:
			start = at
		case !inside && start >= 0:
			raw := strings.TrimRight(text[start:at], "'’")
			list = append(list, word{text: raw, bare: bare(raw), from: start, to: start + len(raw), opens: opens,
				money: strings.HasSuffix(text[:start], "$") || strings.HasSuffix(text[:start], "€") || strings.HasSuffix(text[:start], "£")})
			start, opens = -1, false
		}
		opens = opens || strings.ContainsRune(".!?\n¿¡:", r)
		at += len(string(r))
	}
	return list
}

// bare is a word as it is compared: lower case, without accents, apostrophes and hyphens, and without a genitive.
func bare(word string) string {
	word = strings.TrimSuffix(strings.TrimSuffix(lexical.Bare(word), "'s"), "’s")
	return strings.Map(func(r rune) rune {
		if r == '\'' || r == '’' || r == '-' {
			return -1
		}
		return r
	}, word)
}

func capital(word string) bool {
	for _, r := range word {
		return unicode.IsUpper(r)
	}
	return false
}
