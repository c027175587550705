package dialogue

import (
	"slices"
	"strconv"
	"strings"

	"faqbot/bot"
	"faqbot/knowledge"
)

// reply reads words that answer the bot's own last question: "yes", "2", a choice's label. rest is what
// they ask beside: "neither, I mean the refund".
func (s *Signals) reply(p *Phrases, t bot.Turn, text string, tokens []token) (rest string, ok bool) {
	if len(tokens) == 0 {
		return "", false
	}
	switch t.Conversation.Asked {
	case bot.AskedPerson:
		switch {
		case p.words[wordYes].is(tokens):
			s.WantsPerson = true
		case p.words[wordNo].is(tokens):
			s.Again = true
		default:
			return "", false
		}
		return "", true
	case bot.AskedWhich:
		return s.pick(p, lastChoices(t), text, tokens)
	case bot.AskedNext: // nothing was asked: "no" or "both" are about something else
		offered := lastChoices(t)
		if c, ok := p.named(offered, nil, tokens); ok {
			s.tap(bot.Turn{}, bot.Message{Choice: c.Payload})
			return "", true
		}
	}
	return "", false
}

// pick reads words as one of the offered choices, all of them, or none.
func (s *Signals) pick(p *Phrases, offered []bot.Choice, text string, tokens []token) (rest string, ok bool) {
	var entries []bot.Choice
	for _, c := range offered {
		if strings.HasPrefix(c.Payload, bot.ChoiceEntry) {
			entries = append(entries, c)
		}
	}
	choose := func(c bot.Choice) { s.tap(bot.Turn{}, bot.Message{Choice: c.Payload}) }
	if c, ok := p.named(offered, entries, tokens); ok {
		choose(c)
		return "", true
	}
	switch n := p.words[wordNeither].at(tokens, 0); {
	case p.words[wordNo].is(tokens), n > 0 && n == len(tokens):
		s.None = true
	case n > 0 && tokens[n].opens:
		mean := p.words[wordIMean].at(tokens, n)
		if n+mean == len(tokens) {
			s.None = true
			return "", true
		}
		return strings.TrimSpace(text[tokens[n+mean].start:]), true
	case len(entries) == 1 && p.words[wordYes].is(tokens):
		choose(entries[0])
	case len(entries) > 1 && p.words[wordBoth].is(p.withoutPicking(tokens)):
		choose(entries[0])
		for _, c := range entries[1:] {
			s.Both = append(s.Both, bot.EntryOf(c.Payload))
		}
	default:
		return "", false
	}
	return "", true
}

// named is the choice that words name: by its number, its place, its label, or a part of the label that
// no other has.
func (p *Phrases) named(offered, entries []bot.Choice, tokens []token) (bot.Choice, bool) {
	for _, c := range offered {
		if sameWords(tokens, tokenize(c.Label)) {
			return c, true
		}
	}
	core := p.withoutPicking(tokens)
	if len(core) == 1 {
		if n, err := strconv.Atoi(core[0].word); err == nil && n >= 1 && n <= len(offered) {
			return offered[n-1], true
		}
	}
	for i, kind := range []lexiconKind{wordFirst, wordSecond, wordThird} {
		if p.words[kind].is(core) && i < len(entries) {
			return entries[i], true
		}
	}
	if p.words[wordLast].is(core) && len(entries) > 0 {
		return entries[len(entries)-1], true
	}
	return p.partOf(entries, core)
}

// maxPartWords is how many words a part of a label has at most; more are a question of their own.
const maxPartWords = 4

func (p *Phrases) partOf(entries []bot.Choice, tokens []token) (found bot.Choice, ok bool) {
	if len(tokens) == 0 || len(tokens) > maxPartWords || contentWords(p, tokens) == 0 {
		return found, false
	}
	for _, c := range entries {
		label := tokenize(c.Label)
		all := !slices.ContainsFunc(tokens, func(t token) bool {
			return !slices.ContainsFunc(label, func(l token) bool { return l.word == t.word })
		})
		if all && ok {
			return bot.Choice{}, false // two have it
		}
		if all {
			found, ok = c, true
		}
	}
	return found, ok
}

// withoutPicking is tokens without the words that stand beside a choice: "the … one please". "Number two"
// is two, and "one" alone is a number.
func (p *Phrases) withoutPicking(tokens []token) (list []token) {
	for i := 0; i < len(tokens); i++ {
		if n := p.words[wordPicking].at(tokens, i); n > 0 {
			i += n - 1
			continue
		}
		list = append(list, tokens[i])
	}
	if len(list) == 0 {
		return tokens
	}
	return list
}

// lastChoices are the choices under the bot's last message.
func lastChoices(t bot.Turn) []bot.Choice {
	for i := len(t.History) - 1; i >= 0; i-- {
		if m := t.History[i]; m.Author == bot.AuthorBot && m.Conversation == t.Conversation.ID {
			return m.Choices
		}
	}
	return nil
}

// contradicts reports whether an entry has another number or code than was typed after the same word: "plan 3"
// for "plan 2", but not "in 14 days" for "COVID-19".
func contradicts(typed []code, e knowledge.Entry) bool {
	of := codes(e.Question)
	other := false
	for _, c := range of {
		for _, t := range typed {
			if c.text == t.text {
				return false
			}
			other = other || c.after == t.after
		}
	}
	return other
}

// A code is a word with a digit, and the word before it.
type code struct{ after, text string }

func codes(text string) (list []code) {
	after := ""
	for _, t := range tokenize(text) {
		if strings.ContainsAny(t.word, "0123456789") && after != "" {
			list = append(list, code{after, t.word})
		}
		after = t.word
	}
	return list
}
