package dialogue

import (
	"strings"
	"unicode"
)

// A token is one word of a text, lower-cased, and where it stands.
type token struct {
	word       string
	start, end int // bytes
}

// tokenize splits text into words of letters, digits, marks and inner apostrophes.
func tokenize(text string) []token {
	var list []token
	start := -1
	for i, r := range text + " " {
		inside := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || (r == '\'' || r == '’') && start >= 0
		switch {
		case inside && start < 0:
			start = i
		case !inside && start >= 0:
			word := strings.ToLower(strings.Trim(text[start:i], "'’"))
			list = append(list, token{word: word, start: start, end: i})
			start = -1
		}
	}
	return list
}

// matchAt is the length of the longest of sequences that tokens has at i, 0 if none.
func matchAt(tokens []token, i int, sequences [][]string) int {
	best := 0
	for _, s := range sequences {
		if len(s) > best && i+len(s) <= len(tokens) && equal(tokens[i:i+len(s)], s) {
			best = len(s)
		}
	}
	return best
}

func equal(tokens []token, words []string) bool {
	for i, w := range words {
		if tokens[i].word != w {
			return false
		}
	}
	return true
}

// contains reports whether tokens has one of sequences anywhere.
func contains(tokens []token, sequences [][]string) bool {
	for i := range tokens {
		if matchAt(tokens, i, sequences) > 0 {
			return true
		}
	}
	return false
}

// is reports whether one of sequences is all of tokens.
func is(tokens []token, sequences [][]string) bool {
	return len(tokens) > 0 && matchAt(tokens, 0, sequences) == len(tokens)
}
