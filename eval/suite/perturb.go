package suite

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"faqbot/knowledge"
	"faqbot/retrieval/contrast"
)

// Perturbations are the ways in which Perturb can change questions, none of which changes what is meant.
func Perturbations() []string {
	return []string{"typos", "capitals", "no-case", "no-punctuation", "sms", "negative"}
}

// Perturb is the cases of s whose questions change when they are written as one of Perturbations says. The same suite
// gives the same one.
func (s Suite) Perturb(how string) Suite {
	noisy := s
	noisy.Cases = nil
	for _, c := range s.Cases {
		h := fnv.New64a()
		_, _ = h.Write([]byte(c.ID)) // a hash takes everything
		random := rand.New(rand.NewPCG(h.Sum64(), 8))
		c.Turns = slices.Clone(c.Turns)
		changed := false
		for k, t := range c.Turns {
			c.Turns[k].Say = perturbText(t.Say, how, random)
			changed = changed || c.Turns[k].Say != t.Say
		}
		if changed {
			noisy.Cases = append(noisy.Cases, c)
		}
	}
	return noisy
}

// SwapEntities is questions about something that an entry names, like a country or a way to pay, asked about another that
// no entry names. None of them has an answer. Cases of several turns are left out.
func (s Suite) SwapEntities(entries []knowledge.Entry) Suite {
	lexicon := contrast.Load()
	byID, all := map[knowledge.EntryID]contrast.Entry{}, []contrast.Entry{}
	for _, e := range entries {
		one := contrast.Entry{Answer: lexicon.Read(e.Answer)}
		for _, w := range e.Wordings() {
			one.Wordings = append(one.Wordings, lexicon.Read(w))
		}
		byID[e.ID], all = one, append(all, one)
	}
	other := s
	other.Cases, other.Gates = nil, nil
	for _, c := range s.Cases {
		if len(c.Turns) > 1 || len(c.Relevant()) != 1 {
			continue
		}
		if say, ok := lexicon.Swapped(c.Last().Say, byID[c.Relevant()[0]], all); ok {
			c.Turns = []Turn{{Say: say, Expect: Expect{None: true}}}
			c.Reword = nil
			other.Cases = append(other.Cases, c)
		}
	}
	return other
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
	case "negative":
		return negative(text)
	}
	words := strings.Fields(text)
	for i, word := range words {
		if short, ok := shorthand()[strings.ToLower(strings.Trim(word, ".,?!"))]; ok {
			words[i] = short
		}
	}
	return strings.Join(words, " ")
}

// negative asks a question that yes or no answers with "not", which does not change what is asked: "don't you ship?". English
// alone; other questions stay as they are.
func negative(text string) string {
	first, rest, ok := strings.Cut(text, " ")
	for word, with := range map[string]string{"can": "can't", "do": "don't", "does": "doesn't", "did": "didn't", "is": "isn't", "are": "aren't", "will": "won't",
		"could": "couldn't", "should": "shouldn't", "have": "haven't", "has": "hasn't"} {
		if ok && strings.ToLower(first) == word && slices.Contains([]string{"i", "you", "we", "it", "there", "the", "my", "your", "this", "they"}, strings.ToLower(strings.SplitN(rest, " ", 2)[0])) {
			return first[:1] + with[1:] + " " + rest
		}
	}
	return text
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
