// Package subject is what can be measured with a suite: the engine that serves, a running service, a language
// model with the FAQ in its prompt, any command that speaks JSON Lines, and the run file of a ranking tool.
//
// It asks and passes on. It judges nothing: see eval/measure.
package subject

import (
	"context"
	"errors"
	"time"

	"faqbot/bot"
	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// A Subject answers customers. It is safe for concurrent use.
type Subject interface {
	Name() string // as reports call it
	Open(c suite.Case) Dialogue
	Close() error
}

// A Dialogue is one conversation with a subject.
type Dialogue interface {
	Say(ctx context.Context, t suite.Turn) (Reply, error)
}

// A Reply is what a subject did with one message.
type Reply struct {
	Action  bot.Action          `json:"action"`
	Reason  bot.Reason          `json:"reason,omitempty"`
	Rule    string              `json:"rule,omitempty"`    // how it was decided
	Entries []knowledge.EntryID `json:"entries,omitempty"` // what the answer rests on, or what the menu offers
	Ranked  []Ranked            `json:"ranked,omitempty"`  // best first
	Signals []string            `json:"signals,omitempty"`
	Texts   []string            `json:"texts,omitempty"` // what the customer reads
	Tokens  Tokens              `json:"tokens,omitzero"`
	Took    time.Duration       `json:"took"`
}

// A Ranked is an entry with the probability that it answers.
type Ranked struct {
	Entry       knowledge.EntryID `json:"entry"`
	Probability float64           `json:"probability"`
}

// Tokens are what a language model read and wrote.
type Tokens struct {
	In  int `json:"in"`
	Out int `json:"out"`
}

// A row is a reply as the API and the batches of faqbot ask have it; commands write the same.
type row struct {
	ID      string                       `json:"id"`
	Action  bot.Action                   `json:"action"`
	Entry   knowledge.EntryID            `json:"entry"`
	Ranked  []Ranked                     `json:"ranked"`
	Choices []knowledge.EntryID          `json:"choices"`
	Signals []string                     `json:"signals"`
	Reason  bot.Reason                   `json:"reason"`
	Replies []string                     `json:"replies"`
	Keys    map[knowledge.EntryID]string `json:"keys"` // the affiliate's own names of entries that have others in the service
}

// toReply is r with the affiliate's own names of entries. A command need not say an action.
func (r row) toReply(took time.Duration) (Reply, error) {
	named := func(id knowledge.EntryID) knowledge.EntryID {
		if key := r.Keys[id]; key != "" {
			return knowledge.EntryID(key)
		}
		return id
	}
	out := Reply{Action: r.Action, Reason: r.Reason, Signals: r.Signals, Texts: r.Replies, Took: took}
	for _, ranked := range r.Ranked {
		out.Ranked = append(out.Ranked, Ranked{named(ranked.Entry), ranked.Probability})
	}
	for _, id := range r.Choices {
		out.Entries = append(out.Entries, named(id))
	}
	if r.Entry != "" {
		out.Entries = []knowledge.EntryID{named(r.Entry)}
	}
	switch {
	case r.Action != "":
	case r.Entry != "":
		out.Action = bot.ActionAnswer
	case len(r.Choices) > 0:
		out.Action = bot.ActionClarify
	default:
		return out, errors.New(`the reply has neither "action" nor "entry" nor "choices"`)
	}
	return out, nil
}

// A question is a message with what was said before, as the API and batches have it.
type question struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"`
	Lang    string   `json:"lang,omitempty"`
	Context []string `json:"context,omitempty"`
}

// A remembered is a dialogue with a subject that keeps nothing between questions: each carries what the
// customer said before. A tap is said in words.
type remembered struct {
	ask  func(ctx context.Context, q question) (Reply, error)
	next question
	said func(tap string) string
}

func (d *remembered) Say(ctx context.Context, t suite.Turn) (Reply, error) {
	q := d.next
	if q.Text = t.Say; t.Tap != "" {
		q.Text = d.said(t.Tap)
	}
	r, err := d.ask(ctx, q)
	d.next.Context = append(d.next.Context[:len(d.next.Context):len(d.next.Context)], q.Text)
	return r, err
}

// labels says taps on an entry by its question.
func labels(entries []knowledge.Entry) func(string) string {
	questions := map[string]string{}
	for _, e := range entries {
		questions[string(e.ID)] = e.Question
	}
	return func(tap string) string {
		if q := questions[tap]; q != "" {
			return q
		}
		return tap
	}
}

func remember(c suite.Case, said func(string) string, ask func(context.Context, question) (Reply, error)) Dialogue {
	return &remembered{ask: ask, said: said, next: question{ID: c.ID, Lang: c.Lang, Context: c.Context}}
}
