package dialogue

import (
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/knowledge"
)

// pointedAt reads what a message points at: a product, a post, a part of an earlier message. An earlier message of
// which no words are known is part of the conversation as it stands.
func (s *Signals) pointedAt(m bot.Message) {
	for _, a := range m.Attachments {
		if a.PointsAt() && (a.Kind != bot.KindReply || a.Name != "") {
			s.PointsAt = true
			s.About = strings.TrimSpace(s.About + " " + a.Name)
		}
	}
}

// elliptic is how many words a question has at most that says nothing of what it is about: "How much?"
const elliptic = 2

// pointsElsewhere reports whether a question is about something that it points at ("How much is this?") and of which
// an entry does not speak: as if it stood alone it must not be answered.
func pointsElsewhere(p *Phrases, s Signals, e knowledge.Entry) bool {
	if asked := tokenize(s.Question); !s.PointsAt || len(asked) > elliptic && !points(p, asked) {
		return false
	}
	speaks := tokenize(strings.Join(append(e.Wordings(), e.Answer, e.Topic), "\n"))
	about := tokenize(s.About)
	for i, word := range about {
		if contentWords(p, about[i:i+1]) > 0 && slices.ContainsFunc(speaks, func(t token) bool { return t.word == word.word }) {
			return false
		}
	}
	return true
}

// heedPointing notes whether the entry found is about something else than what the customer points at.
func (e *Engine) heedPointing(ev *Evidence) {
	if hits := ev.Found.Hits; len(hits) > 0 {
		ev.Elsewhere = pointsElsewhere(e.phrases, ev.Signals, hits[0].Entry)
	}
}
