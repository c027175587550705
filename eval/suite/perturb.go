package suite

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
)

// Perturbations are the ways in which Perturb can change questions, none of which changes what is meant.
func Perturbations() []string {
	return []string{"typos", "capitals", "no-case", "no-punctuation", "sms"}
}

// Perturb is s with its questions written as one of Perturbations says. The same suite gives the same one.
func (s Suite) Perturb(how string) Suite {
	noisy := s
	noisy.Cases = slices.Clone(s.Cases)
	for i, c := range noisy.Cases {
		h := fnv.New64a()
		_, _ = h.Write([]byte(c.ID)) // a hash takes everything
		random := rand.New(rand.NewPCG(h.Sum64(), 8))
		noisy.Cases[i].Turns = slices.Clone(c.Turns)
		for k, t := range noisy.Cases[i].Turns {
			noisy.Cases[i].Turns[k].Say = perturbText(t.Say, how, random)
		}
	}
	return noisy
}

func perturbText(text, how string, random *rand.Rand) string {
	switch how {
	case "typos":
		return misspell(text, random)
	case "capitals":
		return strings.ToUpper(text)
	case "no-case":
		return strings.ToLower(text)
	case "no-punctuation":
		return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) && r != '\'' }), " ")
	}
	words := strings.Fields(text)
	for i, word := range words {
		if short, ok := shorthand()[strings.ToLower(strings.Trim(word, ".,?!"))]; ok {
			words[i] = short
		}
	}
	return strings.Join(words, " ")
}

// typosIn is the share of letters that are mistyped, as in the public sets with typing errors.
const typosIn = .08

// misspell mistypes letters: it leaves one out, doubles it, swaps it with the next, or takes a neighbour on the keyboard.
func misspell(text string, random *rand.Rand) string {
	const keys = "qwertyuiop asdfghjkl zxcvbnm"
	var out []rune
	letters := []rune(text)
	for i := 0; i < len(letters); i++ {
		r := letters[i]
		if !unicode.IsLetter(r) || random.Float64() >= typosIn {
			out = append(out, r)
			continue
		}
		at := strings.IndexRune(keys, unicode.ToLower(r))
		switch way := random.IntN(4); {
		case way == 0:
		case way == 1:
			out = append(out, r, r)
		case way == 2 && i+1 < len(letters):
			out = append(out, letters[i+1], r)
			i++
		case at > 0 && keys[at-1] != ' ':
			out = append(out, rune(keys[at-1]))
		default:
			out = append(out, r)
		}
	}
	return string(out)
}

// shorthand is how words are written on a phone.
func shorthand() map[string]string {
	return map[string]string{
		"you": "u", "your": "ur", "are": "r", "please": "pls", "thanks": "thx", "for": "4", "to": "2", "why": "y", "because": "cuz", "before": "b4",
		"with": "w/", "without": "w/o", "and": "n", "what": "wat", "have": "hv", "how": "hw", "about": "abt", "when": "wen", "from": "frm", "my": "mi", "the": "da",
		"que": "q", "qué": "q", "por": "x", "porque": "xq", "también": "tb", "para": "pa", "você": "vc", "vocês": "vcs", "não": "n", "quando": "qdo", "mas": "+",
	}
}
