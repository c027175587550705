package dialogue

import (
	"slices"
	"strings"
)

const (
	// minMisspelt is the letters of a word that may be misspelt: shorter ones are too near to one another.
	minMisspelt = 5
	// minVowel is the same for a vowel in place of another: "export" is no expert.
	minVowel = 8
)

// A wordSet is a set of folded words.
type wordSet map[string]bool

// spellings know the words of the lexicon in a language, and which of them a misspelt one means. They take one
// letter that is missing, one too many before the last, two that changed places, and a vowel for a vowel. They take
// no other letter for another ("charge" is not "change"), and no ending for a slip: a writer does not write.
type spellings struct {
	all     wordSet           // words that are right as they are
	targets []string          // words that misspelt ones may mean
	missing map[string]string // a word without one of its letters → the word
}

func newSpellings() *spellings {
	return &spellings{all: wordSet{}, missing: map[string]string{}}
}

// add learns the words of a phrase or pattern. Only those of shapes are what a misspelt word may mean.
func (s *spellings) add(phrase string, ofShape bool) {
	for _, t := range tokenize(phrase) {
		s.all[t.word] = true
		if ofShape && len(t.word) >= minMisspelt {
			s.targets = append(s.targets, t.word)
		}
	}
}

// index prepares meant, after all words are there. "chaged" may be changed or charged: the first by the alphabet is
// meant, in whichever order the words came, so that every start reads a message alike.
func (s *spellings) index() {
	slices.Sort(s.targets)
	for _, word := range s.targets {
		for i := 1; i < len(word); i++ {
			without := word[:i] + word[i+1:]
			if _, taken := s.missing[without]; !taken && !s.all[without] {
				s.missing[without] = word
			}
		}
	}
}

// meant is the word of the lexicon that a folded word means, the word itself if there is none.
func (s *spellings) meant(word string) string {
	if s.all[word] || len(word) < 3 {
		return word
	}
	if short := squeeze(word); short != word && s.all[short] && len(word) > len(short)+1 {
		return short // "pleeease"
	}
	if len(word) < minMisspelt {
		return word
	}
	for i := 1; i+1 < len(word) && len(word) >= minMisspelt; i++ {
		if swapped := word[:i] + word[i+1:i+2] + word[i:i+1] + word[i+2:]; s.all[swapped] {
			return swapped
		}
	}
	if right, ok := s.missing[word]; ok {
		return right
	}
	for i := 1; i < len(word); i++ {
		if without := word[:i] + word[i+1:]; i+1 < len(word) && len(without) >= minMisspelt && s.all[without] {
			return without
		}
		if strings.IndexByte("aeiou", word[i]) >= 0 && len(word) >= minVowel {
			for _, vowel := range "aeiou" {
				if other := word[:i] + string(vowel) + word[i+1:]; s.all[other] {
					return other
				}
			}
		}
	}
	return word
}
