package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
)

// affiliateCommand looks after affiliates, beside a running server.
type affiliateCommand struct {
	Add     affiliateAdd     `cmd:"" help:"Add an affiliate."`
	List    affiliateList    `cmd:"" help:"List the affiliates, with those archived."`
	Archive affiliateArchive `cmd:"" help:"Have none of an affiliate's entries answer any more. Nothing is deleted."`
}

type affiliateName struct {
	Name string `arg:"" help:"1 to 64 letters, digits, spaces and . _ -"`
}

type (
	affiliateAdd     struct{ affiliateName }
	affiliateList    struct{}
	affiliateArchive struct {
		affiliateName
		Restore bool `help:"Have them answer again."`
	}
)

// withCorpus opens the corpus for one command.
func withCorpus(ctx context.Context, cli *commands, do func(*knowledge.Corpus) error) error {
	return withDB(ctx, cli, func(_ config, db *sqldb.DB) error { return do(knowledge.NewCorpus(db, time.Now)) })
}

func (cmd affiliateAdd) Run(ctx context.Context, cli *commands, term terminal) error {
	return withCorpus(ctx, cli, func(c *knowledge.Corpus) error {
		if err := c.AddAffiliate(ctx, knowledge.AffiliateID(cmd.Name)); err != nil {
			return err
		}
		fmt.Fprintf(term.out, "%s is added. Publish entries with: faqbot import FILE --affiliate %s --publish\n", cmd.Name, shellQuote(cmd.Name))
		return nil
	})
}

func (affiliateList) Run(ctx context.Context, cli *commands, term terminal) error {
	return withCorpus(ctx, cli, func(c *knowledge.Corpus) error {
		list, err := c.AllAffiliates(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
		for _, a := range list {
			state := fmt.Sprintf("revision %d", a.Revision)
			if a.Revision == 0 {
				state = "nothing published"
			}
			if a.Archived() {
				state = "archived"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", a.ID, a.Label, state)
		}
		return w.Flush()
	})
}

func (cmd affiliateArchive) Run(ctx context.Context, cli *commands, term terminal) error {
	return withCorpus(ctx, cli, func(c *knowledge.Corpus) error {
		if err := c.ArchiveAffiliate(ctx, knowledge.AffiliateID(cmd.Name), !cmd.Restore); err != nil {
			return err
		}
		if cmd.Restore {
			fmt.Fprintf(term.out, "%s is restored: its entries answer again.\n", cmd.Name)
			return nil
		}
		fmt.Fprintf(term.out, "%s is archived: none of its entries answers any more. Nothing is deleted; --restore takes this back.\n", cmd.Name)
		return nil
	})
}
