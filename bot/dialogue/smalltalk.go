package dialogue

import (
	"slices"
	"strings"
	"unicode"
)

// strip notes thanks wherever they stand and greetings and goodbyes at their ends, and returns the
// rest of text without what stands at its ends; "" if nothing else was said.
func (s *Signals) strip(p *Phrases, text string, tokens []token) string {
	if p.says(wordThanks, tokens) {
		declines := p.words[wordNo].at(tokens, 0) > 0 // "no, nothing else, thanks"
		s.Thanks, s.Acknowledgement = s.Thanks || !declines, s.Acknowledgement || declines
	}
	if s.smallTalk(p, tokens) {
		return ""
	}
	from, to := 0, len(tokens)
	for from < to {
		if n := p.words[wordGreeting].at(tokens, from); n > 0 {
			s.Greeting = true
			from += n
		} else if n := p.words[wordThanks].at(tokens, from); n > 0 {
			from += n
		} else {
			break
		}
	}
	// "… thanks!" at the end is politeness, not a word to search for.
	for n := min(5, to-from-1); n > 0; n-- {
		bye := p.words[wordGoodbye].is(tokens[to-n : to])
		if bye || p.words[wordThanks].is(tokens[to-n:to]) {
			s.Goodbye = s.Goodbye || bye
			to -= n
			n = min(5, to-from-1) + 1
		}
	}
	end := len(text)
	if to < len(tokens) {
		end = tokens[to].start
	}
	return strings.TrimRightFunc(text[tokens[from].start:end], unicode.IsSpace)
}

// smallTalk reports whether tokens hold nothing but small talk, and notes which. What is left when
// it is neither greeting, thanks nor goodbye asks nothing: "ok", "yes", "no".
func (s *Signals) smallTalk(p *Phrases, tokens []token) bool {
	var found Signals
	for i := 0; i < len(tokens); {
		longest := 0
		var as lexiconKind
		for _, kind := range []lexiconKind{wordGreeting, wordGoodbye, wordThanks, wordNo, wordYes, wordFiller} {
			if n := p.words[kind].at(tokens, i); n > longest {
				longest, as = n, kind
			}
		}
		switch as {
		case "":
			return false
		case wordGreeting:
			found.Greeting = true
		case wordGoodbye:
			found.Goodbye = true
		}
		i += longest
	}
	s.Greeting, s.Goodbye = s.Greeting || found.Greeting, s.Goodbye || found.Goodbye
	s.Acknowledgement = s.Acknowledgement || !found.Greeting && !found.Goodbye && !s.Thanks
	return true
}

const (
	// maxAsideWords is how many words a message has at most whose shape says all: who the bot is, that it did
	// or did not help, that it shall stop. In a longer one the words are part of a story.
	maxAsideWords = 14
	// maxBeside is how many words of content such a shape may leave over: "what is your name, buddy".
	maxBeside = 1
)

// aside reads a message that is about the bot itself, and returns whether it is nothing else.
func (s *Signals) aside(p *Phrases, tokens []token) bool {
	if len(tokens) > maxAsideWords || s.WantsPerson {
		return false
	}
	all := span{0, len(tokens)}
	if spans := p.spans(shapePraise, tokens); len(spans) > 0 && p.beside(tokens, all, spans) <= maxBeside {
		s.Praise, s.Thanks = true, true
		return true
	}
	if spans := p.spans(shapeIdentity, tokens); len(spans) > 0 && p.beside(tokens, clause(tokens, spans[0]), spans) <= maxBeside {
		s.Identity = true
		return p.beside(tokens, all, spans) <= maxBeside
	}
	if spans := p.spans(shapeHelp, tokens); len(spans) > 0 && p.beside(tokens, all, spans) == 0 {
		s.Help = true
		return true
	}
	return false
}

// feedback reads that an answer did not help, and returns what else a text says: the question put anew.
func (s *Signals) feedback(p *Phrases, text string, tokens []token) (rest string, ok bool) {
	if len(tokens) > maxAsideWords {
		return "", false
	}
	spans := p.spans(shapeFeedback, tokens)
	if len(spans) == 0 {
		return "", false
	}
	in := clause(tokens, spans[0])
	if p.beside(tokens, in, spans) > maxBeside {
		return "", false
	}
	s.Feedback = true
	if contentWords(p, tokens[in.to:]) >= minAnew {
		return strings.TrimSpace(text[tokens[in.to].start:]), true
	}
	if contentWords(p, tokens[:in.from]) >= minAnew {
		return strings.TrimSpace(text[:tokens[in.from-1].end]), true
	}
	return "", true
}

// minAnew is how many words of content beside feedback are a question.
const minAnew = 2

// clause is the stretch of tokens with the whole clauses in which one stands.
func clause(tokens []token, one span) span {
	for one.from > 0 && !tokens[one.from].opens {
		one.from--
	}
	for one.to < len(tokens) && !tokens[one.to].opens {
		one.to++
	}
	return one
}

// beside is how many words that say something stand in a stretch of tokens and in none of the spans.
func (p *Phrases) beside(tokens []token, in span, spans []span) (n int) {
	var rest []token
	for i := in.from; i < in.to; i++ {
		if !slices.ContainsFunc(spans, func(s span) bool { return s.from <= i && i < s.to }) {
			rest = append(rest, tokens[i])
		}
	}
	for i := 0; i < len(rest); {
		skip := 0
		for _, kind := range []lexiconKind{wordFunction, wordPointing, wordGreeting, wordThanks, wordFiller, wordGoodbye} {
			skip = max(skip, p.words[kind].at(rest, i))
		}
		if skip == 0 {
			n++
		}
		i += max(1, skip)
	}
	return n
}

// emoji reads a text without words. What pleases is thanks, what shows anger a complaint; a thumb down or a tired
// face is about the answer given, a robot about the bot.
func (s *Signals) emoji(text string) {
	switch {
	case strings.ContainsAny(text, "👎😕😞🙁☹😒😑😐🙄🤦"):
		s.Feedback = true
	case strings.ContainsAny(text, "😡🤬😠💩🖕👿😤"):
		s.Complaint = true
	case strings.Contains(text, "🤖"):
		s.Identity = true
	case strings.ContainsAny(text, "👍🙏❤♥😊🙂😀😃😄👌🎉🤝💯😍🥰☺😁😘💕💖💙💚💛🧡💜🖤🤍👏🙌💪✅✔😉😎🤩🤗🫶✨⭐🌟🔥💐🌹😂🤣😆"):
		s.Thanks = true
	case strings.ContainsAny(text, "👋🖐✋"):
		s.Greeting = true
	default:
		s.Unreadable = true
	}
}

// nameWords is how many words beside a greeting are taken for whom it is for.
const nameWords = 2

// polite reports whether a message with small talk in it asks nothing. Thanks and goodbyes come with
// how it went; greetings come with a problem, unless there is little else.
func polite(p *Phrases, s Signals) bool {
	if s.Question == "" {
		return false // there is nothing beside it
	}
	if s.Thanks || s.Goodbye || s.Acknowledgement {
		return !asks(p, s.Question)
	}
	return s.Greeting && len(tokenize(s.Question)) <= nameWords
}
