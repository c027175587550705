package subject

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/eval"
	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// Engine is the engine that serves customers.
type Engine struct {
	name string
	bot  *eval.Asker
	keys map[knowledge.EntryID]knowledge.EntryID
}

var _ Subject = Engine{}

// NewEngine measures b under a name.
func NewEngine(name string, b *eval.Asker) Engine { return Engine{name: name, bot: b} }

// Keyed is e with the affiliate's own names of its entries, by which a suite names them, instead of their IDs.
func (e Engine) Keyed(entries []knowledge.Entry) Engine {
	e.keys = map[knowledge.EntryID]knowledge.EntryID{}
	for _, one := range entries {
		e.keys[one.ID] = knowledge.EntryID(one.Key)
	}
	return e
}

func (e Engine) Name() string { return e.name }

func (e Engine) Close() error { return nil }

func (e Engine) Open(c suite.Case) Dialogue {
	return &talk{conversation: e.bot.Open(c.Lang, c.Context), keys: e.keys}
}

// Last carries out a case and returns all there is to know about its last turn.
func (e Engine) Last(ctx context.Context, c suite.Case) (dialogue.Answer, error) {
	t := &talk{conversation: e.bot.Open(c.Lang, c.Context)}
	for _, turn := range c.Turns {
		if _, err := t.Say(ctx, turn); err != nil {
			return t.last, err
		}
	}
	return t.last, nil
}

// A talk is a conversation with the engine, with the buttons that stand under its last replies.
type talk struct {
	conversation *eval.Conversation
	offered      []bot.Choice
	keys         map[knowledge.EntryID]knowledge.EntryID
	last         dialogue.Answer
}

func (t *talk) Say(ctx context.Context, turn suite.Turn) (Reply, error) {
	text, payload := turn.Say, ""
	if turn.Tap != "" {
		button, ok := t.button(turn.Tap)
		if !ok {
			return Reply{Action: bot.ActionIgnore, Rule: fmt.Sprintf("the button %q is not on offer", turn.Tap)}, nil
		}
		text, payload = button.Label, button.Payload
	}
	a, err := t.conversation.Write(ctx, text, payload)
	if err != nil {
		return Reply{}, err
	}
	t.last = a
	d := a.Outcome.Decision
	r := Reply{Action: d.Action, Reason: d.Reason, Rule: a.Outcome.Trace.Rule, Signals: a.Outcome.Trace.Signals, Took: a.Took}
	for _, id := range d.Entries {
		r.Entries = append(r.Entries, t.keyOf(id))
	}
	for _, one := range a.Ranked {
		r.Ranked = append(r.Ranked, Ranked{t.keyOf(one.Entry), one.Probability})
	}
	t.offered = nil
	for _, said := range a.Outcome.Replies {
		r.Texts = append(r.Texts, said.Text)
		t.offered = append(t.offered, said.Choices...)
	}
	return r, nil
}

// keyOf is what a suite calls an entry.
func (t *talk) keyOf(id knowledge.EntryID) knowledge.EntryID {
	if key := t.keys[id]; key != "" {
		return key
	}
	return id
}

// button is the one on offer that a tap names: by an entry's ID, its label, its number, or what it stands for.
func (t *talk) button(tap string) (bot.Choice, bool) {
	number, err := strconv.Atoi(tap)
	for i, c := range t.offered {
		id, ofEntry := strings.CutPrefix(c.Payload, bot.ChoiceEntry)
		if ofEntry && string(t.keyOf(knowledge.EntryID(id))) == tap || c.Payload == tap || strings.EqualFold(c.Label, tap) || err == nil && number == i+1 {
			return c, true
		}
	}
	return bot.Choice{}, false
}
