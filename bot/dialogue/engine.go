// Package dialogue works out what a turn should do: Read the waiting messages, search, Decide, and
// word the outcome. It changes nothing, so running a turn twice is safe, and eval runs the very code
// that serves customers. Read and Decide are pure. The words are an affiliate's own answer or one of
// the fixed Phrases; nothing else is ever said.
//
// It is not for effects (bot.Runner commits what it returns) and not for finding entries (retrieval).
package dialogue

import (
	"context"
	"fmt"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval"
)

// A Retriever finds the entries that may answer; *retrieval.Searcher is one.
type Retriever interface {
	Search(ctx context.Context, q retrieval.Query) (retrieval.Result, error)
	// Entry returns an entry if it is published now by one of affiliates.
	Entry(affiliates []knowledge.AffiliateID, id knowledge.EntryID) (knowledge.Entry, bool)
}

// An Engine decides turns. It is a bot.Engine.
type Engine struct {
	retriever Retriever
	phrases   *Phrases
	policy    Policy
}

var _ bot.Engine = (*Engine)(nil)

// NewEngine returns an engine that answers from what retriever finds.
func NewEngine(retriever Retriever, phrases *Phrases, policy Policy) *Engine {
	return &Engine{retriever: retriever, phrases: phrases, policy: policy}
}

// Turn decides t. In mode person it searches nothing, so it cannot fail.
func (e *Engine) Turn(ctx context.Context, t bot.Turn) (bot.Outcome, error) {
	ev := Evidence{Turn: t, Signals: Read(e.phrases, t)}
	query := retrieval.Query{Text: ev.Signals.Question, Locale: t.Conversation.Locale, Affiliates: t.Account.Affiliates}
	if query.Text == "" {
		query.Text = ev.Signals.Raw
	}
	if query.Locale == "" {
		query.Locale = t.Account.Locale
	}
	if t.Conversation.Mode == bot.ModeBot {
		var err error
		if ev.Found, err = e.retriever.Search(ctx, query); err != nil {
			return bot.Outcome{}, fmt.Errorf("search: %w", err)
		}
		if id := ev.Signals.Chosen; id != "" {
			if entry, ok := e.retriever.Entry(t.Account.Affiliates, id); ok {
				ev.Chosen = &entry
			}
		}
	}
	o := e.word(ev, Decide(e.policy, ev))
	o.Trace = trace(query, ev.Found, o.Trace.Rule)
	return o, nil
}

// Broken hands t to a person.
func (e *Engine) Broken(t bot.Turn) bot.Outcome {
	ev := Evidence{Turn: t, Signals: Read(e.phrases, t)}
	if t.Conversation.Mode == bot.ModePerson {
		return e.word(ev, Decide(e.policy, ev))
	}
	return e.word(ev, handoff("broken", bot.ReasonBroken, PhraseHandoffBroken))
}

// word turns a verdict into what is said and how the conversation goes on.
func (e *Engine) word(ev Evidence, v Verdict) bot.Outcome {
	t := ev.Turn
	locale := e.phrases.Locale(t.Conversation.Locale, t.Account.Locale)
	o := bot.Outcome{Decision: v.Decision, Next: next(t.Conversation, v), Trace: bot.Trace{Rule: v.Rule}}
	switch {
	case v.Action == bot.ActionForward || v.Action == bot.ActionIgnore:
		return o
	case v.Answer != nil:
		text := v.Answer.Answer
		if ev.Signals.Greeting && text != "" {
			text = e.phrases.Say(locale, PhraseGreetingShort) + "\n\n" + text
		}
		o.Replies = bot.Carrying(bot.Reply{Text: text, Entry: v.Answer.ID}, v.Answer.Media)
	case len(v.Options) == 1:
		o.Replies = []bot.Reply{{Text: e.phrases.Say(locale, PhraseWhichOne), Choices: e.choices(locale, v)}}
	default:
		o.Replies = []bot.Reply{{Text: e.phrases.Say(locale, v.Phrase), Choices: e.choices(locale, v)}}
	}
	if ev.Signals.Voice && v.Phrase != PhraseVoice && v.Action != bot.ActionHandoff { // its words were not part of the answer
		o.Replies = append([]bot.Reply{{Text: e.phrases.Say(locale, PhraseVoice)}}, o.Replies...)
	}
	if v.Action == bot.ActionHandoff {
		o.Escalate = escalation(ev, v, locale)
	}
	return o
}

// choices are the buttons under a question.
func (e *Engine) choices(locale string, v Verdict) (list []bot.Choice) {
	switch v.Phrase {
	case PhraseWhich:
		for _, entry := range v.Options {
			list = append(list, bot.Choice{Label: entry.Question, Payload: payloadEntry + string(entry.ID)})
		}
		list = append(list, bot.Choice{Label: e.phrases.Say(locale, PhraseNoneOfThese), Payload: payloadNone})
	case PhraseOffer, PhraseVoice:
		list = []bot.Choice{
			{Label: e.phrases.Say(locale, PhraseTalkToPerson), Payload: payloadPerson},
			{Label: e.phrases.Say(locale, PhraseTryAgain), Payload: payloadAgain},
		}
	}
	return list
}

// next is the conversation after v.
func next(c bot.Conversation, v Verdict) bot.Conversation {
	switch v.Action {
	case bot.ActionForward, bot.ActionIgnore:
		return c
	case bot.ActionHandoff:
		c.Mode, c.Misses, c.Clarify, c.Asked = bot.ModePerson, 0, 0, bot.AskedNothing
		return c
	}
	c.Mode, c.Asked = bot.ModeBot, bot.AskedNothing
	switch {
	case v.Miss:
		c.Misses++
		if v.Phrase == PhraseOffer || v.Phrase == PhraseVoice {
			c.Asked = bot.AskedPerson
		}
	case v.Phrase == PhraseWhich:
		c.Clarify++
		c.Asked = bot.AskedWhich
	case v.Action == bot.ActionAnswer:
		c.Misses, c.Clarify = 0, 0
	}
	return c
}

func escalation(ev Evidence, v Verdict, locale string) *bot.Escalation {
	t := ev.Turn
	e := &bot.Escalation{ID: string(t.ID), Affiliate: t.Conversation.Affiliate, Reason: v.Reason, Locale: locale, Question: question(ev)}
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

func trace(q retrieval.Query, found retrieval.Result, rule string) bot.Trace {
	t := bot.Trace{Query: q.Text, Space: found.Space, Fallback: found.Fallback, Rule: rule}
	for _, h := range found.Hits {
		t.Hits = append(t.Hits, bot.TraceHit{Entry: h.Entry.ID, Wording: h.Wording, Score: h.Score, Semantic: h.Semantic, Lexical: h.Lexical})
	}
	return t
}
