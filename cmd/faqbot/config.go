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
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"faqbot/bot"
	"faqbot/knowledge"
)

// config is faqbot.toml. Every zero value is useful: without a file the service runs.
type config struct {
	Server struct {
		Listen    string `toml:"listen"`
		PublicURL string `toml:"public_url"` // where the world reaches us, without a path: "https://bot.example.com"

		Certificate    string   `toml:"certificate"` // PEM files of our own certificate
		CertificateKey string   `toml:"certificate_key"`
		TrustedProxies []string `toml:"trusted_proxies"` // whose word about a client's address we take
	} `toml:"server"`
	Database struct {
		DSN secret `toml:"dsn"` // a SQLite file, or postgres://…
	} `toml:"database"`
	Embeddings serviceConfig   `toml:"embeddings"` // used beside the built-in encoder
	Speech     serviceConfig   `toml:"speech"`     // turns voice notes into words
	Accounts   []accountConfig `toml:"account"`

	path string // where it was read from, "" if nowhere
}

// serviceConfig names a model of a service that speaks OpenAI's protocol.
type serviceConfig struct {
	BaseURL string `toml:"base_url"`
	Model   string `toml:"model"`
	Key     secret `toml:"key"`
}

// accountConfig is one of our bots, pages or numbers.
type accountConfig struct {
	Channel     string   `toml:"channel"`
	ID          string   `toml:"id"`
	Token       secret   `toml:"token"`
	Secret      secret   `toml:"secret"`
	VerifyToken secret   `toml:"verify_token"`
	NumberID    string   `toml:"number_id"`   // whatsapp: the phone number's ID
	BusinessID  string   `toml:"business_id"` // whatsapp: the business account's ID
	PageID      string   `toml:"page_id"`     // messenger: the page's ID; instagram: the Instagram account's
	AppID       string   `toml:"app_id"`      // messenger, instagram: our app's
	APIBase     string   `toml:"api_base"`
	APIVersion  string   `toml:"api_version"` // of Meta's Graph API
	Mode        string   `toml:"mode"`
	Locale      string   `toml:"locale"`
	Affiliates  []string `toml:"affiliates"`
	Origins     []string `toml:"origins"` // webchat: sites that may embed the widget
	Name        string   `toml:"name"`    // webchat: what the widget calls itself
	Welcome     string   `toml:"welcome"` // webchat: its first words
}

const (
	modeWebhook = "webhook"
	modePoll    = "poll"
)

// A secret is a value that is never printed. In the file it is "env:NAME", "file:PATH" or the value
// itself.
type secret string

// String hides the value.
func (s secret) String() string {
	if s == "" {
		return "(none)"
	}
	return "(hidden)"
}

// resolve replaces a reference by what it refers to; a relative PATH is beside the configuration.
func (s secret) resolve(dir string) (secret, error) {
	if name, ok := strings.CutPrefix(string(s), "env:"); ok {
		value := os.Getenv(name)
		if value == "" {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		return secret(value), nil
	}
	if path, ok := strings.CutPrefix(string(s), "file:"); ok {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		value, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read the secret: %w", err)
		}
		return secret(strings.TrimSpace(string(value))), nil
	}
	return s, nil
}

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
		return fmt.Errorf("unknown key %s: remove it or mend its spelling", strings.Join(keys, ", "))
	}
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := bad.Position()
		return fmt.Errorf("line %d, column %d: %s", row, column, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return err
}

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
	if c.Database.DSN, err = c.Database.DSN.resolve(dir); err != nil {
		return fmt.Errorf("[database] dsn: %w", err)
	}
	if c.Database.DSN == "" {
		c.Database.DSN = "./faqbot.db"
	}
	if err := c.Embeddings.complete(dir); err != nil {
		return fmt.Errorf("[embeddings] %w", err)
	}
	if err := c.Speech.complete(dir); err != nil {
		return fmt.Errorf("[speech] %w", err)
	}
	seen := map[string]bool{}
	for i := range c.Accounts {
		a := &c.Accounts[i]
		if err := a.complete(dir); err != nil {
			return fmt.Errorf("[[account]] number %d (%s): %w", i+1, bot.AccountKey(a.Channel, a.ID), err)
		}
		if key := bot.AccountKey(a.Channel, a.ID); seen[key] {
			return fmt.Errorf("[[account]] number %d: there is a %s already", i+1, key)
		} else {
			seen[key] = true
		}
	}
	return nil
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
	if e.Key, err = e.Key.resolve(dir); err != nil {
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

func (a *accountConfig) complete(dir string) error {
	channels := []string{"telegram", "whatsapp", "messenger", "instagram", "webchat"}
	if !slices.Contains(channels, a.Channel) {
		return fmt.Errorf("channel = %q: use one of %s", a.Channel, strings.Join(channels, ", "))
	}
	if !regexp.MustCompile(`^[A-Za-z0-9._~:@-]{1,100}$`).MatchString(a.ID) {
		return fmt.Errorf("id = %q: use 1 to 100 letters, digits and . _ ~ : @ -; it is part of the webhook's path", a.ID)
	}
	for _, s := range []struct {
		name  string
		value *secret
	}{{"token", &a.Token}, {"secret", &a.Secret}, {"verify_token", &a.VerifyToken}} {
		value, err := s.value.resolve(dir)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		*s.value = value
	}
	if a.APIBase != "" {
		if err := checkURL(a.APIBase); err != nil {
			return fmt.Errorf("api_base: %w", err)
		}
		a.APIBase = strings.TrimRight(a.APIBase, "/")
	}
	switch a.Channel {
	case "webchat": // the widget is ours: no network to call or be called by
		return nil
	case "telegram":
		return a.completeTelegram()
	}
	return a.completeMeta()
}

// completeMeta checks what WhatsApp, Messenger and Instagram need to work at all. Their packages check
// the rest.
func (a *accountConfig) completeMeta() error {
	setup := "bot/messenger/SETUP.md"
	if a.Channel == "whatsapp" {
		setup = "bot/whatsapp/SETUP.md"
	}
	for _, s := range []struct{ name, value, what string }{
		{"token", string(a.Token), "it sends in the account's name"},
		{"secret", string(a.Secret), "the app's secret is how we know that Meta is calling"},
		{"verify_token", string(a.VerifyToken), "choose any text and enter the same in the app's webhook settings"},
	} {
		if s.value == "" {
			return fmt.Errorf("%s is missing: %s; see %s", s.name, s.what, setup)
		}
	}
	switch {
	case a.Mode != "" && a.Mode != modeWebhook:
		return fmt.Errorf("mode = %q: Meta only calls webhooks; leave it out", a.Mode)
	case a.Channel == "whatsapp" && a.NumberID == "":
		return fmt.Errorf("number_id is missing: it stands beside the phone number in the app's API setup; see %s", setup)
	case a.Channel != "whatsapp" && a.PageID == "":
		return fmt.Errorf("page_id is missing: the page's or Instagram account's ID; see %s", setup)
	}
	return nil
}

func (a *accountConfig) completeTelegram() error {
	if a.Mode == "" {
		a.Mode = modeWebhook
	}
	switch {
	case a.Mode != modeWebhook && a.Mode != modePoll:
		return fmt.Errorf("mode = %q: use \"webhook\" or \"poll\"", a.Mode)
	case a.Token == "":
		return errors.New("token is missing: @BotFather gives it to you")
	case a.Mode == modeWebhook && !regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`).MatchString(string(a.Secret)):
		return errors.New("secret is missing or malformed: in webhook mode it is how we know that Telegram is calling; choose 1 to 256 letters, digits, _ and -")
	}
	return nil
}

// account is a as bot knows it.
func (a *accountConfig) account() bot.Account {
	account := bot.Account{Channel: a.Channel, ID: a.ID, Locale: a.Locale}
	for _, name := range a.Affiliates {
		account.Affiliates = append(account.Affiliates, knowledge.AffiliateID(name))
	}
	return account
}
