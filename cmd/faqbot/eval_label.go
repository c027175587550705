package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"faqbot/eval"
	"faqbot/eval/label"
	"faqbot/eval/suite"
	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
)

// evalLabelCommand makes a suite of what two people say about questions.
type evalLabelCommand struct {
	Sheet     string        `arg:"" help:"The sheet: .csv, .tsv or .jsonl with question, first, second, settled. A label is an entry's id, several as \"a; b\", \"menu: a; b\", none, person, small talk or silence." type:"path"`
	FAQ       string        `name:"faq" help:"The FAQ whose entries the labels name, in any format that import reads." placeholder:"FILE" type:"existingfile" xor:"from" required:""`
	Affiliate string        `help:"Write the sheet, with what this affiliate's customers asked, to be labelled." placeholder:"NAME" xor:"from" required:""`
	Since     time.Duration `help:"How far back customers' questions are taken." default:"168h" placeholder:"DURATION"`
	Most      int           `help:"The most questions to write, the newest." default:"200" placeholder:"N"`
	Out       string        `help:"Write what is agreed or settled as a suite." placeholder:"FILE" type:"path"`
}

func (cmd evalLabelCommand) Run(ctx context.Context, cli *commands, term terminal) error {
	if cmd.Affiliate != "" {
		return cmd.begin(ctx, cli, term)
	}
	entries, err := eval.ReadEntries(cmd.FAQ)
	if err != nil {
		return err
	}
	s, err := label.Read(cmd.Sheet, entries)
	if err != nil {
		return err
	}
	first, second := s.Both()
	t := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "questions\t%d\nlabelled by both\t%d\n", len(s.Rows), len(first))
	if len(first) > 0 {
		for _, m := range []eval.Measured{eval.Agreement(first, second), eval.Kappa(first, second)} {
			fmt.Fprintf(t, "%s\t%.3f\t95 %% interval %s\n", m.Name, m.Value, m.Interval)
		}
	}
	differing := s.Differing()
	fmt.Fprintf(t, "to be settled\t%d\n", len(differing))
	if err := t.Flush(); err != nil {
		return err
	}
	if len(differing) > 0 {
		fmt.Fprintln(t, "\nquestion\tfirst\tsecond")
		for _, r := range differing {
			fmt.Fprintf(t, "%s\t%s\t%s\n", strings.Join(strings.Fields(r.Question), " "), r.First, r.Second)
		}
		fmt.Fprintln(t, "\nFill in the column \"settled\" of these rows.")
		if err := t.Flush(); err != nil {
			return err
		}
	}
	if cmd.Out != "" {
		made := s.Suite(cmd.Sheet)
		made.FAQ = cmd.FAQ
		if err := suite.Write(cmd.Out, made); err != nil {
			return err
		}
		fmt.Fprintf(term.out, "%d cases are in %s.\n", len(made.Cases), cmd.Out)
	}
	if len(differing) > 0 {
		return errMissed
	}
	return nil
}

// begin writes customers' questions as a sheet without labels. What the bot did is not in it: it would sway whoever labels.
func (cmd evalLabelCommand) begin(ctx context.Context, cli *commands, term terminal) error {
	return withDB(ctx, cli, func(_ config, db *sqldb.DB) error {
		s, err := replayed(ctx, db, knowledge.AffiliateID(cmd.Affiliate), time.Now().Add(-cmd.Since), nil)
		if err != nil {
			return err
		}
		if len(s.Cases) == 0 {
			return fmt.Errorf("customers of %s asked nothing in the last %s", cmd.Affiliate, cmd.Since)
		}
		var rows []label.Row
		for _, c := range s.Cases[:min(len(s.Cases), cmd.Most)] {
			rows = append(rows, label.Row{ID: c.ID, Question: c.Last().Say, Context: strings.Join(c.Context, "\n"), Lang: c.Lang, Group: c.Group})
		}
		slices.SortStableFunc(rows, func(a, b label.Row) int { return strings.Compare(a.Group, b.Group) })
		if err := writeWhole(cmd.Sheet, func(w io.Writer) error { return label.Write(w, cmd.Sheet, rows) }); err != nil {
			return err
		}
		fmt.Fprintf(term.out, "%d questions are in %s. They are customers' words: keep the file as you keep those.\nTwo people fill in \"first\" and \"second\", each without seeing the other's. Then: faqbot eval label %s --faq FILE\n", len(rows), cmd.Sheet, cmd.Sheet)
		return nil
	})
}
