package network

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"faqbot/bot"
	"faqbot/knowledge"
)

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
	Mode        string   `toml:"mode" json:"mode,omitempty"`               // ModeWebhook or ModePoll
	Locale      string   `toml:"locale" json:"locale,omitempty"`
	Affiliates  []string `toml:"affiliates" json:"affiliates,omitempty"`
	Origins     []string `toml:"origins" json:"origins,omitempty"` // webchat: sites that may embed the widget
	Name        string   `toml:"name" json:"name,omitempty"`       // webchat: what the widget calls itself
	Welcome     string   `toml:"welcome" json:"welcome,omitempty"` // webchat: its first words

	// Of the web chat, chosen on its page alone.
	Color     string   `toml:"-" json:"color,omitempty"`     // "#0f766e"
	Position  string   `toml:"-" json:"position,omitempty"`  // left, right, "" where the page's text ends
	Suggested []string `toml:"-" json:"suggested,omitempty"` // questions to begin with
}

// Modes of an account: the network posts to us, or we ask it.
const (
	ModeWebhook = "webhook"
	ModePoll    = "poll"
)

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

// Wrong is a *FieldError about a field.
func Wrong(field, format string, args ...any) error {
	return &FieldError{Field: field, Text: fmt.Sprintf(format, args...)}
}

// Complete resolves secrets that are references and checks what all networks' settings have in common.
// dir is where relative paths begin. What is wrong with a value is a *FieldError.
func (s *Settings) Complete(dir string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9._~:@-]{1,100}$`).MatchString(s.ID) {
		return Wrong("id", "id = %q: use 1 to 100 letters, digits and . _ ~ : @ -; it is part of the webhook's path", s.ID)
	}
	for _, f := range []struct {
		name  string
		value *Secret
	}{{"token", &s.Token}, {"secret", &s.Secret}, {"verify_token", &s.VerifyToken}} {
		value, err := f.value.Resolve(dir)
		if err != nil {
			return Wrong(f.name, "%s: %v", f.name, err)
		}
		*f.value = value
	}
	if s.APIBase != "" {
		u, err := url.Parse(s.APIBase)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return Wrong("api_base", "api_base: %q is not an address like https://bot.example.com", s.APIBase)
		}
		s.APIBase = strings.TrimRight(s.APIBase, "/")
	}
	return nil
}

// Set sets a field by its name.
func (s *Settings) Set(name, value string) {
	value = strings.TrimSpace(value)
	switch name {
	case "id":
		s.ID = value
	case "token":
		s.Token = Secret(value)
	case "secret":
		s.Secret = Secret(value)
	case "verify_token":
		s.VerifyToken = Secret(value)
	case "number_id":
		s.NumberID = value
	case "business_id":
		s.BusinessID = value
	case "page_id":
		s.PageID = value
	case "app_id":
		s.AppID = value
	case "api_base":
		s.APIBase = value
	case "locale":
		s.Locale = value
	case "name":
		s.Name = value
	case "welcome":
		s.Welcome = value
	case "color":
		s.Color = value
	case "position":
		s.Position = value
	case "origins":
		s.Origins = lines(value)
	case "suggested":
		s.Suggested = lines(value)
	case "affiliates":
		s.Affiliates = nil
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				s.Affiliates = append(s.Affiliates, part)
			}
		}
	}
}

// Get is a field by its name, as Set takes it. Secrets are none.
func (s *Settings) Get(name string) string {
	return map[string]string{"id": s.ID, "affiliates": strings.Join(s.Affiliates, ", "), "locale": s.Locale, "number_id": s.NumberID,
		"business_id": s.BusinessID, "page_id": s.PageID, "app_id": s.AppID, "api_base": s.APIBase, "name": s.Name, "welcome": s.Welcome,
		"color": s.Color, "position": s.Position, "origins": strings.Join(s.Origins, "\n"), "suggested": strings.Join(s.Suggested, "\n")}[name]
}

// lines are the lines of a value that are not empty.
func lines(value string) (list []string) {
	for line := range strings.Lines(value) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}
