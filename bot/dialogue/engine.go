// Package dialogue works out what a turn should do: Read the waiting messages, search, Decide, and
// word the outcome. It changes nothing, so running a turn twice is safe, and eval runs the very code
// that serves customers. Read and Decide are pure. The words are an affiliate's own answer or one of
// the fixed Phrases; nothing else is ever said.
//
// It is not for effects (turns.Runner commits what it returns) and not for finding entries (retrieval).
package dialogue

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/retrieval"
)

// A Retriever finds the entries that may answer; *retrieval.Searcher is one.
type Retriever interface {
	Search(ctx context.Context, q retrieval.Query) (retrieval.Result, error)
	// Entry returns an entry if it is published now by one of affiliates.
	Entry(affiliates []knowledge.AffiliateID, id knowledge.EntryID) (knowledge.Entry, bool)
	// FollowUps returns the entries to suggest after the answer of one.
	FollowUps(e knowledge.Entry) []knowledge.Entry
}

// An Engine decides turns. It is a bot.Engine.
type Engine struct {
	retriever Retriever
	phrases   *Phrases
	policy    Policy
	brands    Brands
}

// Brands tell how an affiliate's bot speaks; *brand.Store is one.
type Brands interface {
	Of(ctx context.Context, affiliate knowledge.AffiliateID) (brand.Brand, error)
}

var _ bot.Engine = (*Engine)(nil)

// NewEngine returns an engine that answers from what retriever finds.
func NewEngine(retriever Retriever, phrases *Phrases, policy Policy) *Engine {
	return &Engine{retriever: retriever, phrases: phrases, policy: policy}
}

// answers reports whether a message of the bot gives or offers an answer.
func answers(m bot.Message) bool {
	return m.Author == bot.AuthorBot && len(m.Entries)+len(m.Choices) > 0
}

// WithBrands returns an engine that speaks as the affiliates want it to.
func (e *Engine) WithBrands(brands Brands) *Engine {
	own := *e
	own.brands = brands
	return &own
}

// speakingFor returns the engine as it speaks for the affiliate of a turn.
func (e *Engine) speakingFor(ctx context.Context, t bot.Turn) (*Engine, error) {
	affiliate := cmp.Or(t.Account.Owner(), t.Conversation.Affiliate)
	if e.brands == nil || affiliate == "" {
		return e, nil
	}
	b, err := e.brands.Of(ctx, affiliate)
	if err != nil {
		return nil, err
	}
	own := *e
	own.phrases = e.phrases.For(b)
	return &own, nil
}

// Turn decides t. In mode person it searches nothing.
func (e *Engine) Turn(ctx context.Context, t bot.Turn) (bot.Outcome, error) {
	e, err := e.speakingFor(ctx, t)
	if err != nil {
		return bot.Outcome{}, err
	}
	ev := Evidence{Turn: t, Signals: Read(e.phrases, t)}
	query := e.query(ev)
	if t.Conversation.Mode == bot.ModeBot {
		var err error
		if ev.Found, err = e.retriever.Search(ctx, query); err != nil {
			return bot.Outcome{}, fmt.Errorf("search: %w", err)
		}
		e.phrases.Vote(&ev.Signals, ev.Found, slices.ContainsFunc(t.History, answers), e.policy.AnswerAt)
		if err := e.heedAsking(ctx, &ev, &query); err != nil {
			return bot.Outcome{}, fmt.Errorf("search for the sentence that asks: %w", err)
		}
		if err := e.heedFeedback(ctx, &ev, query); err != nil {
			return bot.Outcome{}, fmt.Errorf("search for the question before: %w", err)
		}
		if err := e.heedEmergency(ctx, &ev, query); err != nil {
			return bot.Outcome{}, fmt.Errorf("search for emergencies: %w", err)
		}
		e.heedLanguage(&ev)
		heedContrast(&ev)
		e.heedPointing(&ev)
		if ev.Parts, err = e.searchParts(ctx, ev.Signals.Parts, query); err != nil {
			return bot.Outcome{}, fmt.Errorf("search for one of several questions: %w", err)
		}
		if id := ev.Signals.Chosen; id != "" {
			if entry, ok := e.retriever.Entry(t.Account.Affiliates, id); ok {
				ev.Chosen = &entry
			}
		}
		for _, id := range ev.Signals.Both {
			if entry, ok := e.retriever.Entry(t.Account.Affiliates, id); ok {
				ev.Both = append(ev.Both, entry)
			}
		}
	}
	v, err := e.heedTopics(ctx, Decide(e.policy, ev))
	if err != nil {
		return bot.Outcome{}, err
	}
	if v.Answer != nil && len(v.More) == 0 && v.Too == "" { // else there is enough to read and to choose from
		v.Next = e.retriever.FollowUps(*v.Answer)
	}
	o := e.compose(ev, v)
	o.Trace = trace(query, ev, v)
	return o, nil
}

// query is what to search for. What was said before goes along only where it may be needed.
func (e *Engine) query(ev Evidence) retrieval.Query {
	s, t := ev.Signals, ev.Turn
	q := retrieval.Query{Text: s.Whole, Language: s.Language, Locale: t.Conversation.Locale, Affiliates: t.Account.Affiliates}
	if q.Text == "" {
		q.Text = s.Raw
	}
	if q.Locale == "" {
		q.Locale = t.Account.Locale
	}
	if s.ContextDependence > 0 {
		if q.Before = e.said(t); s.About != "" {
			q.Before = append(q.Before, s.About)
		}
		if len(q.Before) > 0 {
			q.ContextDependence = s.ContextDependence
			q.Text = s.Question // few words, which a greeting must not outweigh
		}
	}
	return q
}

// searchParts searches for each of several questions in one message, by itself: one that needs the
// others to be understood is part of the same question.
func (e *Engine) searchParts(ctx context.Context, parts []string, whole retrieval.Query) ([]retrieval.Result, error) {
	var list []retrieval.Result
	for _, part := range parts {
		q := whole
		if q.Text, q.ContextDependence = part, 0; len(q.Before) > 0 {
			q.ContextDependence = leans(e.phrases, part)
		}
		found, err := e.retriever.Search(ctx, q)
		if err != nil {
			return nil, err
		}
		list = append(list, found)
	}
	return list, nil
}

// Broken hands t to a person, in our own words: it reads nothing.
func (e *Engine) Broken(t bot.Turn) bot.Outcome {
	ev := Evidence{Turn: t, Signals: Read(e.phrases, t)}
	if t.Conversation.Mode == bot.ModePerson {
		return e.compose(ev, Decide(e.policy, ev))
	}
	return e.compose(ev, handoff("broken", bot.ReasonBroken, PhraseHandoffBroken))
}

// compose turns a verdict into what is said and how the conversation goes on.
func (e *Engine) compose(ev Evidence, v Verdict) bot.Outcome {
	t := ev.Turn
	locale := e.locale(ev)
	o := bot.Outcome{Decision: v.Decision, Feedback: ev.Feedback, Picked: picked(ev), Next: next(t.Conversation, v)}
	if t.Disclose && v.Phrase == PhraseGreeting {
		v.Phrase = PhraseStart // greets, and says what we are
	}
	lead := e.lead(ev, v, locale)
	silent := v.Answer == nil && v.Phrase == ""
	say := e.voice(t, locale)
	if v.Urgency != "" {
		o.Replies = append(o.Replies, bot.Reply{Text: lead + emergency(t, say)})
		lead = ""
		if ev.Line != nil {
			o.Replies = append(o.Replies, bot.Carrying(bot.Reply{Text: ev.Line.Answer, Entry: ev.Line.ID}, ev.Line.Media)...)
		}
	}
	if ev.Signals.Voice && !silent && v.Phrase != PhraseVoice && v.Action != bot.ActionHandoff { // its words were not part of the answer
		o.Replies = append(o.Replies, bot.Reply{Text: lead + say(PhraseVoice)})
		lead = ""
	}
	switch {
	case silent:
	case v.Answer != nil:
		text := lead + v.Answer.Answer
		if v.Answer.Answer == "" { // its files say it
			text = strings.TrimSpace(lead)
		}
		o.Replies = append(o.Replies, bot.Carrying(bot.Reply{Text: text, Entry: v.Answer.ID, Choices: choices(v.Next)}, v.Answer.Media)...)
		for _, entry := range v.More {
			o.Replies = append(o.Replies, bot.Carrying(bot.Reply{Text: entry.Answer, Entry: entry.ID}, entry.Media)...)
		}
		if v.Too != "" {
			o.Replies = append(o.Replies, e.ask(t, say, v.Too, v.Options))
		}
	default:
		r := e.ask(t, say, v.Phrase, v.Options)
		r.Text = lead + strings.ReplaceAll(r.Text, "{word}", v.Word)
		if e.phrases.own.SaysLinks && (v.Phrase == PhraseStart || t.Disclose && greets(v.Phrase)) {
			r.Text += "\n\n" + say(PhraseAffiliateLinks)
		}
		o.Replies = append(o.Replies, r)
		if v.Below != nil {
			o.Replies = append(o.Replies, bot.Carrying(bot.Reply{Text: v.Below.Answer, Entry: v.Below.ID}, v.Below.Media)...)
		}
	}
	if t.Conversation.OptOut == bot.OptOutAll && o.Next.OptOut == bot.OptOutAll && t.Conversation.Address.Channel != channelOfVisitors {
		o.Replies = nil
	}
	if v.Action == bot.ActionHandoff {
		o.Escalate = escalation(ev, v, locale)
	}
	return o
}

// picked is the one choice of a menu of entries that the customer made, nil if they made none, or several.
func picked(ev Evidence) *bot.Choice {
	switch s := ev.Signals; {
	case s.Chosen != "" && ev.Chosen != nil && len(s.Both) == 0 && !s.Repeated:
		return &bot.Choice{Label: ev.Chosen.Question, Payload: bot.ChoiceEntry + string(s.Chosen)}
	case s.None && s.Question == "" && ev.Turn.Conversation.Asked == bot.AskedWhich:
		return &bot.Choice{Payload: bot.ChoiceNone}
	}
	return nil
}

// lead is what stands before the first reply: a greeting returned, that the bot is automated, and that the answer is
// in another language than the question.
func (e *Engine) lead(ev Evidence, v Verdict, locale string) string {
	var list []string
	if ev.Signals.Greeting && v.Answer != nil && v.Answer.Answer != "" {
		list = append(list, e.voice(ev.Turn, locale)(PhraseGreetingShort))
	}
	if (ev.Turn.Disclose || ev.Signals.Identity && v.Answer != nil) && !discloses(v.Phrase) {
		list = append(list, e.voice(ev.Turn, locale)(PhraseDisclosure))
		if e.phrases.own.SaysLinks {
			list = append(list, e.voice(ev.Turn, locale)(PhraseAffiliateLinks))
		}
	}
	if raw := ev.Signals.Raw; v.Answer != nil && v.Answer.Answer != "" && e.phrases.foreignTo(raw, e.phrases.languageFrom(raw, minForeign), v.Answer.Locale, v.Answer.Question) {
		list = append(list, e.voice(ev.Turn, locale)(PhraseOtherLanguage))
	}
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, " ") + "\n\n"
}

// discloses reports whether a phrase itself says that the bot is automated, or need not.
func discloses(phrase Phrase) bool {
	switch phrase {
	case PhraseStart, PhraseBack, PhraseStopped, PhraseResumed, PhraseResumedPerson, PhraseStopChat, PhraseOff, PhraseHandoffOff, PhraseIdentity, PhraseLinked, PhraseLinkedPerson, PhraseLinkGone:
		return true
	}
	return false
}

// greets reports whether a phrase begins a conversation and says that the bot is automated.
func greets(phrase Phrase) bool {
	switch phrase {
	case PhraseStart, PhraseBack, PhraseResumed, PhraseIdentity, PhraseLinked, PhraseLinkGone:
		return true
	}
	return false
}

// A voice says phrases in a language, as they are said on a channel.
type voice func(Phrase) string

func (e *Engine) voice(t bot.Turn, locale string) voice {
	called := cmp.Or(e.phrases.own.Name, string(t.Conversation.Affiliate))
	return func(name Phrase) string {
		return strings.ReplaceAll(e.phrases.SayOn(t.Conversation.Address, locale, name), "{affiliate}", called)
	}
}

// legal is the addresses of the legal pages, a line each, "" if there are none.
func (e *Engine) legal(say voice) (lines string) {
	if imprint := e.phrases.own.Imprint; imprint != "" {
		lines += "\n" + say(PhraseImprint) + " " + imprint
	}
	if privacy := e.phrases.own.Privacy; privacy != "" {
		lines += "\n" + say(PhrasePrivacy) + " " + privacy
	}
	return lines
}

// ask says a phrase, with the buttons that belong to it.
func (e *Engine) ask(t bot.Turn, say voice, phrase Phrase, options []knowledge.Entry) bot.Reply {
	var r bot.Reply
	button := func(name Phrase, payload string) {
		r.Choices = append(r.Choices, bot.Choice{Label: say(name), Payload: payload})
	}
	r.Choices = choices(options)
	switch {
	case asksWhich(phrase):
		button(PhraseNoneOfThese, bot.ChoiceNone)
		button(PhraseTalkToPerson, bot.ChoicePerson)
	case phrase == PhraseOfferToo:
		button(PhraseTalkToPerson, bot.ChoicePerson)
	case phrase == PhraseStopAsk:
		button(PhraseStopHere, bot.ChoiceStop)
	case phrase == PhraseStopChat:
		button(PhraseTurnOff, bot.ChoiceOff)
		button(PhraseTalkToPerson, bot.ChoicePerson)
	case phrase == PhraseOff || phrase == PhraseHandoffOff:
		button(PhraseTurnOn, bot.ChoiceOn)
	case offersPerson(phrase):
		button(PhraseTalkToPerson, bot.ChoicePerson)
		button(PhraseTryAgain, bot.ChoiceAgain)
	case leadsToPerson(phrase):
		button(PhraseTalkToPerson, bot.ChoicePerson)
	}
	r.Text = say(wording(t, phrase, len(options)))
	gap := " "
	if legal := e.legal(say); phrase == PhraseIdentity && legal != "" {
		r.Text += "\n" + legal
		gap = "\n\n"
	}
	if suggests(phrase) && len(options) > 0 {
		r.Text += gap + say(PhraseSuggestions)
	}
	return r
}

// choices are buttons that ask entries.
func choices(entries []knowledge.Entry) (list []bot.Choice) {
	for _, entry := range entries {
		list = append(list, bot.Choice{Label: entry.Question, Payload: bot.ChoiceEntry + string(entry.ID)})
	}
	return list
}

// wording is the phrase that says what phrase means, with so many options.
func wording(t bot.Turn, phrase Phrase, options int) Phrase {
	switch {
	case options == 1 && phrase == PhraseWhich:
		return PhraseWhichOne
	case options == 1 && phrase == PhraseWhichOther:
		return PhraseWhichOtherOne
	case phrase == PhraseIdentity && t.Conversation.Affiliate != "":
		return PhraseIdentityFor
	}
	return phrase
}

// asksWhich reports whether a phrase asks which of some entries was meant.
func asksWhich(phrase Phrase) bool {
	switch phrase {
	case PhraseWhich, PhraseWhichOther, PhraseFeedbackWhich, PhraseNothingAbout:
		return true
	}
	return false
}

// suggests reports whether entries stand under a phrase as examples.
func suggests(phrase Phrase) bool { return phrase == PhraseIdentity || phrase == PhraseHelp }

// offersPerson reports whether a phrase asks whether the customer would like a person.
func offersPerson(phrase Phrase) bool {
	switch phrase {
	case PhraseOffer, PhraseOfferToo, PhraseSorry, PhraseCalm, PhraseVoice, PhraseFeedback:
		return true
	}
	return false
}

// leadsToPerson reports whether a person is one tap away under a phrase: wherever the bot begins, explains
// itself or found no answer.
func leadsToPerson(phrase Phrase) bool {
	switch phrase {
	case PhraseStart, PhraseHelp, PhraseGreeting, PhraseResumed, PhraseLinked, PhraseLinkGone,
		PhraseIdentity, PhraseLanguage, PhraseAskAgain, PhraseAgain, PhraseGibberish, PhraseTooLong, PhraseUnreadable, PhraseGone:
		return true
	}
	return false
}

// next is the conversation after v.
func next(c bot.Conversation, v Verdict) bot.Conversation {
	switch v.Phrase {
	case PhraseStopped, PhraseOff:
		c.OptOut = bot.OptOutAll
	case PhraseResumed, PhraseResumedPerson:
		c.OptOut = bot.OptOutNothing
	}
	switch v.Action {
	case bot.ActionForward, bot.ActionIgnore:
		return c
	case bot.ActionHandoff:
		c.Mode, c.Misses, c.Clarify, c.Asked = bot.ModePerson, 0, 0, bot.AskedNothing
		return c
	}
	c.Mode, c.Asked = bot.ModeBot, bot.AskedNothing
	switch {
	case offersPerson(v.Phrase) || offersPerson(v.Too):
		c.Asked = bot.AskedPerson
	case asksWhich(v.Phrase) || v.Too == PhraseWhichOther || suggests(v.Phrase) && len(v.Options) > 0:
		c.Asked = bot.AskedWhich
	case len(v.Next) > 0:
		c.Asked = bot.AskedNext
	}
	switch {
	case v.Miss:
		c.Misses++
	case v.Phrase == PhraseWhich || v.Phrase == PhraseNothingAbout:
		if c.Clarify++; c.Clarify%2 == 0 {
			c.Misses++ // a menu that was not used is half a miss
		}
	case v.Action == bot.ActionAnswer:
		c.Misses, c.Clarify = 0, 0
	}
	return c
}

func escalation(ev Evidence, v Verdict, locale string) *bot.Escalation {
	t := ev.Turn
	e := &bot.Escalation{ID: string(t.ID), Affiliate: t.Conversation.Affiliate, Reason: v.Reason, Locale: locale,
		Question: question(ev), Signals: ev.Signals.Names()}
	if len(v.Held) > 0 {
		hold(e, v)
		return e
	}
	for i, h := range ev.Found.Hits {
		if i == 0 {
			e.Topic = h.Entry.Topic
			if e.Affiliate == "" { // an account of everyone's: whoever is nearest to the question
				e.Affiliate = h.Entry.Affiliate
			}
		}
		if i < 3 {
			e.Tried = append(e.Tried, h.Entry.ID)
		}
	}
	return e
}

// question is the customer's words that led to a handoff: those of now, else the last ones that
// were more than a tap or a command.
func question(ev Evidence) string {
	if ev.Signals.Question != "" && !ev.Signals.WantsPerson {
		return ev.Signals.Question
	}
	for i := len(ev.Turn.History) - 1; i >= 0; i-- {
		m := ev.Turn.History[i]
		if _, _, command := commandOf(m.Text); m.Author == bot.AuthorCustomer && m.Choice == "" && !command && m.Text != "" {
			return m.Text
		}
	}
	return ev.Signals.Raw
}

func trace(q retrieval.Query, ev Evidence, v Verdict) bot.Trace {
	t := bot.Trace{Query: q.Text, Space: ev.Found.Space, Fallback: ev.Found.Fallback, Rule: v.Rule, Signals: ev.Signals.Names()}
	if q.ContextDependence > 0 {
		t.Before, t.ContextDependence = q.Before, q.ContextDependence
	}
	for _, h := range ev.Found.Hits {
		t.Hits = append(t.Hits, traceHit(h))
	}
	for i, part := range ev.Parts {
		one := bot.TracePart{Query: ev.Signals.Parts[i]}
		if len(part.Hits) > 0 {
			best := traceHit(part.Hits[0])
			one.Best = &best
		}
		t.Parts = append(t.Parts, one)
	}
	return t
}

func traceHit(h retrieval.Hit) bot.TraceHit {
	return bot.TraceHit{Entry: h.Entry.ID, Wording: h.Wording, Score: h.Score, Odds: h.Odds, Parts: h.Parts, Evidence: h.Evidence, Contrast: h.Contrast}
}
