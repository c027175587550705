package lint

import (
	"slices"
	"strings"
	"unicode/utf8"

	"faqbot/knowledge"
)

const (
	minAsked   = 300 // customers' questions, before it is said that they do not use a word
	stem       = 5   // letters that two forms of a word have in common
	minLetters = 6   // shorter words are seldom a matter of taste
)

// Unsaid finds entries in words that no customer uses: nobody got them, and each of their wordings has a word that none of
// the questions asked has, in any form. It finds nothing before there are many questions.
func Unsaid(entries []knowledge.Entry, asked []string, got func(knowledge.EntryID) bool) (found []Finding) {
	if len(asked) < minAsked {
		return nil
	}
	said := map[string]bool{}
	for _, question := range asked {
		for _, word := range strings.Fields(plain(question)) {
			said[stemOf(word)] = true
		}
	}
	for _, e := range entries {
		if got(e.ID) || len(found) == Most {
			continue
		}
		var words []string
		heard := slices.ContainsFunc(e.Wordings(), func(w string) bool {
			var unsaid []string
			for _, word := range strings.Fields(plain(w)) {
				if utf8.RuneCountInString(word) >= minLetters && !said[stemOf(word)] && !slices.Contains(unsaid, word) {
					unsaid = append(unsaid, word)
				}
			}
			if words == nil { // of the question
				words = unsaid
			}
			return len(unsaid) == 0
		})
		if !heard {
			found = append(found, Finding{Kind: UnsaidWords, Entry: e.ID, Words: strings.Join(words, ", ")})
		}
	}
	return found
}

func stemOf(word string) string {
	letters := []rune(word)
	return string(letters[:min(len(letters), stem)])
}
