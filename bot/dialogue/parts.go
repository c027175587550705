package dialogue

import (
	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval"
)

// decideParts decides a message of several questions: each gets its answer, in order, or the first
// ones do and the last is asked back about. It needs to be sure that there are several, so the parts
// must be likely by themselves, the answers likely to be right all together, and about different
// things; else the message is decided as one, which is what it then most likely is.
func decideParts(p Policy, e Evidence) (Verdict, bool) {
	var answers []knowledge.Entry
	chance := 1.0 // that all answers are right
	for i, part := range e.Parts {
		entry, certain := sureOf(p, part.Hits)
		if !certain {
			if v, ok := decideLast(p, e, answers); ok && i == len(e.Parts)-1 {
				return v, true
			}
			return Verdict{}, false
		}
		for k, other := range e.Parts {
			if k != i && oddsOf(other.Hits, entry.ID) >= p.WorthOdds {
				return Verdict{}, false // the parts ask about the same
			}
		}
		answers = append(answers, entry)
		chance *= part.Hits[0].Score
	}
	if len(answers) < 2 || chance < p.AnswerAt {
		return Verdict{}, false
	}
	return several("several questions", answers), true
}

// decideLast asks back about the last part, the others being answered.
func decideLast(p Policy, e Evidence, answers []knowledge.Entry) (Verdict, bool) {
	if len(answers) == 0 || len(answers) < len(e.Parts)-1 || e.Turn.Conversation.Clarify >= p.MaxClarify {
		return Verdict{}, false
	}
	options, chance := likely(p, e.Parts[len(e.Parts)-1].Hits, codes(e.Signals.Parts[len(e.Parts)-1]))
	if chance < p.OfferAt {
		return Verdict{}, false
	}
	for _, o := range options {
		for _, a := range answers {
			if o.ID == a.ID {
				return Verdict{}, false
			}
		}
	}
	v := several("several questions, unsure of the last", answers)
	v.Too, v.Options = PhraseWhichOther, options
	return v, true
}

func several(rule string, answers []knowledge.Entry) Verdict {
	v := answer(rule, bot.ReasonConfident, answers[0])
	v.More = answers[1:]
	for _, a := range v.More {
		v.Entries = append(v.Entries, a.ID)
	}
	return v
}

// sureOf returns a part's best entry if it is likely enough, and no close call.
func sureOf(p Policy, hits []retrieval.Hit) (knowledge.Entry, bool) {
	if len(hits) == 0 || hits[0].Score < p.AnswerAt || hits[0].Contrast != nil || tied(p, hits) {
		return knowledge.Entry{}, false
	}
	return hits[0].Entry, true
}

// oddsOf are those of the entry id among hits, 0 if it is not there.
func oddsOf(hits []retrieval.Hit, id knowledge.EntryID) float64 {
	for _, h := range hits {
		if h.Entry.ID == id {
			return h.Odds
		}
	}
	return 0
}
