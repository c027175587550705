package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/eval"
	"faqbot/eval/subject"
	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// A Run is what to measure, and how.
type Run struct {
	Suite   suite.Suite
	Entries []knowledge.Entry
	Subject subject.Subject
	Workers int
	Journal Journal        // keeps the finished cases until the run is done; nil keeps none
	Prices  Prices         // of a language model
	Gates   []string       // besides the suite's
	Against *Report        // an earlier run of the same cases, or nil
	Asked   func(done int) // is told how many cases are done, by several goroutines
}

// Prices are what a million tokens cost.
type Prices struct{ In, Out float64 }

// A Finished is a case that was asked.
type Finished struct {
	Row  Row           `json:"row"`
	Took time.Duration `json:"took"`
}

// Do asks all cases and reports. Cases that the journal has from an interrupted run are not asked again.
func (r Run) Do(ctx context.Context) (*Report, error) {
	gates, err := parseGates(append(slices.Clone(r.Suite.Gates), r.Gates...))
	if err != nil {
		return nil, err
	}
	started := time.Now()
	done, err := r.ask(ctx)
	if err != nil {
		return nil, err
	}
	report := r.report(done)
	report.check(gates, r.Against)
	report.Timings.Started, report.Timings.Seconds = started.UTC().Truncate(time.Second), time.Since(started).Seconds()
	return report, nil
}

// ask asks the cases that the journal does not have, and returns all in the suite's order.
func (r Run) ask(ctx context.Context) ([]Finished, error) {
	known := map[string]Finished{}
	if r.Journal != nil {
		var err error
		if known, err = r.Journal.Begin(ctx, fmt.Sprintf("%s %s %s", r.Suite.Digest(), r.Subject.Name(), digestOf(r.Entries))); err != nil {
			return nil, err
		}
	}
	topics := map[knowledge.EntryID]string{}
	for _, e := range r.Entries {
		topics[e.ID] = e.Topic
	}
	done := make([]Finished, len(r.Suite.Cases))
	var next, asked atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range max(1, r.Workers) {
		g.Go(func() error {
			for i := next.Add(1) - 1; int(i) < len(done); i = next.Add(1) - 1 {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				c := r.Suite.Cases[i]
				one, ok := known[c.ID]
				if !ok {
					var err error
					if one, err = converse(ctx, r.Subject, c, rowOf(c, topics)); err != nil {
						return fmt.Errorf("case %q: %w", c.ID, err)
					}
					if r.Journal != nil {
						if err := r.Journal.Add(ctx, one); err != nil {
							return err
						}
					}
				}
				done[i] = one
				if n := asked.Add(1); r.Asked != nil && !ok {
					r.Asked(int(n))
				}
			}
			return nil
		})
	}
	err := g.Wait()
	if r.Journal != nil {
		err = errors.Join(err, r.Journal.Close(context.WithoutCancel(ctx)))
	}
	return done, err
}

// converse carries out one case.
func converse(ctx context.Context, s subject.Subject, c suite.Case, row Row) (Finished, error) {
	d := s.Open(c)
	var reply subject.Reply
	for i, t := range c.Turns {
		var err error
		if reply, err = d.Say(ctx, t); err != nil {
			return Finished{}, err
		}
		row.Tokens.In += reply.Tokens.In
		row.Tokens.Out += reply.Tokens.Out
		for _, failure := range judge(t.Expect, reply) {
			if len(c.Turns) > 1 {
				failure = fmt.Sprintf("turn %d: %s", i+1, failure)
			}
			row.Failures = append(row.Failures, failure)
		}
	}
	row.Passed = len(row.Failures) == 0
	row.Action, row.Reason, row.Rule, row.Entries = reply.Action, reply.Reason, reply.Rule, reply.Entries
	row.Ranked, row.Signals, row.Texts = reply.Ranked[:min(len(reply.Ranked), maxRanked)], reply.Signals, reply.Texts
	row.Verdict = row.result().Verdict()
	effort, err := insist(ctx, d, c, row, reply)
	row.Effort = effort
	return Finished{row, reply.Took}, err
}

// maxRanked is how many ranked entries a row keeps; figures of rank look at ten.
const maxRanked = 10

// insist is how often a customer taps and rewords until they have the right answer: they tap the right entry if it is
// on offer, and else try the case's other wordings in turn.
func insist(ctx context.Context, d subject.Dialogue, c suite.Case, row Row, reply subject.Reply) (int, error) {
	if len(row.Relevant) == 0 {
		return eval.NoAnswer, nil
	}
	right := func(id knowledge.EntryID) bool { return slices.Contains(row.Relevant, id) }
	rewordings := c.Reword
	for effort := range maxEffort + 1 {
		at := slices.IndexFunc(reply.Entries, right)
		var next suite.Turn
		switch {
		case at >= 0 && reply.Action == bot.ActionAnswer:
			return effort, nil
		case at >= 0 && reply.Action == bot.ActionClarify:
			next.Tap = string(reply.Entries[at])
		case len(rewordings) > 0:
			next.Say, rewordings = rewordings[0], rewordings[1:]
		default:
			return eval.NoAnswer, nil
		}
		var err error
		if reply, err = d.Say(ctx, next); err != nil {
			return eval.NoAnswer, err
		}
	}
	return eval.NoAnswer, nil
}

// maxEffort is when the most patient customer gives up.
const maxEffort = 5

func ranked(r subject.Ranked) dialogue.Ranked { return dialogue.Ranked(r) }
