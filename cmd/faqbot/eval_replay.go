package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"faqbot/bot"
	"faqbot/bot/store"
	"faqbot/eval"
	"faqbot/eval/measure"
	"faqbot/eval/report"
	"faqbot/eval/subject"
	"faqbot/eval/suite"
	"faqbot/handoff"
	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
	"faqbot/retrieval/learn"
)

// evalReplayCommand asks again what customers asked.
type evalReplayCommand struct {
	Affiliate string        `required:"" help:"Whose customers." placeholder:"NAME"`
	Since     time.Duration `help:"How far back." default:"168h" placeholder:"DURATION"`
	FAQ       string        `name:"faq" help:"Ask this FAQ, in any format that import reads, instead of what is published." placeholder:"FILE" type:"existingfile"`
	Out       []string      `help:"Write a report: .json, .xml (JUnit), .md, .html or .trec. It has customers' words. May be given several times." placeholder:"FILE" type:"path" sep:"none"`
	AnswerAt  float64       `help:"Answer from this probability on, as fit found it, instead of the configuration's." placeholder:"PROBABILITY"`
	Suite     string        `help:"Write the questions with what was done as a suite, to be corrected and kept. It has customers' words." placeholder:"FILE" type:"path"`
}

func (cmd evalReplayCommand) Run(ctx context.Context, cli *commands, term terminal) error {
	return withDB(ctx, cli, func(c config, db *sqldb.DB) error {
		entries, _, err := knowledge.NewCorpus(db, time.Now).Published(ctx, knowledge.AffiliateID(cmd.Affiliate))
		if err != nil {
			return err
		}
		keys := map[knowledge.EntryID]knowledge.EntryID{}
		for i, e := range entries {
			keys[e.ID] = knowledge.EntryID(e.Key)
			entries[i].ID = knowledge.EntryID(e.Key) // as in a file
		}
		s, err := replayed(ctx, db, knowledge.AffiliateID(cmd.Affiliate), time.Now().Add(-cmd.Since), keys)
		if err != nil {
			return err
		}
		if len(s.Cases) == 0 {
			return fmt.Errorf("customers of %s asked nothing in the last %s", cmd.Affiliate, cmd.Since)
		}
		if cmd.Suite != "" {
			if err := suite.Write(cmd.Suite, s); err != nil {
				return err
			}
		}
		if cmd.FAQ != "" {
			if entries, err = eval.ReadEntries(cmd.FAQ); err != nil {
				return err
			}
		}
		vectors, _, err := newVectors()
		if err != nil {
			return err
		}
		offsets, err := learn.New(db).Offsets(ctx)
		if err != nil {
			return err
		}
		b, err := eval.NewAskerFor(ctx, entries, vectors, offsets[knowledge.AffiliateID(cmd.Affiliate)])
		if err != nil {
			return err
		}
		policy := c.policy()
		if cmd.AnswerAt > 0 {
			policy.AnswerAt = cmd.AnswerAt
		}
		s.Gates = []string{measure.Passed + " >= 0"} // another answer may be a better one
		r, err := measure.Run{Suite: s, Entries: entries, Workers: runtime.GOMAXPROCS(0), Subject: subject.NewEngine("faqbot "+version, b.With(policy))}.Do(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(term.out, "%d questions; %d would be treated otherwise than they were:\n", len(r.Cases), r.Failed)
		return errors.Join(writeReports(cmd.Out, r), report.FailedCases(term.out, r))
	})
}

// replayed are the questions that an affiliate's customers asked, as a suite that expects what was done. Card numbers,
// IBANs and passwords are masked. What was erased or forgotten is not there.
func replayed(ctx context.Context, db *sqldb.DB, affiliate knowledge.AffiliateID, since time.Time, keys map[knowledge.EntryID]knowledge.EntryID) (suite.Suite, error) {
	s, st := suite.Suite{Name: string(affiliate) + ", replayed"}, store.New(db)
	for before := (time.Time{}); ; {
		page, err := st.List(ctx, bot.Search{Affiliates: []knowledge.AffiliateID{affiliate}, Before: before})
		if err != nil {
			return s, err
		}
		for _, conversation := range page {
			if before = conversation.ActiveAt; before.Before(since) {
				return s, nil
			}
			turns, err := st.Turns(ctx, conversation.ID)
			if err != nil {
				return s, err
			}
			for _, t := range turns {
				if c, ok := replayedCase(conversation.Conversation, t, keys); ok && !t.At.Before(since) {
					s.Cases = append(s.Cases, c)
				}
			}
		}
		if len(page) == 0 {
			return s, nil
		}
	}
}

// replayedCase is a turn that answered words of a customer, as a case.
func replayedCase(c bot.Conversation, t bot.TurnRecord, keys map[knowledge.EntryID]knowledge.EntryID) (suite.Case, bool) {
	var entries []knowledge.EntryID
	for _, id := range t.Decision.Entries {
		if key := keys[id]; key != "" {
			id = key
		}
		entries = append(entries, id)
	}
	var e suite.Expect
	switch d := t.Decision; {
	case t.Trace.Query == "" || d.Reason == bot.ReasonChosen: // a tap
		return suite.Case{}, false
	case d.Action == bot.ActionAnswer && len(entries) > 0:
		e.Answer = entries
	case d.Action == bot.ActionAnswer:
		e.SmallTalk = true
	case d.Action == bot.ActionClarify && len(entries) > 0:
		e.Clarify = entries
	case d.Action == bot.ActionClarify:
		e.None = true
	case d.Action == bot.ActionHandoff:
		e.Handoff = suite.AnyReason
	default: // a person has the conversation
		return suite.Case{}, false
	}
	one := suite.Case{ID: string(t.ID), Turns: []suite.Turn{{Say: handoff.MaskSecrets(t.Trace.Query), Expect: e}}, Lang: c.Locale, Group: string(c.ID), Weight: 1}
	for _, said := range t.Trace.Before {
		one.Context = append(one.Context, handoff.MaskSecrets(said))
	}
	return one, !slices.Contains(t.Trace.Signals, "flood")
}
