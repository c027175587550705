package language

import (
	"strings"
	"unicode"
)

const (
	minLetters  = 2 // of another script than Latin, for a text to be in it: an emoticon has one
	inOther     = 4 // one letter in so many of another script: Latin names are in texts of all scripts
	inChinese   = 8 // one Chinese or Japanese character in so many letters, as each stands for several
	kanaInJapan = 8 // Japanese has one kana for so many Chinese characters at least
)

// scripts are those that several languages share, and those languages. Latin has all others.
func scripts() map[string]string {
	return map[string]string{"Cyrillic": "ru uk bg sr kk", "Arabic": "ar fa ur"}
}

// ofScript are languages that alone have their script, among those that we tell.
func ofScript() map[string]string {
	return map[string]string{"Devanagari": "hi", "Thai": "th", "Hebrew": "he", "Greek": "el", "Hangul": "ko", "Bengali": "bn", "Tamil": "ta",
		"Telugu": "te", "Gujarati": "gu", "Gurmukhi": "pa", "Kannada": "kn", "Malayalam": "ml", "Georgian": "ka", "Armenian": "hy",
		"Ethiopic": "am", "Khmer": "km", "Lao": "lo", "Myanmar": "my", "Sinhala": "si"}
}

// script is the script of a text and the languages that have it; or the text's language, and "", if the script tells it,
// or if the text has no letters.
func script(text string) (of, languages string) {
	count, kana, han, all := map[string]int{}, 0, 0, 0
	for _, r := range text {
		if !unicode.IsLetter(r) {
			continue
		}
		all++
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Han, r):
			han++
		case !unicode.Is(unicode.Latin, r):
			count[nameOf(r)]++
		}
	}
	switch n := kana + han; {
	case all == 0:
		return "", ""
	case n >= minLetters && inChinese*n >= all && kana*kanaInJapan >= han && kana > 0:
		return "ja", ""
	case n >= minLetters && inChinese*n >= all:
		return "zh", ""
	}
	for name, n := range count {
		if n < min(minLetters, all) || inOther*n < all || n < count[of] {
			continue
		}
		of = name
	}
	if of == "" {
		return "Latin", latin
	}
	if one := ofScript()[of]; one != "" {
		return one, ""
	}
	return of, scripts()[of]
}

// latin stands for all languages but those that are never written in Latin script.
const latin = "*"

// isCandidate reports whether a language may be that of a text, by the second result of script.
func isCandidate(language, candidates string) bool {
	if candidates != latin {
		return strings.Contains(" "+candidates+" ", " "+language+" ")
	}
	return !strings.Contains(" ru uk bg kk ar fa ur hi ", " "+language+" ")
}

// nameOf is the script of a letter, of those that tell a language.
func nameOf(r rune) string {
	for name := range scripts() {
		if unicode.Is(unicode.Scripts[name], r) {
			return name
		}
	}
	for name := range ofScript() {
		if unicode.Is(unicode.Scripts[name], r) {
			return name
		}
	}
	return ""
}
