package faqfile

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"faqbot/knowledge/limits"
)

// A column is a field of a row, by whatever name a file calls it.
type column int

const (
	colKey column = iota
	colQuestion
	colAnswer
	colTopic
	colVariants
	colLocale
	colFrom
	colTo
	colMedia
	colFollowUps
	colSlug
	columns
)

// columnName returns the name we tell people, in order of column.
func columnName(c column) string {
	return [columns]string{"id", "question", "answer", "topic", "variants", "locale", "from", "to", "media", "follow_ups", "slug"}[c]
}

// A known is what a header means. Where two headers mean one column, the lower rank wins.
type known struct {
	column column
	rank   int
}

// rankAsKey is the rank of what names an entry: a slug does where nothing else does.
func (k known) rankAsKey() int {
	const last = 1000
	if k.column == colSlug {
		return last + k.rank
	}
	return k.rank
}

// A lexicon is what headers mean, as normalHeader writes them.
type lexicon struct {
	known  map[string]known
	chosen bool // somebody said what they mean: nothing is read into them
}

// names is the lexicon of the words that people use. A name counts for its column the more the earlier it
// stands, so that "title" is the question only where nothing is called "question".
func names() lexicon {
	lists := headerWords()
	m := make(map[string]known)
	for c, list := range lists {
		for rank, name := range strings.Fields(list) {
			name = normalHeader(name)
			if _, taken := m[name]; !taken {
				m[name] = known{column(c), rank}
			}
		}
	}
	return lexicon{known: m}
}

// normalHeader reduces a header to its letters and digits: "Válido desde (fecha)*" is "validodesde".
func normalHeader(s string) string {
	if i := strings.IndexAny(s, "(["); i > 0 {
		s = s[:i]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFD.String(s))
}

// lookUp returns what a header means. Columns of variants and of media may be numbered.
func lookUp(names lexicon, header string) (known, bool) {
	if len(header) > maxHeader {
		return known{}, false
	}
	name := normalHeader(header)
	if k, ok := names.known[name]; ok {
		return k, true
	}
	if k, ok := names.known[strings.TrimRight(name, "0123456789")]; ok && (k.column == colVariants || k.column == colMedia) {
		return k, true
	}
	return lookUpEnd(names, name)
}

// lookUpEnd returns what a header in a script without spaces between words ends in: "よくある質問" is a question.
func lookUpEnd(names lexicon, name string) (known, bool) {
	if names.chosen {
		return known{}, false
	}
	for i, r := range name {
		if !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			return known{}, false
		}
		if k, ok := names.known[name[i:]]; ok && i > 0 && utf8.RuneCountInString(name[i:]) > 1 {
			return k, true
		}
	}
	return known{}, false
}

// maxHeader is how many bytes a header with a meaning has.
const maxHeader = 100

// chosen is names where somebody said what the headers mean. Those of the form "#2" are places.
func chosen(columns map[string]string) lexicon {
	m := make(map[string]known, len(columns))
	for header, field := range columns {
		if c, ok := columnOf(field); ok && place(header) < 0 {
			m[normalHeader(header)] = known{column: c}
		}
	}
	return lexicon{known: m, chosen: true}
}

// places is the columns that somebody named by their places: cell → column.
func places(columns map[string]string) map[int]column {
	m := make(map[int]column, len(columns))
	for header, field := range columns {
		if c, ok := columnOf(field); ok && place(header) >= 0 {
			m[place(header)] = c
		}
	}
	return m
}

// columnOf undoes columnName.
func columnOf(field string) (column, bool) {
	for c := range columns {
		if columnName(c) == field {
			return c, true
		}
	}
	return 0, false
}

// place returns the cell that "#2" means, or -1.
func place(header string) int {
	digits, ok := strings.CutPrefix(header, "#")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > limits.MaxColumns {
		return -1
	}
	return n - 1
}
