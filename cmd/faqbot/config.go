package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"faqbot/bot/accounts"
	"faqbot/bot/dialogue"
	"faqbot/bot/network"
	"faqbot/knowledge"
	"faqbot/knowledge/mail"
	"faqbot/knowledge/sqldb"
)

// config is faqbot.toml. Every zero value is useful: without a file the service runs.
type config struct {
	Server struct {
		Listen    string `toml:"listen"`
		PublicURL string `toml:"public_url"` // where the world reaches us, without a path: "https://bot.example.com"

		Certificate    string   `toml:"certificate"` // PEM files of our own certificate
		CertificateKey string   `toml:"certificate_key"`
		TrustedProxies []string `toml:"trusted_proxies"` // whose word about a client's address we take

		KeyFile string `toml:"key_file"` // where the key of added accounts' secrets is, or "env:NAME"
	} `toml:"server"`
	Database struct {
		DSN  secret `toml:"dsn"`  // a SQLite file, or postgres://…
		Pool int    `toml:"pool"` // how many connections; 0 is sqldb.DefaultMaxConns
	} `toml:"database"`
	Answers struct {
		AnswerAt float64 `toml:"answer_at"` // the probability from which an entry is given as the answer; 0 is dialogue.DefaultPolicy's
	} `toml:"answers"`
	Retention  retentionConfig `toml:"retention"`
	Embeddings serviceConfig   `toml:"embeddings"` // used beside the built-in encoder
	Speech     serviceConfig   `toml:"speech"`     // turns voice notes into words
	Mail       mailConfig      `toml:"mail"`
	Import     struct {
		PrivateHosts []string `toml:"private_hosts"` // "wiki.example:8080": FAQ pages are read there although it is private
	} `toml:"import"`
	Accounts []network.Settings `toml:"account"`

	path string // where it was read from, "" if nowhere
}

// retentionConfig says how many days customers' words, names and files are kept.
type retentionConfig struct {
	Days       int            `toml:"days"`       // 0 is keepDays
	Affiliates map[string]int `toml:"affiliates"` // where it is another number
}

// keepDays is how many days are kept unless the configuration says otherwise; maxKeepDays is ten years.
const (
	keepDays    = 180
	maxKeepDays = 3650
)

func (r *retentionConfig) complete() error {
	if r.Days == 0 {
		r.Days = keepDays
	}
	for name, days := range r.Affiliates {
		if days < 1 || days > maxKeepDays {
			return fmt.Errorf("affiliates: %s = %d: write a number of days from 1 to %d", name, days, maxKeepDays)
		}
	}
	if r.Days < 1 || r.Days > maxKeepDays {
		return fmt.Errorf("days = %d: write a number from 1 to %d, or leave it out for %d", r.Days, maxKeepDays, keepDays)
	}
	return nil
}

// keep is how long an affiliate's customers' words are kept.
func (c config) keep(a knowledge.AffiliateID) time.Duration {
	days, ok := c.Retention.Affiliates[string(a)]
	if !ok {
		days = c.Retention.Days
	}
	return time.Duration(days) * 24 * time.Hour
}

// mailConfig names the servers that carry mail. Without smtp none is sent.
type mailConfig struct {
	SMTP         string `toml:"smtp"`
	SMTPSecurity string `toml:"smtp_security"`
	User         string `toml:"user"`
	Password     secret `toml:"password"`
	From         string `toml:"from"`
	IMAP         string `toml:"imap"`
	IMAPSecurity string `toml:"imap_security"`
	IMAPUser     string `toml:"imap_user"`
	IMAPPassword secret `toml:"imap_password"`
}

// settings are m as the package mail has it, with what was left out filled in.
func (m mailConfig) settings() (mail.Settings, error) {
	s := mail.Settings{SMTP: m.SMTP, Security: m.SMTPSecurity, User: m.User, Password: string(m.Password), From: m.From,
		IMAP: m.IMAP, IMAPSecurity: m.IMAPSecurity, IMAPUser: m.IMAPUser, IMAPPassword: string(m.IMAPPassword)}
	return s, s.Complete()
}

// serviceConfig names a model of a service that speaks OpenAI's protocol.
type serviceConfig struct {
	BaseURL string `toml:"base_url"`
	Model   string `toml:"model"`
	Key     secret `toml:"key"`
}

// A secret is a value that is never printed: "env:NAME", "file:PATH" or the value itself.
type secret = network.Secret

// defaultConfigFile is read if it is there and no other file is named.
const defaultConfigFile = "faqbot.toml"

// loadConfig reads and checks the configuration. path "" means the default file, or none.
func loadConfig(path string) (config, error) {
	var c config
	name := path
	if name == "" {
		name = defaultConfigFile
	}
	data, err := os.ReadFile(name)
	switch {
	case err == nil:
		c.path = name
		if err := parseConfig(data, &c); err != nil {
			return c, fmt.Errorf("%s: %w", name, err)
		}
	case path != "" || !errors.Is(err, fs.ErrNotExist):
		return c, fmt.Errorf("read the configuration: %w", err)
	}
	if err := c.complete(); err != nil {
		return c, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// parseConfig decodes strictly: a key that means nothing is an error, since it is a misspelt one.
func parseConfig(data []byte, c *config) error {
	data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(c)
	if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var keys []string
		for _, e := range unknown.Errors {
			row, _ := e.Position()
			keys = append(keys, fmt.Sprintf("%q in line %d", strings.Join(e.Key(), "."), row))
		}
		return fmt.Errorf("unknown key %s: remove it or correct its spelling", strings.Join(keys, ", "))
	}
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := bad.Position()
		return fmt.Errorf("line %d, column %d: %s", row, column, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return err
}

// The loops of a service use some connections at the same time as pages do; more than maxPool are more than
// a Postgres takes unless it is told to.
const (
	minPool = 4
	maxPool = 500
)

// complete fills in defaults, resolves secrets and checks what can be checked without a network.
func (c *config) complete() error {
	if c.Server.Listen == "" {
		c.Server.Listen = "127.0.0.1:8080"
	}
	if _, _, err := net.SplitHostPort(c.Server.Listen); err != nil {
		return fmt.Errorf("[server] listen = %q: write it as \"127.0.0.1:8080\" or \":8080\"", c.Server.Listen)
	}
	if c.Server.PublicURL != "" {
		if err := checkURL(c.Server.PublicURL); err != nil {
			return fmt.Errorf("[server] public_url: %w", err)
		}
		c.Server.PublicURL = strings.TrimRight(c.Server.PublicURL, "/")
	}
	if err := c.checkHTTPS(); err != nil {
		return fmt.Errorf("[server] %w", err)
	}
	dir := filepath.Dir(c.path)
	var err error
	if c.Database.DSN, err = c.Database.DSN.Resolve(dir); err != nil {
		return fmt.Errorf("[database] dsn: %w", err)
	}
	if c.Database.DSN == "" {
		c.Database.DSN = "./faqbot.db"
	}
	if p := c.Database.Pool; p != 0 && (p < minPool || p > maxPool) {
		return fmt.Errorf("[database] pool = %d: write a number from %d to %d, or leave it out for %d", p, minPool, maxPool, sqldb.DefaultMaxConns(string(c.Database.DSN)))
	}
	if c.Database.Pool == 0 {
		c.Database.Pool = sqldb.DefaultMaxConns(string(c.Database.DSN))
	}
	if at := c.Answers.AnswerAt; at != 0 && (at < minAnswerAt || at >= 1) {
		return fmt.Errorf("[answers] answer_at = %g: write a probability from %g to .99, as faqbot eval fit says, or leave it out for %g", at, minAnswerAt, dialogue.DefaultPolicy().AnswerAt)
	}
	if err := c.Retention.complete(); err != nil {
		return fmt.Errorf("[retention] %w", err)
	}
	if err := c.Embeddings.complete(dir); err != nil {
		return fmt.Errorf("[embeddings] %w", err)
	}
	if err := c.Speech.complete(dir); err != nil {
		return fmt.Errorf("[speech] %w", err)
	}
	if err := c.completeMail(dir); err != nil {
		return fmt.Errorf("[mail] %w", err)
	}
	for _, host := range c.Import.PrivateHosts {
		if _, port, err := net.SplitHostPort(host); err != nil || port == "" {
			return fmt.Errorf("[import] private_hosts: write %q with its port, as \"wiki.example:8080\"", host)
		}
	}
	return c.completeAccounts(dir)
}

func (c *config) completeAccounts(dir string) error {
	seen := map[string]bool{}
	for i := range c.Accounts {
		a := &c.Accounts[i]
		if err := accounts.Complete(a, dir); err != nil {
			return fmt.Errorf("[[account]] number %d (%s): %w", i+1, a.Key(), err)
		}
		if seen[a.Key()] {
			return fmt.Errorf("[[account]] number %d: there is a %s already", i+1, a.Key())
		}
		seen[a.Key()] = true
	}
	return nil
}

func (c *config) completeMail(dir string) (err error) {
	if c.Mail.Password, err = c.Mail.Password.Resolve(dir); err != nil {
		return fmt.Errorf("password: %w", err)
	}
	if c.Mail.IMAPPassword, err = c.Mail.IMAPPassword.Resolve(dir); err != nil {
		return fmt.Errorf("imap_password: %w", err)
	}
	settings, err := c.Mail.settings()
	if err == nil && settings.On() && c.Server.PublicURL == "" {
		err = errors.New(`needs [server] public_url: mails have links to the service`)
	}
	return err
}

// minAnswerAt is the least probability that a wrong answer may be risked for: below it most answers are wrong.
const minAnswerAt = .3

// policy is when the bot answers, asks back and calls a person.
func (c config) policy() dialogue.Policy {
	p := dialogue.DefaultPolicy()
	if c.Answers.AnswerAt > 0 {
		p.AnswerAt = c.Answers.AnswerAt
	}
	return p
}

func (e *serviceConfig) complete(dir string) (err error) {
	if e.BaseURL == "" && e.Model == "" && e.Key == "" {
		return nil
	}
	if e.BaseURL == "" {
		e.BaseURL = "https://api.openai.com/v1"
	}
	if err := checkURL(e.BaseURL); err != nil {
		return fmt.Errorf("base_url: %w", err)
	}
	if e.Model == "" {
		return errors.New(`model is missing: name one of the service's models`)
	}
	if e.Key, err = e.Key.Resolve(dir); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	return nil
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is not an address like https://bot.example.com", s)
	}
	return nil
}

// keyFile is where the key of added accounts' secrets is: beside the database, outside of it.
func (c config) keyFile() string {
	switch dsn := string(c.Database.DSN); {
	case strings.HasPrefix(c.Server.KeyFile, "env:"):
		return c.Server.KeyFile
	case c.Server.KeyFile != "":
		return c.beside(c.Server.KeyFile)
	case sqldb.IsPostgres(dsn):
		return c.beside("faqbot.key")
	default:
		return dsn + ".key"
	}
}
