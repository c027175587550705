package dialogue

import (
	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval"
)

// Policy is the thresholds Decide applies, in probabilities.
type Policy struct {
	AnswerAt   float64 // answer at this probability or above
	ClarifyAt  float64 // between this and AnswerAt, ask which is meant
	Margin     float64 // two hits this close are a close call
	MaxClarify int     // ask which is meant so many times in a row, then count a miss
	MaxChoices int     // entries offered in one question
}

// DefaultPolicy answers when right is more likely than wrong. A question back costs a customer a
// tap, a wrong answer their trust, so it asks from far below that.
func DefaultPolicy() Policy {
	return Policy{AnswerAt: .5, ClarifyAt: .2, Margin: .05, MaxClarify: 2, MaxChoices: 3}
}

// exact is the n-gram similarity from which a customer's words are an entry's own words.
const exact = .995

// Evidence is all Decide may look at.
type Evidence struct {
	Turn    bot.Turn
	Signals Signals
	Found   retrieval.Result
	Chosen  *knowledge.Entry // what Signals.Chosen names, nil if it may not answer
}

// A Verdict is what to do, and what to say about it.
type Verdict struct {
	bot.Decision
	Rule    string            // the rule that fired, for the trace
	Phrase  Phrase            // what to say, "" for an entry's own answer
	Answer  *knowledge.Entry  // what to answer
	Options []knowledge.Entry // which entries to offer
	Miss    bool              // no answer was found: the ladder goes up a step
}

// Decide decides a turn. It is pure, and the order of its rules is the product's behaviour.
func Decide(p Policy, e Evidence) Verdict {
	v := decide(p, e)
	if len(e.Found.Hits) > 0 {
		v.Score = e.Found.Hits[0].Score
	}
	return v
}

func decide(p Policy, e Evidence) Verdict {
	s, hits := e.Signals, e.Found.Hits
	switch {
	case e.Turn.Conversation.Mode == bot.ModePerson && s.Command == "bot":
		return small("back to the bot", PhraseBack)
	case e.Turn.Conversation.Mode == bot.ModePerson:
		return Verdict{Rule: "a person has it", Decision: bot.Decision{Action: bot.ActionForward, Reason: bot.ReasonPersonHasIt}}
	case s.Flood:
		return handoff("flood", bot.ReasonFlood, PhraseHandoffFlood)
	case s.WantsPerson:
		return handoff("wants a person", bot.ReasonAskedPerson, PhraseHandoffWish)
	case s.Repeated:
		return ignore("tapped twice")
	case s.Chosen != "" && e.Chosen != nil:
		return answer("chosen", bot.ReasonChosen, *e.Chosen)
	case s.Chosen != "":
		return Verdict{Rule: "chosen, but gone", Phrase: PhraseGone, Decision: bot.Decision{Action: bot.ActionClarify, Reason: bot.ReasonNoAnswer}}
	case s.Again && s.Question == "":
		return Verdict{Rule: "declined a person", Phrase: PhraseAgain, Decision: bot.Decision{Action: bot.ActionClarify, Reason: bot.ReasonSmallTalk}}
	case s.None && s.Question == "":
		return miss(e, "none of the choices", bot.ReasonNoAnswer, PhraseAskAgain)
	}
	if v, ok := decideSmallTalk(s, hits); ok {
		return v
	}
	return decideQuestion(p, e)
}

// decideSmallTalk decides what holds no question. An affiliate's own entry for the very words wins
// over our phrase.
func decideSmallTalk(s Signals, hits []retrieval.Hit) (Verdict, bool) {
	switch {
	case s.Question != "" || s.Unreadable:
		return Verdict{}, false
	case len(hits) > 0 && s.Command == "" && s.Raw != "" && hits[0].Lexical >= exact:
		return answer("exact small talk", bot.ReasonConfident, hits[0].Entry), true
	case s.Command == "start":
		return small("start", PhraseStart), true
	case s.Command == "help":
		return small("help", PhraseHelp), true
	case s.Command == "bot":
		return small("bot", PhraseGreeting), true
	case s.Thanks:
		return small("thanks", PhraseThanks), true
	case s.Greeting:
		return small("greeting", PhraseGreeting), true
	}
	return ignore("nothing said"), true
}

// decideQuestion decides what asks for an answer.
func decideQuestion(p Policy, e Evidence) Verdict {
	s, hits := e.Signals, e.Found.Hits
	switch {
	case s.Question == "" && s.Voice:
		return miss(e, "a recording without words", bot.ReasonUnreadable, PhraseVoice)
	case s.Question == "":
		return miss(e, "no words", bot.ReasonUnreadable, PhraseUnreadable)
	case s.TooLong:
		return miss(e, "too long", bot.ReasonUnreadable, PhraseTooLong)
	case len(hits) == 0:
		return miss(e, "nothing published", bot.ReasonNoAnswer, PhraseAskAgain)
	case hits[0].Lexical >= exact && (len(hits) == 1 || hits[1].Lexical < exact):
		return answer("exact words", bot.ReasonConfident, hits[0].Entry)
	}
	mayAsk := e.Turn.Conversation.Clarify < p.MaxClarify
	tied := tied(p, hits)
	switch {
	case hits[0].Score >= p.AnswerAt && (len(tied) < 2 || !mayAsk):
		return answer("confident", bot.ReasonConfident, hits[0].Entry)
	case hits[0].Score >= p.AnswerAt:
		return which("close call", bot.ReasonCloseCall, tied)
	case hits[0].Score >= p.ClarifyAt && mayAsk:
		return which("unsure", bot.ReasonUnsure, likely(p, hits))
	}
	return miss(e, "not likely enough", bot.ReasonNoAnswer, PhraseAskAgain)
}

// tied are the entries about as likely as the best one. Two that give the same answer are no tie.
func tied(p Policy, hits []retrieval.Hit) []knowledge.Entry {
	list := []knowledge.Entry{hits[0].Entry}
	for _, h := range hits[1:] {
		if len(list) == p.MaxChoices || hits[0].Score-h.Score >= p.Margin {
			break
		}
		if h.Entry.Answer != hits[0].Entry.Answer || h.Entry.Answer == "" {
			list = append(list, h.Entry)
		}
	}
	return list
}

// likely are the entries worth offering when none is likely enough to be the answer.
func likely(p Policy, hits []retrieval.Hit) []knowledge.Entry {
	var list []knowledge.Entry
	for _, h := range hits {
		if len(list) == p.MaxChoices || h.Score < p.ClarifyAt && h.Score < hits[0].Score/2 {
			break
		}
		list = append(list, h.Entry)
	}
	return list
}

func answer(rule string, reason bot.Reason, e knowledge.Entry) Verdict {
	return Verdict{Rule: rule, Answer: &e,
		Decision: bot.Decision{Action: bot.ActionAnswer, Reason: reason, Entries: []knowledge.EntryID{e.ID}}}
}

func which(rule string, reason bot.Reason, options []knowledge.Entry) Verdict {
	v := Verdict{Rule: rule, Phrase: PhraseWhich, Options: options,
		Decision: bot.Decision{Action: bot.ActionClarify, Reason: reason}}
	for _, e := range options {
		v.Entries = append(v.Entries, e.ID)
	}
	return v
}

func small(rule string, phrase Phrase) Verdict {
	return Verdict{Rule: rule, Phrase: phrase, Decision: bot.Decision{Action: bot.ActionAnswer, Reason: bot.ReasonSmallTalk}}
}

func ignore(rule string) Verdict {
	return Verdict{Rule: rule, Decision: bot.Decision{Action: bot.ActionIgnore, Reason: bot.ReasonNothing}}
}

func handoff(rule string, reason bot.Reason, phrase Phrase) Verdict {
	return Verdict{Rule: rule, Phrase: phrase, Decision: bot.Decision{Action: bot.ActionHandoff, Reason: reason}}
}

// miss climbs the ladder: the first miss asks for other words, the second offers a person, the
// third fetches one.
func miss(e Evidence, rule string, reason bot.Reason, first Phrase) Verdict {
	v := Verdict{Rule: rule, Phrase: first, Miss: true, Decision: bot.Decision{Action: bot.ActionClarify, Reason: reason}}
	switch misses := e.Turn.Conversation.Misses; {
	case misses == 0, misses == 1 && first == PhraseVoice: // which offers a person itself
	case misses == 1:
		v.Phrase = PhraseOffer
	default:
		v.Phrase, v.Action = PhraseHandoff, bot.ActionHandoff
	}
	return v
}
