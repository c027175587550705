package eval

import (
	"context"
	"slices"
	"sync/atomic"

	"faqbot/bot"
	"faqbot/bot/dialogue"
)

// Detection is how well a signal is told, over messages of which some should fire it.
type Detection struct {
	Messages, Should, Fired, Right int
}

// Precision is how many of those that fired should have; 1 if none fired.
func (d Detection) Precision() float64 { return share(d.Right, d.Fired) }

// Recall is how many of those that should have fired did; 1 if none should.
func (d Detection) Recall() float64 { return share(d.Right, d.Should) }

// F1 is the harmonic mean of both.
func (d Detection) F1() float64 { return share(2*d.Right, d.Fired+d.Should) }

// FalseAlarms is how many of those that should not have fired did.
func (d Detection) FalseAlarms() float64 {
	if d.Messages == d.Should {
		return 0
	}
	return float64(d.Fired-d.Right) / float64(d.Messages-d.Should)
}

func share(part, of int) float64 {
	if of == 0 {
		return 1
	}
	return float64(part) / float64(of)
}

// MeasureSignal reads every text and compares whether the signal fired with whether it should. name is one of
// dialogue.Signals.Names.
func MeasureSignal(p *dialogue.Phrases, name string, texts []string, should func(i int) bool) (d Detection) {
	return detect(len(texts), should, func(i int) bool { return slices.Contains(read(p, texts[i]).Names(), name) })
}

// MeasureSmallTalk is MeasureSignal for messages that ask nothing beside the small talk named: "hi, how
// do I get paid?" greets, but is a question. The first name that fits counts, in the order in which
// the bot answers: thanks, a goodbye, a greeting.
func MeasureSmallTalk(p *dialogue.Phrases, name string, texts []string, should func(i int) bool) (d Detection) {
	return detect(len(texts), should, func(i int) bool {
		s := read(p, texts[i])
		switch {
		case s.Question != "" && !s.Polite:
			return false
		case s.Thanks:
			return name == "thanks"
		case s.Goodbye:
			return name == "goodbye"
		}
		return s.Greeting && name == "greeting"
	})
}

func detect(n int, should, fired func(i int) bool) (d Detection) {
	for i := range n {
		want, got := should(i), fired(i)
		d.Messages++
		if want {
			d.Should++
		}
		if got {
			d.Fired++
		}
		if want && got {
			d.Right++
		}
	}
	return d
}

func read(p *dialogue.Phrases, text string) dialogue.Signals {
	return dialogue.Read(p, bot.Turn{Waiting: []bot.Message{{Author: bot.AuthorCustomer, Text: text}}})
}

// MeasureFalseSplits is how often one question gets two answers, or an answer and a question back.
func MeasureFalseSplits(ctx context.Context, engine *dialogue.Engine, account bot.Account, questions []string) (answered, asked float64, err error) {
	var two, back atomic.Int64
	err = each(len(questions), func(i int) error {
		o, err := put(ctx, engine, account, questions[i], nil)
		if err != nil {
			return err
		}
		switch answers, choices := told(o); {
		case answers > 1:
			two.Add(1)
		case answers == 1 && choices:
			back.Add(1)
		}
		return nil
	})
	n := float64(max(1, len(questions)))
	return float64(two.Load()) / n, float64(back.Load()) / n, err
}

// told counts the entries that an outcome answers with, and says whether it offers others.
func told(o bot.Outcome) (answers int, choices bool) {
	for _, r := range o.Replies {
		if r.Entry != "" {
			answers++
		}
		choices = choices || len(r.Choices) > 1
	}
	return answers, choices
}

// A Pair is two questions in one message, each with the entries that answer it.
type Pair struct {
	Text          string
	First, Second Labelled
}

// PairFigures are what became of two questions in one message.
type PairFigures struct {
	Both  float64 // both were answered, and rightly
	Asked float64 // the first was answered rightly and the second asked back about, with the right entry on offer
	Wrong float64 // two answers, one of them wrong
}

// MeasurePairs asks every pair.
func MeasurePairs(ctx context.Context, engine *dialogue.Engine, account bot.Account, pairs []Pair) (f PairFigures, err error) {
	var both, asked, wrong atomic.Int64
	err = each(len(pairs), func(i int) error {
		pair := pairs[i]
		o, err := put(ctx, engine, account, pair.Text, nil)
		if err != nil || o.Decision.Action != bot.ActionAnswer || len(o.Replies) < 2 {
			return err
		}
		first, second := o.Replies[0], o.Replies[1]
		right := slices.Contains(pair.First.Relevant, first.Entry)
		switch {
		case second.Entry != "" && right && slices.Contains(pair.Second.Relevant, second.Entry):
			both.Add(1)
		case second.Entry != "":
			wrong.Add(1)
		case right && offers(second, pair.Second):
			asked.Add(1)
		}
		return nil
	})
	n := float64(max(1, len(pairs)))
	return PairFigures{float64(both.Load()) / n, float64(asked.Load()) / n, float64(wrong.Load()) / n}, err
}

// offers reports whether a reply has a button for an entry that answers q.
func offers(r bot.Reply, q Labelled) bool {
	return slices.ContainsFunc(r.Choices, func(c bot.Choice) bool {
		return slices.Contains(q.Relevant, dialogue.EntryOf(c.Payload))
	})
}
