// Package setup sets accounts up and looks after them: what an account's settings are and the channel
// made of them, adding one with its token verified and its webhook set, serving accounts that come and
// go while the service runs, and telling what is wrong with each and how to mend it.
//
// It knows the networks by name, so that the packages around it need not. It reads no flags and shows no
// pages; package board does.
package setup

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/bot/messenger"
	"faqbot/bot/telegram"
	"faqbot/bot/whatsapp"
	"faqbot/knowledge"
)

// A Secret is a value that is never printed. Written down it is "env:NAME", "file:PATH" or the value
// itself.
type Secret string

// String hides the value.
func (s Secret) String() string {
	if s == "" {
		return "(none)"
	}
	return "(hidden)"
}

// GoString hides the value, too.
func (s Secret) GoString() string { return s.String() }

// Resolve replaces a reference by what it refers to; a relative PATH is in dir.
func (s Secret) Resolve(dir string) (Secret, error) {
	if name, ok := strings.CutPrefix(string(s), "env:"); ok {
		value := os.Getenv(name)
		if value == "" {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		return Secret(value), nil
	}
	if path, ok := strings.CutPrefix(string(s), "file:"); ok {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		value, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read the secret: %w", err)
		}
		return Secret(strings.TrimSpace(string(value))), nil
	}
	return s, nil
}

// Settings are those of one of our bots, pages or numbers, as a file has them or a person entered them.
// Secrets are never part of their JSON.
type Settings struct {
	Channel     string   `toml:"channel" json:"channel"`
	ID          string   `toml:"id" json:"id"`
	Token       Secret   `toml:"token" json:"-"`
	Secret      Secret   `toml:"secret" json:"-"`
	VerifyToken Secret   `toml:"verify_token" json:"-"`
	NumberID    string   `toml:"number_id" json:"number_id,omitempty"`     // whatsapp: the phone number's ID
	BusinessID  string   `toml:"business_id" json:"business_id,omitempty"` // whatsapp: the business account's ID
	PageID      string   `toml:"page_id" json:"page_id,omitempty"`         // messenger: the page's ID; instagram: the Instagram account's
	AppID       string   `toml:"app_id" json:"app_id,omitempty"`           // whatsapp, messenger, instagram: our app's
	APIBase     string   `toml:"api_base" json:"api_base,omitempty"`
	APIVersion  string   `toml:"api_version" json:"api_version,omitempty"` // of Meta's Graph API
	Mode        string   `toml:"mode" json:"mode,omitempty"`               // telegram: ModeWebhook or ModePoll
	Locale      string   `toml:"locale" json:"locale,omitempty"`
	Affiliates  []string `toml:"affiliates" json:"affiliates,omitempty"`
	Origins     []string `toml:"origins" json:"-"` // webchat: sites that may embed the widget
	Name        string   `toml:"name" json:"-"`    // webchat: what the widget calls itself
	Welcome     string   `toml:"welcome" json:"-"` // webchat: its first words
}

// Modes of a Telegram account.
const (
	ModeWebhook = "webhook"
	ModePoll    = "poll"
)

// Networks are the channels of which accounts can be added.
func Networks() []string { return []string{"telegram", "whatsapp", "messenger", "instagram"} }

// Key is the account's bot.AccountKey.
func (s Settings) Key() string { return bot.AccountKey(s.Channel, s.ID) }

// Account is what bot knows of the account.
func (s Settings) Account() bot.Account {
	account := bot.Account{Channel: s.Channel, ID: s.ID, Locale: s.Locale}
	for _, name := range s.Affiliates {
		account.Affiliates = append(account.Affiliates, knowledge.AffiliateID(name))
	}
	return account
}

// A FieldError is a setting that will not do.
type FieldError struct {
	Field string // as the file names it: "number_id"
	Text  string // what is wrong and what to do
}

func (e *FieldError) Error() string { return e.Text }

func fieldError(field, format string, args ...any) error {
	return &FieldError{Field: field, Text: fmt.Sprintf(format, args...)}
}

// Complete resolves secrets that are references, fills in what may be left out, and checks what can be
// checked without a network. dir is where relative paths begin. What is wrong with a value is a
// *FieldError.
func (s *Settings) Complete(dir string) error {
	channels := append(Networks(), "webchat")
	if !slices.Contains(channels, s.Channel) {
		return fieldError("channel", "channel = %q: use one of %s", s.Channel, strings.Join(channels, ", "))
	}
	if !regexp.MustCompile(`^[A-Za-z0-9._~:@-]{1,100}$`).MatchString(s.ID) {
		return fieldError("id", "id = %q: use 1 to 100 letters, digits and . _ ~ : @ -; it is part of the webhook's path", s.ID)
	}
	for _, f := range []struct {
		name  string
		value *Secret
	}{{"token", &s.Token}, {"secret", &s.Secret}, {"verify_token", &s.VerifyToken}} {
		value, err := f.value.Resolve(dir)
		if err != nil {
			return fieldError(f.name, "%s: %v", f.name, err)
		}
		*f.value = value
	}
	if s.APIBase != "" {
		u, err := url.Parse(s.APIBase)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fieldError("api_base", "api_base: %q is not an address like https://bot.example.com", s.APIBase)
		}
		s.APIBase = strings.TrimRight(s.APIBase, "/")
	}
	switch s.Channel {
	case "webchat": // the widget is ours: no network to call or be called by
		return nil
	case "telegram":
		return s.completeTelegram()
	}
	return s.completeMeta()
}

// completeMeta checks what WhatsApp, Messenger and Instagram need to work at all. Their packages check
// the rest.
func (s *Settings) completeMeta() error {
	guide := Guide(s.Channel)
	for _, f := range []struct {
		name  string
		value Secret
		what  string
	}{
		{"token", s.Token, "it sends in the account's name"},
		{"secret", s.Secret, "the app's secret is how we know that Meta is calling"},
		{"verify_token", s.VerifyToken, "choose any text and enter the same in the app's webhook settings"},
	} {
		if f.value == "" {
			return fieldError(f.name, "%s is missing: %s; see %s", f.name, f.what, guide)
		}
	}
	switch {
	case s.Mode != "" && s.Mode != ModeWebhook:
		return fieldError("mode", "mode = %q: Meta only calls webhooks; leave it out", s.Mode)
	case s.Channel == "whatsapp" && s.NumberID == "":
		return fieldError("number_id", "number_id is missing: it stands beside the phone number in the app's API setup; see %s", guide)
	case s.Channel != "whatsapp" && s.PageID == "":
		return fieldError("page_id", "page_id is missing: the page's or Instagram account's ID; see %s", guide)
	}
	return nil
}

func (s *Settings) completeTelegram() error {
	if s.Mode == "" {
		s.Mode = ModeWebhook
	}
	switch {
	case s.Mode != ModeWebhook && s.Mode != ModePoll:
		return fieldError("mode", "mode = %q: use \"webhook\" or \"poll\"", s.Mode)
	case s.Token == "":
		return fieldError("token", "token is missing: @BotFather gives it to you")
	case s.Mode == ModeWebhook && !regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`).MatchString(string(s.Secret)):
		return fieldError("secret", "secret is missing or malformed: in webhook mode it is how we know that Telegram is calling; choose 1 to 256 letters, digits, _ and -")
	}
	return nil
}

// Guide is the file that says how to set an account of a channel up.
func Guide(channel string) string {
	if channel == "instagram" {
		channel = "messenger"
	}
	return "bot/" + channel + "/SETUP.md"
}

// GuideText is what stands in it, "" if the channel has none.
func GuideText(channel string) string {
	switch channel {
	case "telegram":
		return telegram.Setup
	case "whatsapp":
		return whatsapp.Setup
	case "messenger", "instagram":
		return messenger.Setup
	}
	return ""
}

// Open is the channel of an account on one of Networks. It calls nobody.
func Open(s Settings, o Options) (bot.Channel, error) {
	secrets := strings.Fields(string(s.Secret))
	switch s.Channel {
	case "telegram":
		return telegram.New(s.Account(), telegram.Options{Token: string(s.Token), Secret: string(s.Secret), APIBase: s.APIBase, Files: o.Files, Log: o.Log})
	case "whatsapp":
		return whatsapp.New(s.Account(), whatsapp.Options{Number: s.NumberID, Business: s.BusinessID, App: s.AppID, Token: string(s.Token),
			Secrets: secrets, VerifyToken: string(s.VerifyToken), APIBase: s.APIBase, APIVersion: s.APIVersion, Files: o.Files, Log: o.Log})
	case "messenger", "instagram":
		return messenger.New(s.Account(), messenger.Options{Page: s.PageID, App: s.AppID, Token: string(s.Token),
			Secrets: secrets, VerifyToken: string(s.VerifyToken), APIBase: s.APIBase, APIVersion: s.APIVersion, Files: o.Files, Log: o.Log})
	}
	return nil, errors.New("accounts of " + s.Channel + " are not opened here")
}
