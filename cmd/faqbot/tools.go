package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"faqbot/bot/accounts"
	"faqbot/bot/network"
	"faqbot/knowledge/sqldb"
	"faqbot/retrieval/encoder"
)

// version is the release; CHANGELOG.md says what is in it.
const version = "0.1.0"

// migrateCommand migrates the database.
type migrateCommand struct{}

func (migrateCommand) Run(ctx context.Context, cli *commands, term terminal) error {
	return withDB(ctx, cli, func(c config, db *sqldb.DB) error {
		if err := newKeyring(c, db).Reload(ctx); err != nil {
			return fmt.Errorf("the schema is this version's, but: %w", err)
		}
		fmt.Fprintln(term.out, "The database is at this version's schema.")
		return nil
	})
}

// checkCommand checks the configuration.
type checkCommand struct{}

func (checkCommand) Run(ctx context.Context, cli *commands, term terminal) error {
	c, err := loadConfig(cli.Config)
	if err != nil {
		return err
	}
	if _, err := newNetworks(c, accounts.Options{Log: newLogger(term.err)}); err != nil {
		return err
	}
	file := c.path
	if file == "" {
		file = "(none: defaults)"
	}
	fmt.Fprintf(term.out, "file        %s\nlisten      %s\npublic_url  %s\ndatabase    %s, pool %d\nkey         %s\n", file, c.Server.Listen, orNone(c.Server.PublicURL), describeDSN(string(c.Database.DSN)), c.Database.Pool, c.keyFile())
	if c.Answers.AnswerAt > 0 {
		fmt.Fprintf(term.out, "answers     from probability %g\n", c.Answers.AnswerAt)
	}
	if c.Embeddings.Model == "" {
		fmt.Fprintln(term.out, "embeddings  built-in encoder")
	} else {
		fmt.Fprintf(term.out, "embeddings  %s at %s, key %s; the built-in encoder where it fails\n", c.Embeddings.Model, c.Embeddings.BaseURL, c.Embeddings.Key)
	}
	if c.Speech.Model == "" {
		fmt.Fprintln(term.out, "speech      (none: voice notes are passed to a person)")
	} else {
		fmt.Fprintf(term.out, "speech      %s at %s, key %s\n", c.Speech.Model, c.Speech.BaseURL, c.Speech.Key)
	}
	if c.behindProxy() {
		fmt.Fprintln(term.out, "proxy       ! "+forwardedWords)
	}
	printAccounts(term.out, c)
	if _, err := os.Stat(string(c.Database.DSN)); errors.Is(err, fs.ErrNotExist) && !sqldb.IsPostgres(string(c.Database.DSN)) {
		fmt.Fprintln(term.out, "The configuration is good. The database will be made at the first start.")
		return nil
	}
	if loose := looseWords(c); loose != "" {
		fmt.Fprintln(term.out, "            ! "+loose)
	}
	db, err := openRaw(ctx, c)
	if err != nil {
		return fmt.Errorf("the database cannot be used: %w", err)
	}
	current, err := isCurrent(ctx, db)
	if err == nil && current {
		err = newKeyring(c, db).Check(ctx)
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	fmt.Fprintln(term.out, "The configuration is good and the database answers.")
	return db.Close()
}

func printAccounts(out io.Writer, c config) {
	for _, a := range c.Accounts {
		fmt.Fprintf(out, "account     %s  mode %s  affiliates %s  locale %s  api_base %s  token %s  secret %s\n",
			a.Key(), a.Mode, orNone(strings.Join(a.Affiliates, ", ")), orNone(a.Locale), orNone(a.APIBase), a.Token, a.Secret)
		if len(a.Affiliates) == 0 {
			fmt.Fprintln(out, `            ! it names no affiliates, so nobody's entries answer: set affiliates = ["NAME"]`)
		}
		n, _ := accounts.NetworkOf(a.Channel)
		switch needs := n.Open != nil && a.Mode != network.ModePoll && c.Server.PublicURL == ""; {
		case needs && n.Polls:
			fmt.Fprintln(out, "            ! [server] public_url is not set, so the webhook cannot be registered; set it, or mode = \"poll\"")
		case needs:
			fmt.Fprintln(out, "            ! [server] public_url is not set, so the network cannot post to us: set it")
		}
	}
}

// isCurrent reports whether the database has this version's schema.
func isCurrent(ctx context.Context, db *sqldb.DB) (bool, error) {
	known, err := sqldb.Known(schemas()...)
	if err != nil {
		return false, err
	}
	versions, err := db.Versions(ctx)
	return maps.Equal(known, versions), err
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// describeDSN shows a SQLite file's path; a Postgres DSN may hold a password.
func describeDSN(dsn string) string {
	if sqldb.IsPostgres(dsn) {
		return "Postgres (hidden)"
	}
	return "SQLite " + dsn
}

// versionCommand prints what runs.
type versionCommand struct{}

func (versionCommand) Run(term terminal) error {
	e, err := encoder.New()
	if err != nil {
		return err
	}
	revision := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	fmt.Fprintf(term.out, "faqbot %s (commit %s) %s/%s, encoder %s on %s\n", version, revision, runtime.GOOS, runtime.GOARCH, e.Space(), e.Kernel())
	return nil
}
