package dialogue

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// maxGap and maxLongGap are the most words that ".." and "..." stand for.
	maxGap     = 3
	maxLongGap = 8
	// maxRepeats is how often the words of a "<class>*" may follow one another.
	maxRepeats = 4
)

// A shape is a pattern of words that shows what a customer wants, as the lexicon writes it:
//
//	word             this word; word/other is either
//	<class>          any of the class's words, of which some are several
//	<class>*         up to maxRepeats of them, or none
//	.. and ...       up to maxGap and maxLongGap words; "...." at the end takes as many as it can
//	^ and $          the begin and the end of a clause, small talk aside
//
// A gap never reaches over a comma, a full stop or the end of a line. So "<reach> <det>* <human>" is
// "talk to a real person" and "chat with one of your agents".
type shape struct {
	steps  []step
	start  bool // ^
	end    bool // $
	strict bool // no gap ends where a clause begins either: what takes back must stand beside what it takes back
}

// A step is a word of a class, or a gap.
type step struct {
	words  *wordList // nil for a gap
	many   bool      // <class>*
	gap    int       // words at most
	greedy bool      // takes all that gap allows
}

// shapes are the patterns of one kind: it fires where one of is matches and none of not overlaps it.
type shapes struct {
	is, not shapeIndex
}

// newShapes reads the patterns of one kind, with the classes that they name.
func newShapes(is, not []string, classes map[string]*wordList) (shapes, error) {
	s := shapes{is: shapeIndex{}, not: shapeIndex{}}
	if len(is) == 0 {
		return s, errors.New("there are none")
	}
	for _, pattern := range is {
		if err := s.is.add(pattern, false, classes); err != nil {
			return s, err
		}
	}
	for _, pattern := range not {
		if err := s.not.add(pattern, true, classes); err != nil {
			return s, err
		}
	}
	return s, nil
}

// A shapeIndex holds shapes by their possible first words.
type shapeIndex map[string][]*shape

func (x shapeIndex) add(pattern string, strict bool, classes map[string]*wordList) error {
	s := &shape{strict: strict}
	for _, field := range strings.Fields(pattern) {
		switch class, many := strings.CutSuffix(field, "*"); {
		case field == "^":
			s.start = true
		case field == "$":
			s.end = true
		case strings.Trim(field, ".") == "":
			gap := maxGap
			if len(field) > 2 {
				gap = maxLongGap
			}
			s.steps = append(s.steps, step{gap: gap, greedy: len(field) > 3})
		case strings.HasPrefix(class, "<"):
			words := classes[strings.Trim(class, "<>")]
			if words == nil {
				return fmt.Errorf("shape %q: there is no class %s", pattern, class)
			}
			s.steps = append(s.steps, step{words: words, many: many})
		default:
			words := &wordList{}
			for word := range strings.SplitSeq(field, "/") {
				words.add(word)
			}
			s.steps = append(s.steps, step{words: words})
		}
	}
	first := 0
	for first < len(s.steps) && s.steps[first].many {
		first++
	}
	if first == len(s.steps) || s.steps[first].words == nil {
		return fmt.Errorf("shape %q must begin with a word or a class", pattern)
	}
	for _, st := range s.steps[:first+1] {
		for word := range st.words.byFirst {
			x[word] = append(x[word], s)
		}
	}
	return nil
}

// A span is a stretch of tokens.
type span struct{ from, to int }

// find returns where the shapes match in tokens.
func (x shapeIndex) find(tokens []token) (list []span) {
	for i := range tokens {
		for _, s := range x[tokens[i].word] {
			if s.start && !tokens[i].begins {
				continue
			}
			if to := s.match(tokens, i, 0, 0); to > i {
				list = append(list, span{i, to})
			}
		}
	}
	return list
}

// match returns where the steps from the given one on end if they match tokens at i, -1 if they do not.
// repeats is how often the step has matched already.
func (s *shape) match(tokens []token, i, at, repeats int) int {
	if at == len(s.steps) {
		if s.end && i < len(tokens) && !tokens[i-1].ends {
			return -1
		}
		return i
	}
	st := s.steps[at]
	switch {
	case st.words == nil:
		return s.matchGap(tokens, i, at)
	case st.many:
		if repeats < maxRepeats && i < len(tokens) {
			if n := st.words.at(tokens, i); n > 0 {
				if to := s.match(tokens, i+n, at, repeats+1); to >= 0 {
					return to
				}
			}
		}
		return s.match(tokens, i, at+1, 0)
	case i == len(tokens):
		return -1
	}
	n := st.words.at(tokens, i)
	if n == 0 {
		return -1
	}
	return s.match(tokens, i+n, at+1, 0)
}

func (s *shape) matchGap(tokens []token, i, at int) int {
	most := i
	for most < len(tokens) && most-i < s.steps[at].gap && (!tokens[most].opens || most == 0) {
		most++
	}
	if s.steps[at].greedy {
		return s.match(tokens, most, at+1, 0)
	}
	for k := i; k <= most; k++ {
		if s.strict && k < len(tokens) && tokens[k].opens {
			continue
		}
		if to := s.match(tokens, k, at+1, 0); to >= 0 {
			return to
		}
	}
	return -1
}

// find returns the spans of tokens that fire.
func (s shapes) find(tokens []token) (list []span) {
	list = s.is.find(tokens)
	if len(list) == 0 {
		return nil
	}
	not := s.not.find(tokens)
	kept := list[:0]
	for _, one := range list {
		overlaps := false
		for _, n := range not {
			overlaps = overlaps || one.from < n.to && n.from < one.to
		}
		if !overlaps {
			kept = append(kept, one)
		}
	}
	return kept
}
