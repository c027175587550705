package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"faqbot/bot/network"
	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/faqsite"
	"faqbot/knowledge/people"
	"faqbot/retrieval"
)

// demoFAQ is the FAQ of a made-up partner program, written for this.
//
//go:embed demo/faq.jsonl
var demoFAQ []byte

const (
	demoAffiliate knowledge.AffiliateID = "harbour-lane"
	demoAccount   string                = "demo"
	demoPassword  string                = "harbour-lane-demo"
)

// demoCommand runs a service that a newcomer can try at once.
type demoCommand struct {
	Listen string `default:"127.0.0.1:8080" help:"Where to serve; another port if this one is taken." placeholder:"ADDRESS"`
	Fresh  bool   `help:"Forget everything and start anew."`
	Data   string `help:"The demo's database; by default one in your cache folder." placeholder:"FILE" type:"path"`
}

func (cmd demoCommand) Run(ctx context.Context, term terminal) error {
	path, err := cmd.database()
	if err != nil {
		return err
	}
	c := config{}
	c.Server.Listen, c.Database.DSN = cmd.Listen, secret(path)
	c.Accounts = []network.Settings{{Channel: "webchat", ID: demoAccount, Name: "Harbour Lane partners", Locale: "en", Affiliates: []string{string(demoAffiliate)}}}
	if err := c.complete(); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Server.Listen)
	if err != nil {
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	c.Server.Listen = listener.Addr().String()
	d := &demo{database: path}
	log := newLogger(term.err)
	s, err := newService(ctx, c, log, d)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := d.fill(ctx, s); err != nil {
		return errors.Join(err, listener.Close(), s.close())
	}
	fmt.Fprintf(term.out, "\nThe demo is at  http://%s\n\nOpen it in a browser. Ctrl-C stops it.\n\n", c.Server.Listen)
	return errors.Join(s.runUntil(ctx, listener), s.close())
}

// database is the path of the demo's own database, emptied if asked to.
func (cmd demoCommand) database() (string, error) {
	path := cmd.Data
	if path == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			cache = os.TempDir()
		}
		path = filepath.Join(cache, "faqbot", "demo.db")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make the demo's folder: %w", err)
	}
	if !cmd.Fresh {
		return path, nil
	}
	unlock, err := lockFile(path + ".lock")
	if err != nil {
		return "", fmt.Errorf("a demo runs on %s: stop it first: %w", path, err)
	}
	if err := unlock(); err != nil {
		return "", err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("forget the demo's data: %w", err)
		}
	}
	return path, nil
}

// A demo is what the start page of the demo shows.
type demo struct{ database string }

// A demoStart is the demo's part of the start page.
type demoStart struct {
	Entries                 int
	Chat, FAQ, Database     string
	Admin, Agent, Affiliate demoPerson
}

// A demoPerson is somebody as whom a visitor may sign in; Words is the key of what the button says.
type demoPerson struct{ Name, Password, Next, Words string }

func (d *demo) start(s *retrieval.Searcher) demoStart {
	return demoStart{Entries: len(s.Entries([]knowledge.AffiliateID{demoAffiliate})), Chat: "/chat/" + demoAccount, FAQ: faqsite.At(demoAffiliate, ""), Database: d.database,
		Admin:     demoPerson{"ada", demoPassword, "/people", "demo_as_admin"},
		Agent:     demoPerson{"ann", demoPassword, "/desk", "demo_as_agent"},
		Affiliate: demoPerson{"hal", demoPassword, "/partners", "demo_as_affiliate"}}
}

// fill publishes the FAQ, for everybody to read, and makes the accounts, unless that was done before.
func (d *demo) fill(ctx context.Context, s *service) error {
	if err := s.corpus.EnsureAffiliate(ctx, demoAffiliate); err != nil {
		return err
	}
	_, revision, err := s.corpus.Published(ctx, demoAffiliate)
	if err == nil && revision == 0 {
		err = publishDemo(ctx, s)
	}
	if err != nil {
		return fmt.Errorf("publish the demo's FAQ: %w", err)
	}
	if saved, err := s.brands.Latest(ctx, demoAffiliate); err != nil {
		return err
	} else if saved.Version == 0 {
		if err := s.brands.Save(ctx, demoAffiliate, brand.Brand{Name: "Harbour Lane", SaysLinks: true, PublicFAQ: true, Color: "#1d5b8f"}, "demo", 0); err != nil {
			return err
		}
	}
	for name, role := range map[string]people.Role{"ada": people.RoleAdmin, "ann": people.RoleAgent, "hal": people.RoleAffiliate} {
		n := people.Newcomer{Name: name, Role: role, Affiliates: []knowledge.AffiliateID{demoAffiliate}}
		if role == people.RoleAdmin {
			n.Affiliates = []knowledge.AffiliateID{knowledge.Everyone}
		}
		if err := addDemoPerson(ctx, s.directory, n); err != nil {
			return fmt.Errorf("add %s: %w", name, err)
		}
	}
	return nil
}

func publishDemo(ctx context.Context, s *service) error {
	rows, problems := faqfile.Parse("faq.jsonl", demoFAQ, faqfile.Options{})
	u, err := s.corpus.Preview(ctx, knowledge.Upload{Affiliate: demoAffiliate, File: "faq.jsonl", Digest: knowledge.Digest(demoFAQ), By: "demo", Problems: problems}, rows)
	if err != nil {
		return err
	}
	var entries []knowledge.Entry
	for _, r := range rows {
		entries = append(entries, r.Entry)
	}
	if err := s.prepare(ctx, entries); err != nil {
		return err
	}
	_, err = s.corpus.Publish(ctx, u.ID, "demo")
	return err
}

// addDemoPerson makes an account whose password everybody knows.
func addDemoPerson(ctx context.Context, directory *people.Directory, n people.Newcomer) error {
	p, err := directory.Add(ctx, people.Operator, n)
	if errors.Is(err, people.ErrTaken) {
		return nil
	}
	if err != nil {
		return err
	}
	token, err := directory.Reset(ctx, people.Operator, p.ID)
	if err != nil {
		return err
	}
	_, err = directory.Redeem(ctx, token, demoPassword)
	return err
}
