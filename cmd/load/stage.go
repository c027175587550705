package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"faqbot/bot/graphapi/graphtest"
	"faqbot/bot/store"
	"faqbot/knowledge/sqldb"
)

//go:embed faq.csv
var faq []byte

const (
	affiliate = "acme"
	number    = "4001"
	business  = "4002"
	token     = "EAAload"
	appSecret = "app-secret-of-load"
	hookPath  = "/hooks/whatsapp/shop"
	// drainWithin is how long the service may take to work off what it has accepted.
	drainWithin = 5 * time.Minute
)

// A stage is the service, the bare handler, and the fake Graph API between the service and customers.
type stage struct {
	o         options
	questions []string
	fake      *graphtest.Server
	account   *graphtest.Account
	service   *program
	bare      *program
	db        *sqldb.DB
	dropDB    func() error
	accepted  int // messages that the service answered with 200 to this program itself
}

func newStage(ctx context.Context, o options) (_ *stage, err error) {
	s := &stage{o: o, fake: graphtest.New(), dropDB: func() error { return nil }}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	table, err := csv.NewReader(bytes.NewReader(faq)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the FAQ: %w", err)
	}
	for _, line := range table[1:] {
		s.questions = append(s.questions, line[0])
	}
	if err := s.fake.Start(); err != nil {
		return nil, err
	}
	s.account = s.fake.Add(graphtest.AccountOptions{Kind: graphtest.WhatsApp, ID: number, Business: business, Token: token, Secret: appSecret})
	dsn, err := s.database(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.publish(ctx, dsn); err != nil {
		return nil, err
	}
	if s.service, err = start(ctx, o.binary, "--config", s.config(), "serve"); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if s.bare, err = start(ctx, self, bareHandler); err != nil {
		return nil, err
	}
	s.account.Hook("http://" + s.service.address + hookPath) // it posts until close
	s.db, err = sqldb.Open(ctx, dsn)
	return s, err
}

func (s *stage) config() string { return filepath.Join(s.o.dir, "faqbot.toml") }

// publish writes the configuration and publishes the FAQ.
func (s *stage) publish(ctx context.Context, dsn string) error {
	config := fmt.Sprintf(`[server]
listen = "127.0.0.1:0"
[database]
dsn = %q
[[account]]
channel = "whatsapp"
id = "shop"
number_id = %q
business_id = %q
token = %q
secret = %q
verify_token = "v"
api_base = %q
locale = "en"
affiliates = [%q]
`, dsn, number, business, token, appSecret, s.fake.URL(), affiliate)
	file := filepath.Join(s.o.dir, "faq.csv")
	if err := errors.Join(os.WriteFile(s.config(), []byte(config), 0o600), os.WriteFile(file, faq, 0o600)); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	said, err := exec.CommandContext(ctx, s.o.binary, "--config", s.config(), "import", file, "--affiliate", affiliate, "--publish").CombinedOutput()
	if err != nil {
		return fmt.Errorf("publish the FAQ: %w: %s", err, said)
	}
	return nil
}

// database returns the DSN of a new database, which s.dropDB drops again.
func (s *stage) database(ctx context.Context) (string, error) {
	if s.o.db == dbSQLite {
		return filepath.Join(s.o.dir, "faqbot.db"), nil
	}
	u, err := url.Parse(s.o.postgres)
	if err != nil {
		return "", fmt.Errorf("the DSN in %s: %w", postgresEnv, err)
	}
	admin, err := sql.Open("pgx", s.o.postgres)
	if err != nil {
		return "", fmt.Errorf("open Postgres: %w", err)
	}
	var sync string
	if err := admin.QueryRowContext(ctx, `SHOW fsync`).Scan(&sync); err != nil || sync != "on" {
		return "", errors.Join(fmt.Errorf("fsync of Postgres is %q: figures of a server that promises nothing are worth nothing", sync), err, admin.Close())
	}
	name := "load_" + strings.ToLower(rand.Text())
	if _, err := admin.ExecContext(ctx, `CREATE DATABASE `+name); err != nil {
		return "", errors.Join(fmt.Errorf("make a database: %w", err), admin.Close())
	}
	s.dropDB = func() error {
		_, err := admin.ExecContext(context.WithoutCancel(ctx), `DROP DATABASE `+name+` WITH (FORCE)`)
		return errors.Join(err, admin.Close())
	}
	u.Path = "/" + name
	return u.String(), nil
}

func (s *stage) close() error {
	var err error
	for _, p := range []*program{s.service, s.bare} {
		if p != nil {
			err = errors.Join(err, p.stop())
		}
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	return errors.Join(err, s.fake.Close(), s.dropDB())
}

// drain waits until the service has worked off all that it accepted.
func (s *stage) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainWithin)
	defer cancel()
	for {
		b, err := store.ReadBacklog(ctx, s.db)
		if err != nil {
			return fmt.Errorf("wait until all is answered: %w", err)
		}
		n := b.Posts + b.Turns + b.Deliveries
		if n+s.account.Pending() == 0 {
			return nil
		}
		select {
		case <-s.service.died:
			return fmt.Errorf("the service ended: %w", s.service.err)
		case <-ctx.Done():
			return fmt.Errorf("%d things are not worked off after %s: %s", n, drainWithin, strings.Join(s.service.troubles(), "; "))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// lost compares what was accepted with what customers received.
func (s *stage) lost(ctx context.Context) (row, error) {
	if err := s.drain(ctx); err != nil {
		return row{}, err
	}
	said := s.accepted + len(s.account.Accepted())
	t, err := store.ReadTotals(ctx, s.db)
	if err != nil {
		return row{}, fmt.Errorf("look what was lost: %w", err)
	}
	arrived := map[string]bool{}
	for _, id := range s.account.Customers() {
		for _, m := range s.account.Sent(id) {
			arrived[m.Opaque] = true
		}
	}
	missing, doubled := t.Replies-len(arrived), s.account.SentCount()-len(arrived)
	return row{what: "lost or doubled", value: fmt.Sprintf("%d accepted, %d stored, %d neither answered nor passed to a person; %d answers, %d not sent, %d not arrived, %d twice",
		said, t.Messages, t.Silent, t.Replies, t.Unsent, missing, doubled), wanted: "none",
		met: said == t.Messages && said > 0 && t.Silent == 0 && t.Unsent == 0 && missing == 0 && doubled == 0}, nil
}
