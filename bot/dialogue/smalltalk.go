package dialogue

import (
	"strings"
	"unicode"
)

// strip notes thanks wherever they stand and greetings and goodbyes at their ends, and returns the
// rest of text without what stands at its ends; "" if nothing else was said.
func (s *Signals) strip(p *Phrases, text string, tokens []token) string {
	if p.words[wordThanks].in(tokens) {
		declines := p.words[wordNo].at(tokens, 0) > 0 // "no, nothing else, thanks"
		s.Thanks, s.Noted = s.Thanks || !declines, s.Noted || declines
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
		var as wordKind
		for _, kind := range []wordKind{wordGreeting, wordGoodbye, wordThanks, wordNo, wordYes, wordFiller} {
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
	s.Noted = s.Noted || !found.Greeting && !found.Goodbye && !s.Thanks
	return true
}

// applause reports whether text, which has no words, is applause.
func applause(text string) bool {
	return strings.ContainsAny(text, "👍🙏❤♥😊🙂😀😃😄👌🎉🤝💯😍🥰")
}

// nameWords is how many words beside a greeting are taken for whom it is for.
const nameWords = 2

// polite reports whether a message with small talk in it asks nothing. Thanks and goodbyes come with
// how it went; greetings come with a problem, unless there is little else.
func polite(p *Phrases, s Signals) bool {
	if s.Question == "" {
		return false // there is nothing beside it
	}
	if s.Thanks || s.Goodbye || s.Noted {
		return !asks(p, s.Question)
	}
	return s.Greeting && len(tokenize(s.Question)) <= nameWords
}
