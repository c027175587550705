package dialogue

import (
	"slices"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval"
)

// Evidence is all Decide may look at.
type Evidence struct {
	Turn     bot.Turn
	Signals  Signals
	Found    retrieval.Result
	Parts    []retrieval.Result // of each of Signals.Parts
	Chosen   *knowledge.Entry   // what Signals.Chosen names, nil if it may not answer
	Both     []knowledge.Entry  // what Signals.Both names and may answer
	Feedback *bot.Feedback      // what the customer says of the answer before, nil if nothing
	Others   []retrieval.Hit    // to feedback: what else the question before may have meant
	Line     *knowledge.Entry   // in an emergency: what the affiliate says of emergencies, nil if nothing
	Foreign  bool               // the words are in a language that neither we nor the entries found have

	Elsewhere bool // what the customer points at is something of which the best entry does not speak
}

// A Verdict is what to do, and what to say about it.
type Verdict struct {
	bot.Decision
	Rule    string            // the rule that fired, for the trace
	Word    string            // of the customer's, which stands in the phrase
	Phrase  Phrase            // what to say, "" for an entry's own answer
	Answer  *knowledge.Entry  // what to answer
	More    []knowledge.Entry // what to answer after it, to further questions
	Too     Phrase            // what to say after the answers, "" for nothing
	Below   *knowledge.Entry  // an answer that stands below the phrase
	Urgency Phrase            // what to do now, before all else; "" for nothing
	Options []knowledge.Entry // which entries to offer
	Miss    bool              // no answer was found: the ladder goes up a step
	Next    []knowledge.Entry // which entries to suggest after the answer
	Held    []knowledge.Entry // what would answer, but its topic is a person's
	Draft   bool              // suggest what is held to that person
}

// Decide decides a turn. It is pure, and the order of its rules is the product's behaviour.
func Decide(p Policy, e Evidence) Verdict {
	v := decideByRules(p, e)
	if len(e.Found.Hits) > 0 {
		v.Score = e.Found.Hits[0].Score
	}
	return v
}

func decideByRules(p Policy, e Evidence) Verdict {
	if v, ok := decideConsent(e); ok {
		return v
	}
	s, hits := e.Signals, e.Found.Hits
	switch {
	case e.Turn.Conversation.Mode == bot.ModePerson && s.Command == "bot":
		return small("back to the bot", PhraseBack)
	case e.Turn.Conversation.Mode == bot.ModePerson && s.Danger:
		return Verdict{Rule: "a person has it, and there is danger", Urgency: urgency(s), Decision: bot.Decision{Action: bot.ActionForward, Reason: bot.ReasonUrgent}}
	case e.Turn.Conversation.Mode == bot.ModePerson:
		return Verdict{Rule: "a person has it", Decision: bot.Decision{Action: bot.ActionForward, Reason: bot.ReasonPersonHasIt}}
	case s.Danger:
		return decideDanger(e)
	case s.Flood:
		return handoff("flood", bot.ReasonFlood, PhraseHandoffFlood)
	case s.WantsPerson:
		return handoff("wants a person", bot.ReasonAskedPerson, PhraseHandoffWish)
	case s.Repeated:
		return ignore("tapped twice")
	case s.Chosen != "" && e.Chosen != nil && len(e.Both) > 0:
		v := several("chose all", append([]knowledge.Entry{*e.Chosen}, e.Both...))
		v.Reason = bot.ReasonChosen
		return v
	case s.Chosen != "" && e.Chosen != nil:
		return answer("chosen", bot.ReasonChosen, *e.Chosen)
	case s.Chosen != "":
		return Verdict{Rule: "chosen, but gone", Phrase: PhraseGone, Decision: bot.Decision{Action: bot.ActionClarify, Reason: bot.ReasonNoAnswer}}
	case s.Again && s.Question == "":
		return Verdict{Rule: "declined a person", Phrase: PhraseAgain, Decision: bot.Decision{Action: bot.ActionClarify, Reason: bot.ReasonSmallTalk}}
	case s.None && s.Question == "":
		return miss(p, e, "none of the choices", bot.ReasonNoAnswer, PhraseAskAgain)
	}
	if s.FilledIn {
		return handoff("filled in or ordered", bot.ReasonFilledIn, PhraseHandoffForm)
	}
	if v, ok := decideSmallTalk(s, hits); ok {
		return v
	}
	return decideQuestion(p, e)
}

// exactlyThat is the probability at which an entry is about exactly that danger, so that its answer helps
// while the customer waits for a person.
const exactlyThat = .8

// decideDanger fetches a person at once, however sure the search is. An answer to exactly that stands below.
func decideDanger(e Evidence) Verdict {
	v := handoff("danger", bot.ReasonUrgent, PhraseHandoffUrgent)
	v.Urgency = urgency(e.Signals)
	if hits := e.Found.Hits; len(hits) > 0 && (hits[0].Exact || hits[0].Score >= exactlyThat) && (e.Line == nil || hits[0].Entry.ID != e.Line.ID) {
		v.Below, v.Entries = &hits[0].Entry, []knowledge.EntryID{hits[0].Entry.ID}
	}
	return v
}

func urgency(s Signals) Phrase {
	if s.Emergency {
		return PhraseEmergency
	}
	return ""
}

// decideConsent decides about a customer who opts out, has opted out, or comes from another channel. The
// bot confirms an opt-out and says nothing more; what they ask all the same is for a person. Who has the
// conversation keeps it.
func decideConsent(e Evidence) (Verdict, bool) {
	s, c := e.Signals, e.Turn.Conversation
	chat := c.Address.Channel == channelOfVisitors
	out := c.OptOut == bot.OptOutAll
	v := Verdict{Decision: bot.Decision{Action: bot.ActionAnswer, Reason: bot.ReasonOptedOut}}
	switch {
	case s.Stop && chat:
		v.Rule, v.Phrase, v.Reason = "wants no more of the chat", PhraseStopChat, bot.ReasonSmallTalk
	case s.Off && chat:
		v.Rule, v.Phrase = "turns the assistant off", PhraseOff
	case s.Stop && !out:
		v.Rule, v.Phrase = "opts out", PhraseStopped
	case s.Resume && out && c.Mode == bot.ModePerson && !agentSpoke(e.Turn):
		v.Rule, v.Phrase = "opts in again", PhraseResumed
		return v, true
	case s.Resume && out && c.Mode == bot.ModePerson:
		v.Rule, v.Phrase = "opts in again, with a person", PhraseResumedPerson
	case s.Resume && out:
		v.Rule, v.Phrase = "opts in again", PhraseResumed
	case out && c.Mode == bot.ModePerson, !out && !s.Linked && !s.LinkGone:
		return Verdict{}, false
	case out && (s.Question != "" || s.WantsPerson || s.Unreadable || s.Voice):
		phrase := Phrase("")
		if chat {
			phrase = PhraseHandoffOff
		}
		return handoff("opted out, and asks", bot.ReasonOptedOut, phrase), true
	case out:
		return ignore("opted out"), true
	case s.Linked && c.Mode == bot.ModePerson:
		v.Rule, v.Phrase, v.Reason = "goes on here", PhraseLinkedPerson, bot.ReasonPersonHasIt
	case s.Question != "" || s.WantsPerson:
		return Verdict{}, false
	case s.Linked:
		v.Rule, v.Phrase, v.Reason = "goes on here", PhraseLinked, bot.ReasonSmallTalk
	default:
		v.Rule, v.Phrase, v.Reason = "link of no use", PhraseLinkGone, bot.ReasonSmallTalk
	}
	if c.Mode == bot.ModePerson {
		v.Action = bot.ActionForward
	}
	return v, true
}

// channelOfVisitors is the chat on a page. Customers open it by will, so there is nothing to opt out of; at most
// they turn the assistant off.
const channelOfVisitors = "webchat"

// agentSpoke reports whether a person of ours has written in this matter, so that they hold it.
func agentSpoke(t bot.Turn) bool {
	return slices.ContainsFunc(t.History, func(m bot.Message) bool { return m.Author == bot.AuthorAgent })
}

// decideSmallTalk decides what holds no question. An affiliate's own entry for the very words wins
// over our phrase.
func decideSmallTalk(s Signals, hits []retrieval.Hit) (Verdict, bool) {
	switch {
	case s.Question != "" || s.Unreadable || s.Feedback:
		return Verdict{}, false
	case len(hits) > 0 && s.Command == "" && s.Raw != "" && hits[0].Exact:
		return answer("exact small talk", bot.ReasonConfident, hits[0].Entry), true
	case s.Command == "start":
		return small("start", PhraseStart), true
	case s.Command == "help":
		return suggesting("help", PhraseHelp, s, hits), true
	case (s.Identity || s.Help) && len(hits) > 0 && hits[0].Score >= exactlyThat:
		return answer("an entry says who we are", bot.ReasonConfident, hits[0].Entry), true
	case s.Identity:
		return suggesting("asks who we are", PhraseIdentity, s, hits), true
	case s.Help:
		return suggesting("cries for help", PhraseHelp, s, hits), true
	case s.Complaint:
		return Verdict{Rule: "complains without words", Phrase: PhraseCalm, Decision: bot.Decision{Action: bot.ActionClarify, Reason: bot.ReasonNoAnswer}}, true
	case s.Command == "bot":
		return small("bot", PhraseGreeting), true
	}
	if v, ok := decideCourtesy(s); ok {
		return v, true
	}
	return ignore("nothing said"), true
}

// suggesting says a phrase, with entries that may be asked for, in the customer's language if that shows.
func suggesting(rule string, phrase Phrase, s Signals, hits []retrieval.Hit) Verdict {
	v := small(rule, phrase)
	for _, h := range hits {
		if len(v.Options) < maxSuggestions {
			v.Options = append(v.Options, h.Entry)
		}
	}
	return v
}

// maxSuggestions is how many entries are suggested to somebody who asks what the bot can do.
const maxSuggestions = 3

// decideFeedback answers that an answer did not help: with what else may have been meant, else a person.
func decideFeedback(p Policy, e Evidence) Verdict {
	if options, chance := likely(p, e.Others, nil); chance >= p.OfferAt {
		v := askWhich("did not help", bot.ReasonUnsure, options)
		v.Phrase, v.Miss = PhraseFeedbackWhich, true
		return v
	}
	return miss(p, e, "did not help", bot.ReasonNoAnswer, PhraseFeedback)
}

// decideCourtesy answers greeting, thanks and the like.
func decideCourtesy(s Signals) (Verdict, bool) {
	switch {
	case s.Praise:
		return small("praise", PhrasePraise), true
	case s.Thanks:
		return small("thanks", PhraseThanks), true
	case s.Goodbye:
		return small("goodbye", PhraseGoodbye), true
	case s.Greeting:
		return small("greeting", PhraseGreeting), true
	case s.Acknowledgement:
		return small("noted", PhraseNoted), true
	}
	return Verdict{}, false
}

// decideQuestion decides what asks for an answer.
func decideQuestion(p Policy, e Evidence) Verdict {
	s, hits := e.Signals, e.Found.Hits
	switch {
	case s.Question == "" && s.Feedback:
		return decideFeedback(p, e)
	case s.Question == "" && s.Voice:
		return miss(p, e, "a recording without words", bot.ReasonUnreadable, PhraseVoice)
	case s.Question == "":
		return miss(p, e, "no words", bot.ReasonUnreadable, PhraseUnreadable)
	case s.TooLong:
		return miss(p, e, "too long", bot.ReasonUnreadable, PhraseTooLong)
	case len(hits) > 0 && hits[0].Exact && (len(hits) == 1 || !hits[1].Exact) && !e.Elsewhere:
		return answer("exact words", bot.ReasonConfident, hits[0].Entry).offerPersonToo(s)
	case s.Gibberish:
		return miss(p, e, "gibberish", bot.ReasonUnreadable, PhraseGibberish)
	}
	if v, ok := decideParts(p, e); ok {
		return v.offerPersonToo(s)
	}
	return decideHits(p, e)
}

// decideHits decides by how likely the entries found are.
func decideHits(p Policy, e Evidence) Verdict {
	s, hits := e.Signals, e.Found.Hits
	best, near := 0.0, false
	if v, ok := decideContrast(p, e); ok {
		return v
	}
	if len(hits) > 0 {
		best, near = hits[0].Score, tied(p, hits)
	}
	options, chance := likely(p, hits, codes(s.Question))
	mayAsk := e.Turn.Conversation.Clarify < p.MaxClarify
	switch {
	case e.Elsewhere && mayAsk && len(options) > 0:
		return askWhich("points at something else", bot.ReasonUnsure, options)
	case e.Elsewhere:
		return miss(p, e, "points at something else", bot.ReasonNoAnswer, PhraseAskAgain)
	case best >= p.AnswerAt && (!near || !mayAsk):
		return answer("confident", bot.ReasonConfident, hits[0].Entry).offerPersonToo(s)
	case s.StopMaybe:
		return Verdict{Rule: "may opt out", Phrase: PhraseStopAsk, Decision: bot.Decision{Action: bot.ActionClarify, Reason: bot.ReasonSmallTalk}}
	case e.Foreign:
		return miss(p, e, "another language", bot.ReasonNoAnswer, PhraseLanguage)
	case best >= p.AnswerAt:
		return askWhich("close call", bot.ReasonCloseCall, options)
	case s.Abuse:
		return miss(p, e, "abuse", bot.ReasonAbuse, PhraseCalm)
	}
	if chance >= p.OfferAt && mayAsk {
		return askWhich("unsure", bot.ReasonUnsure, options)
	}
	if v, ok := decideCourtesy(s); ok && s.Polite {
		return v
	}
	switch {
	case len(hits) == 0:
		return miss(p, e, "nothing published", bot.ReasonNoAnswer, PhraseAskAgain)
	case s.Complaint:
		return miss(p, e, "complaint", bot.ReasonNoAnswer, PhraseSorry)
	}
	return miss(p, e, "not likely enough", bot.ReasonNoAnswer, PhraseAskAgain)
}

// decideContrast asks back when the best entry speaks of something else than what was asked for, however likely
// it is. If no entry speaks of that, it says so.
func decideContrast(p Policy, e Evidence) (Verdict, bool) {
	hits := e.Found.Hits
	if len(hits) == 0 || hits[0].Contrast == nil {
		return Verdict{}, false
	}
	c := hits[0].Contrast
	options, chance := likely(p, hits, nil)
	if chance < p.OfferAt || e.Turn.Conversation.Clarify >= p.MaxClarify {
		return Verdict{}, false
	}
	v := askWhich("may ask about something else", bot.ReasonUnsure, options)
	if c.Sure {
		v.Rule = "asks about something else"
	}
	if c.Sure && c.Nowhere {
		v.Phrase, v.Word = PhraseNothingAbout, c.Asked
	}
	return v, true
}

// offerPersonToo offers a person after the answer to somebody who is upset, and to stop to somebody who may want that.
func (v Verdict) offerPersonToo(s Signals) Verdict {
	switch {
	case v.Too != "": // it asks something already, and its choices go with that
	case s.StopMaybe:
		v.Too = PhraseStopAsk
	case s.Complaint || s.Abuse:
		v.Too = PhraseOfferToo
	}
	return v
}

// tied reports whether another entry is so nearly as likely as the best that it is better to ask. One
// that gives the same answer does not count.
func tied(p Policy, hits []retrieval.Hit) bool {
	for _, h := range hits[1:] {
		if h.Odds < p.CloseOdds {
			break
		}
		if h.Entry.Answer != hits[0].Entry.Answer || h.Entry.Answer == "" {
			return true
		}
	}
	return false
}

// likely are the entries worth offering when none is likely enough to be the answer, and the
// probability that one of them is. Entries that speak of other codes or numbers than were typed are none.
func likely(p Policy, hits []retrieval.Hit, typed []code) (list []knowledge.Entry, chance float64) {
	for _, h := range hits {
		if len(list) == p.MaxChoices || h.Odds < p.WorthOdds {
			break
		}
		if contradicts(typed, h.Entry) {
			continue
		}
		list = append(list, h.Entry)
		chance += h.Score
	}
	if len(hits) > 0 {
		chance = retrieval.Shift(chance, hits[0].Evidence.Offsets.Menu)
	}
	return list, chance
}

func answer(rule string, reason bot.Reason, e knowledge.Entry) Verdict {
	return Verdict{Rule: rule, Answer: &e,
		Decision: bot.Decision{Action: bot.ActionAnswer, Reason: reason, Entries: []knowledge.EntryID{e.ID}}}
}

func askWhich(rule string, reason bot.Reason, options []knowledge.Entry) Verdict {
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

// miss climbs the ladder: the first miss asks for other words, the second offers a person, the last
// fetches one.
func miss(p Policy, e Evidence, rule string, reason bot.Reason, first Phrase) Verdict {
	v := Verdict{Rule: rule, Phrase: first, Miss: true, Decision: bot.Decision{Action: bot.ActionClarify, Reason: reason}}
	switch misses := e.Turn.Conversation.Misses; {
	case misses >= p.MaxMisses-1:
		v.Phrase, v.Action = PhraseHandoff, bot.ActionHandoff
	case misses > 0 && !offersPerson(first): // those offer a person themselves
		v.Phrase = PhraseOffer
	}
	return v
}
