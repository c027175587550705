package dialogue

import (
	"strings"
	"unicode"
)

const (
	// wishWords bounds how long a message may be whose wish for a person is believed: in a long one
	// the words are more likely part of a story.
	wishWords = 25
	// shoutWords is how many words in capitals, with two exclamation marks, are anger.
	shoutWords = 3
	// mashShare is how much of a message must be keys struck at random for it to be gibberish.
	mashShare = 0.7
	// minMash is the letters of a word without vowels that is no abbreviation.
	minMash = 6
)

// detectMood reads what the messages' words show of the customer's mood and matter.
func (s *Signals) detectMood(p *Phrases, texts []string) {
	for _, text := range texts {
		tokens := tokenize(text)
		read := p.read(tokens)
		s.Emergency = s.Emergency || p.fires(shapeEmergency, read)
		s.Danger = s.Danger || s.Emergency || p.fires(shapeDanger, read)
		s.Complaint = s.Complaint || p.says(wordComplaint, tokens) || p.fires(shapeComplaint, read) || shouts(text)
		s.Abuse = s.Abuse || p.says(wordAbuse, tokens) || p.fires(shapeAbuse, read) || p.says(wordAbuse, unmasked(text))
	}
	s.Gibberish = gibberish(s.Question, tokenize(s.Question))
}

// unmasked are the words of text as they were before digits and signs took the place of letters: "sh1t".
// Of words with stars only the first letter is left, which is enough for the one that is masked most.
func unmasked(text string) (list []token) {
	if !strings.ContainsAny(text, "*1!0345@$") {
		return nil
	}
	letters := strings.NewReplacer("1", "i", "!", "i", "0", "o", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s")
	for _, field := range strings.Fields(text) {
		if strings.HasPrefix(strings.ToLower(field), "f**") || strings.HasPrefix(strings.ToLower(field), "f*ck") {
			field = "fuck"
		}
		if word := letters.Replace(field); word != field && strings.ContainsFunc(field, unicode.IsLetter) {
			field = word
		}
		list = append(list, tokenize(field)...)
	}
	return list
}

// wishes reports whether tokens, which read has split, ask for a person.
func wishes(p *Phrases, tokens []token) bool {
	return len(tokens) <= wishWords && p.fires(shapePerson, tokens)
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
func gibberish(text string, tokens []token) bool {
	mash, all := 0, 0
	for _, t := range tokens {
		all += len(t.word)
		if mashed(t.word) && !isCode(text[t.start:t.end]) {
			mash += len(t.word)
		}
	}
	return mash > 0 && float64(mash) >= mashShare*float64(all)
}

// maxCode is the letters of a word in capitals that may be a coupon's code or a company's sign.
const maxCode = 10

func isCode(word string) bool { return len(word) <= maxCode && strings.ToUpper(word) == word }

// mashed reports whether word, folded, has no vowel, or far too many consonants in a row, or one
// letter four times in a row, or is a walk along a row of the keyboard.
func mashed(word string) bool {
	vowels, consonants, most, same, maxSame := 0, 0, 0, 0, 0
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
		maxSame = max(maxSame, same)
	}
	switch {
	case walks(word) || maxSame >= 4 && len(squeeze(word)) <= 2:
		return len(word) >= 4
	case len(word) < minMash:
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
