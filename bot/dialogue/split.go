package dialogue

import (
	"strings"
	"unicode"
)

const (
	maxParts  = 3 // questions answered apart; more in one message is a story
	minBefore = 3 // words before an "and" that joins two questions
	minStated = 3 // words of a statement that may be a question
)

// split returns the questions of a text that holds two or three, in order, nil if it holds one or
// none. What asks nothing goes with the question after it, whose ground it usually is, and at the
// end with the one before. Where nothing asks in so many words, two sentences or lines are two
// questions. All this only proposes: whether each is answered by itself, search decides.
func split(p *Phrases, text string) []string {
	list := segments(p, text)
	var ends []int
	for _, s := range list {
		if asks(p, text[s.from:s.to]) {
			ends = append(ends, s.to)
		}
	}
	if len(ends) < 2 && len(list) == 2 && states(p, text[:list[0].to]) && states(p, text[list[1].from:]) {
		ends = []int{list[0].to, list[1].to}
	}
	if len(ends) < 2 || len(ends) > maxParts {
		return nil
	}
	ends[len(ends)-1] = len(text)
	parts, from := make([]string, len(ends)), 0
	for i, to := range ends {
		parts[i], from = strings.TrimSpace(text[from:to]), to
	}
	return parts
}

// A segment is a stretch of a text, in bytes.
type segment struct{ from, to int }

// segments cuts text after sentences, at line ends, and before an "and" with a question behind it.
func segments(p *Phrases, text string) (list []segment) {
	tokens := tokenize(text)
	cuts := map[int]bool{}
	began := 0 // the token with which the segment begins
	for i, t := range tokens {
		if i > 0 && closes(text[tokens[i-1].end:t.start]) {
			opening := len(strings.TrimRight(text[:t.start], "¿¡")) // these belong to what follows
			cuts[opening], began = true, i
			continue
		}
		n := p.words[wordJoining].at(tokens, i)
		if n > 0 && i-began >= minBefore && i+n < len(tokens) && p.words[wordAsking].at(tokens, i+n) > 0 {
			cuts[t.start], began = true, i
		}
	}
	from := 0
	for at := range len(text) {
		if cuts[at] {
			list = append(list, segment{from, at})
			from = at
		}
	}
	return append(list, segment{from, len(text)})
}

// closes reports whether what stands between two words ends a sentence or a line. A full stop needs
// space after it, or it is part of a number or an address.
func closes(gap string) bool {
	if strings.ContainsAny(gap, "\n?!;؟？。！") {
		return true
	}
	dot := strings.IndexByte(gap, '.')
	return dot >= 0 && strings.IndexFunc(gap[dot:], unicode.IsSpace) >= 0
}

// asks reports whether a segment is a question that says what it is about.
func asks(p *Phrases, text string) bool {
	tokens := tokenize(text)
	if len(tokens) < 2 || contentWords(p, tokens) == 0 {
		return false
	}
	if strings.ContainsAny(text, "?؟？") {
		return true
	}
	at := max(p.words[wordJoining].at(tokens, 0), p.words[wordCarryingOn].at(tokens, 0))
	return at < len(tokens) && p.words[wordAsking].at(tokens, at) > 0
}

// states reports whether a segment says enough to be a question in other words: "my card is lost".
func states(p *Phrases, text string) bool {
	tokens := tokenize(text)
	return len(tokens) >= minStated && contentWords(p, tokens) >= 2
}
