package main

import (
	"context"
	"fmt"

	"faqbot/eval/runs"
	"faqbot/eval/suite"
	"faqbot/knowledge"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/sqldb"
)

// evalExportCommand writes the test cases that an affiliate keeps at /eval.
type evalExportCommand struct {
	Affiliate string `required:"" help:"Whose test cases." placeholder:"NAME"`
	To        string `arg:"" help:"The file to write; the end of its name says the format. Cases of several turns need .yaml or .jsonl." type:"path"`
}

func (cmd evalExportCommand) Run(ctx context.Context, cli *commands, term terminal) error {
	return withDB(ctx, cli, func(_ config, db *sqldb.DB) error {
		list, err := cases.NewStore(db).List(ctx, knowledge.AffiliateID(cmd.Affiliate))
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fmt.Errorf("%s has no test cases; add some at /eval", cmd.Affiliate)
		}
		s, err := runs.SuiteOf(knowledge.AffiliateID(cmd.Affiliate), list)
		if err == nil {
			err = suite.Write(cmd.To, s)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(term.out, "%d cases are in %s. Some may be customers' questions: keep the file as you keep those.\n", len(s.Cases), cmd.To)
		return nil
	})
}
