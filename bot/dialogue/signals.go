package dialogue

import (
	"strings"
	"unicode"
)

const (
	// wishWords bounds how long a message may be whose wish for a person is believed: in a long one
	// the words are more likely part of a story.
	wishWords = 25
	// between is the most words between "talk to" and "person".
	between = 4
	// shoutWords is how many words in capitals, with two exclamation marks, are anger.
	shoutWords = 3
	// mashShare is how much of a message must be keys struck at random for it to be gibberish.
	mashShare = 0.7
	// shortestMash is the letters of a word without vowels that is no abbreviation.
	shortestMash = 6
)

// feel reads what the messages' words show of the customer's mood and matter.
func (s *Signals) feel(p *Phrases, texts []string) {
	for _, text := range texts {
		tokens := tokenize(text)
		s.Complaint = s.Complaint || p.fires(wordComplaint, tokens) || shouts(text)
		s.Urgent = s.Urgent || p.fires(wordUrgent, tokens)
		s.Abuse = s.Abuse || p.fires(wordAbuse, tokens)
	}
	s.Gibberish = gibberish(tokenize(s.Question))
}

// fires reports whether tokens hold words of a kind that the mild ones do not account for.
func (p *Phrases) fires(kind wordKind, tokens []token) bool {
	for i := 0; i < len(tokens); i++ {
		if n := p.words[wordMild].at(tokens, i); n > 0 {
			i += n - 1
		} else if p.words[kind].at(tokens, i) > 0 {
			return true
		}
	}
	return false
}

// wishes reports whether tokens ask for a person: "agent", "can I talk to a real person".
func wishes(p *Phrases, tokens []token) bool {
	if p.words[wordPersonAlone].is(tokens) {
		return true
	}
	if len(tokens) > wishWords {
		return false
	}
	if p.fires(wordPerson, tokens) {
		return true
	}
	for i := range tokens {
		if n := p.words[wordPersonTalk].at(tokens, i); n > 0 && !p.declines(tokens[:i]) &&
			p.names(tokens, i+n, wordPersonNoun, wordPersonSomeone) > 0 {
			return true
		}
		// "I want an agent": but not "a representative sample".
		if n := p.words[wordPersonWant].at(tokens, i); n > 0 {
			end := p.names(tokens, i+n, wordPersonNoun)
			if end == len(tokens) || end > 0 && p.words[wordFunction].at(tokens, end) > 0 {
				return true
			}
		}
	}
	return false
}

// declines reports whether tokens end in words that turn the wish that follows into its opposite.
func (p *Phrases) declines(tokens []token) bool {
	for i := max(0, len(tokens)-between); i < len(tokens); i++ {
		if p.words[wordPersonNot].is(tokens[i:]) {
			return true
		}
	}
	return false
}

// names finds one of kinds at from, or a few words after it that mean nothing else, and returns where
// it ends, 0 if there is none.
func (p *Phrases) names(tokens []token, from int, kinds ...wordKind) int {
	for at := from; at < len(tokens) && at <= from+between; {
		for _, kind := range kinds {
			if n := p.words[kind].at(tokens, at); n > 0 {
				return at + n
			}
		}
		n := p.words[wordPersonBetween].at(tokens, at)
		if n == 0 {
			return 0
		}
		at += n
	}
	return 0
}

// shouts reports whether text is in capitals and exclamation marks.
func shouts(text string) bool {
	upper, letters := 0, 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			letters++
		}
		if unicode.IsUpper(r) {
			upper++
		}
	}
	return strings.Contains(text, "!!") && len(strings.Fields(text)) >= shoutWords && 2*upper > letters
}

// gibberish reports whether tokens are keys struck at random. It looks at the words' form alone and
// only at Latin letters without accents, so that what it calls gibberish is no word of any language
// written in them.
func gibberish(tokens []token) bool {
	mash, all := 0, 0
	for _, t := range tokens {
		all += len(t.word)
		if mashed(t.word) {
			mash += len(t.word)
		}
	}
	return mash > 0 && float64(mash) >= mashShare*float64(all)
}

// mashed reports whether word, folded, has no vowel, or far too many consonants in a row, or one
// letter four times in a row, or is a walk along a row of the keyboard.
func mashed(word string) bool {
	vowels, consonants, most, same, mostSame := 0, 0, 0, 0, 0
	for i := range len(word) {
		c := word[i]
		if c < 'a' || c > 'z' {
			return false // a number, a code, another script
		}
		if strings.IndexByte("aeiouy", c) >= 0 {
			vowels++
			consonants = 0
		} else {
			consonants++
			most = max(most, consonants)
		}
		if same++; i == 0 || word[i-1] != c {
			same = 1
		}
		mostSame = max(mostSame, same)
	}
	switch {
	case walks(word) || mostSame >= 4 && len(squeeze(word)) <= 2:
		return len(word) >= 4
	case len(word) < shortestMash:
		return false
	}
	return vowels == 0 || most >= 6 && 5*vowels < len(word)
}

// walks reports whether a word runs along a row of the keyboard. No word has four letters of the two
// lower rows in order; "erty" is the end of many, so the upper one needs five.
func walks(word string) bool {
	for i := range len(word) - 3 {
		four := word[i : i+4]
		for _, row := range []string{"asdfghjkl", "lkjhgfdsa", "zxcvbnm", "mnbvcxz"} {
			if strings.Contains(row, four) {
				return true
			}
		}
	}
	for i := range max(0, len(word)-4) {
		five := word[i : i+5]
		if strings.Contains("qwertyuiop", five) || strings.Contains("poiuytrewq", five) {
			return true
		}
	}
	return false
}
