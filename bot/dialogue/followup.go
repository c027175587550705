package dialogue

import (
	"time"

	"faqbot/bot"
)

const (
	// remember is how far back what was said helps to understand a question.
	remember = 4 * time.Hour
	// fewWords is how many words of content a whole question has at most, and fewLoose loose words
	// ("disaster recovery"), that may need what was said before although nothing in them points there.
	fewWords = 2
	fewLoose = 4
	// namedBefore is how many words of content before a pronoun are too few to hold what it means.
	namedBefore = 2
)

// leans is how much a question needs what was said before it: 0 if it stands alone, else the more
// the fewer words of content it has. What points back ("it", "there", "what about") or is short may
// need it; a question that is neither is never read otherwise for what was said before.
func leans(p *Phrases, question string) float64 {
	tokens := tokenize(question)
	if len(tokens) == 0 {
		return 0
	}
	content := contentWords(p, tokens)
	few := fewLoose
	if p.words[wordAsking].at(tokens, 0) > 0 {
		few = fewWords
	}
	if content > few && !points(p, tokens) {
		return 0
	}
	return min(1, max(.3, 1.2-.2*float64(content)))
}

// points reports whether tokens point to something said before them. A pronoun that comes late
// points to what the question itself has named: "is my card blocked when I lose it".
func points(p *Phrases, tokens []token) bool {
	if p.words[wordCarryingOn].at(tokens, 0) > 0 {
		return true
	}
	for i := range tokens {
		if p.words[wordPointing].at(tokens, i) > 0 {
			return contentWords(p, tokens[:i]) <= namedBefore
		}
	}
	return false
}

// contentWords is how many of tokens say what a text is about.
func contentWords(p *Phrases, tokens []token) (n int) {
	for i := 0; i < len(tokens); i++ {
		if skip := max(p.words[wordFunction].at(tokens, i), p.words[wordPointing].at(tokens, i)); skip > 0 {
			i += skip - 1
		} else {
			n++
		}
	}
	return n
}

// said is what was said before in t's matter that may help to understand what waits: the customer's
// questions and, for each answer of the bot's, the question it answers. The affiliate's wording
// says what an answer was about better than the answer does.
func (e *Engine) said(t bot.Turn) (list []string) {
	for _, m := range t.History {
		if t.Now.Sub(m.At) > remember {
			continue
		}
		if m.Author == bot.AuthorBot {
			for _, id := range m.Entries {
				if entry, ok := e.retriever.Entry(t.Account.Affiliates, id); ok {
					list = append(list, entry.Question)
				}
			}
			continue
		}
		if _, _, command := commandOf(m.Text); m.Author != bot.AuthorCustomer || m.Choice != "" || command {
			continue
		}
		if tokens := tokenize(m.Text); len(tokens) > 0 {
			if question := new(Signals).strip(e.phrases, m.Text, tokens); question != "" {
				list = append(list, question)
			}
		}
	}
	return list
}
