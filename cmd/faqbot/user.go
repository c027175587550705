package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"faqbot/knowledge"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
)

// userCommand manages the people who sign in, without mail: what it prints is handed over by hand.
type userCommand struct {
	Add   userAdd   `cmd:"" help:"Add a person; prints a one-time link with which they choose a password."`
	Reset userReset `cmd:"" help:"Print a one-time link with which a person chooses a new password."`
	List  userList  `cmd:"" help:"List the people."`
}

type userAdd struct {
	Name      string   `arg:"" help:"The name they sign in with."`
	Role      string   `required:"" enum:"admin,lead,agent,affiliate" help:"admin, lead, agent or affiliate." placeholder:"ROLE"`
	Email     string   `help:"Where links and notices go, once mail is sent." placeholder:"ADDRESS"`
	Affiliate []string `help:"Whose tickets and entries they may see; \"*\" for all. May be given several times." placeholder:"NAME"`
}

type userReset struct {
	Name string `arg:"" help:"The name they sign in with."`
}

type userList struct{}

// withDirectory opens the directory for one command.
func withDirectory(ctx context.Context, cli *commands, do func(config, *people.Directory) error) error {
	return withDB(ctx, cli, func(c config, db *sqldb.DB) error { return do(c, people.NewDirectory(db, people.Options{})) })
}

// welcome is the address of a one-time link.
func (c config) welcome(token string) string { return c.address() + "/welcome/" + token }

// address is where a browser reaches the service.
func (c config) address() string {
	if c.Server.PublicURL != "" {
		return c.Server.PublicURL
	}
	return "http://" + c.Server.Listen
}

func (cmd userAdd) Run(ctx context.Context, cli *commands, term terminal) error {
	return withDirectory(ctx, cli, func(c config, d *people.Directory) error {
		n := people.Newcomer{Name: cmd.Name, Role: people.Role(cmd.Role), Email: cmd.Email}
		for _, a := range cmd.Affiliate {
			n.Affiliates = append(n.Affiliates, knowledge.AffiliateID(a))
		}
		p, err := d.Add(ctx, people.Operator, n)
		if err != nil {
			return err
		}
		token, err := d.Reset(ctx, people.Operator, p.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(term.out, "%s can choose a password within 24 hours at\n%s\n", p.Name, c.welcome(token))
		return nil
	})
}

func (cmd userReset) Run(ctx context.Context, cli *commands, term terminal) error {
	return withDirectory(ctx, cli, func(c config, d *people.Directory) error {
		p, err := d.Find(ctx, cmd.Name)
		if err != nil {
			return err
		}
		token, err := d.Reset(ctx, people.Operator, p.ID)
		if err != nil {
			return err
		}
		fmt.Fprintf(term.out, "%s can choose a new password within 24 hours at\n%s\n", p.Name, c.welcome(token))
		return nil
	})
}

func (userList) Run(ctx context.Context, cli *commands, term terminal) error {
	return withDirectory(ctx, cli, func(_ config, d *people.Directory) error {
		list, err := d.List(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			fmt.Fprintln(term.out, "Nobody yet. serve prints a link for the first admin.")
			return nil
		}
		w := tabwriter.NewWriter(term.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tROLE\tAFFILIATES\tSTATE")
		for _, p := range list {
			state := "active"
			if p.Disabled {
				state = "disabled"
			}
			fmt.Fprintf(w, "%s\t%s\t%v\t%s\n", p.Name, p.Role, p.Affiliates, state)
		}
		return w.Flush()
	})
}
