package lexical

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold brings text to the form that is compared: NFKC, so that the many ways to type one character
// are one, and lower case.
func Fold(text string) string {
	return strings.ToLower(norm.NFKC.String(text))
}

// words splits folded text at everything that is not a letter, a number or a combining mark. Marks
// stay inside words: splitting at the vowel signs of Devanagari or Tamil would leave rubble.
func words(folded string) []string {
	return strings.FieldsFunc(folded, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
}

// Bare is Fold without accents, which people leave out: "São" is "sao". Marks of scripts that write vowels with them
// stay.
func Bare(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x300 && r <= 0x36F {
			return -1
		}
		return r
	}, norm.NFD.String(Fold(text)))
}
