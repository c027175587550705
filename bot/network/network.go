// Package network is how a messaging network describes itself to the rest of the service: what it is
// called, what to ask about an account on it, and how a channel is made of an account. A network's
// package exports one Network for each, and bot/accounts lists them; nothing else knows a network by name.
//
// .github/CONTRIBUTING.md says how to add one.
//
// Decoders take the words first and set the rest aside: an unknown field costs that field, never the
// message. A send's error says what to do about it (bot.SendError); in doubt, nothing is sent twice.
package network

import (
	"context"
	"net/url"

	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/knowledge/media"
)

// A Network describes one messaging network.
type Network struct {
	Name  string // in addresses, settings and rows: "telegram"
	Label string // what people call it: "Telegram"
	Icon  string // one of knowledge/page's icons

	Limits bot.Limits // what a message can carry, as its channels say

	// The rest is for networks on which accounts are added and opened.

	Needs           string  // what adding an account takes, in a sentence
	Guide           string  // SETUP.md
	GuidePath       string  // where it is in the repository
	WebhookSection  string  // of Guide, about the webhook, as an anchor: "3-the-webhook"
	SettingsSection string  // of Guide, about faqbot's own settings
	Fields          []Field // what to ask a person who adds an account, in order
	Polls           bool    // accounts may be polled, where no webhook can reach us
	Templates       string  // how to get an approved template, in a sentence; "" if the network has none

	// Fill makes what a person who adds an account need not think of. public tells whether the network
	// can reach us. Nil: nothing.
	Fill func(s *Settings, public bool)
	// Complete checks what the network needs to work at all, without asking it, and fills in defaults.
	// What is wrong is a *FieldError.
	Complete func(s *Settings) error
	// Open returns the channel of an account. It calls nobody.
	Open func(s Settings, o Options) (bot.Channel, error)
	// Run keeps what Open returned registered, or polls, until ctx ends.
	Run func(ctx context.Context, c bot.Channel, s Settings, o RunOptions) error
	// OnPages is set if the chat stands on pages of affiliates' own.
	OnPages *OnPages
	// Proof is the query of a GET to our own webhook that an account of ours answers with 200 or 405; nil:
	// none is needed.
	Proof func(s Settings) url.Values
}

// OnPages is how a chat comes onto a page. home is where the world reaches us, without a path.
type OnPages struct {
	// Tag is the HTML that a page needs.
	Tag func(s Settings, home string) string
	// Find looks for the tag in the page at an address.
	Find func(s Settings, home, address string, html []byte) Finding
}

// A Finding is what a page has of a chat.
type Finding struct {
	Tag       bool   // the account's tag
	Elsewhere bool   // its tag, but of another faqbot
	Other     bool   // the tag of another account
	Manager   bool   // a tag manager, which may add the tag later
	Origin    string // the page's
	Allowed   bool   // the account's settings let the page show it
}

// Options are what a channel needs besides its account's settings.
type Options struct {
	Files Files // what files of ours are sent from; nil where nothing is sent
	Log   logrus.FieldLogger
}

// Files are the files that we keep; *media.Store is one.
type Files interface {
	Get(ctx context.Context, id string) (media.Blob, []byte, error)
}

// RunOptions are what Run needs of the service.
type RunOptions struct {
	Webhook string                                       // the address the network should post to, "" if it cannot or need not
	Receive func(ctx context.Context, body []byte) error // takes what was polled; returns once it is durable
}

// A Field is one thing to ask a person who adds an account.
type Field struct {
	Name   string // as the file names it
	Label  string
	Hint   string
	Secret bool // to be typed unseen
	Must   bool // needed

	Type    string      // of an HTML input, "" for text
	Rows    int         // above 0: several lines may be written
	Options [][2]string // values with their labels, of which one is chosen
}

// IDField asks what we call the account.
func IDField() Field {
	return Field{Name: "id", Label: "Your name for it", Must: true, Hint: "Part of the webhook's address, for example “shop”. Letters, digits and . _ ~ : @ -"}
}

// AffiliatesField asks whose entries answer.
func AffiliatesField() Field {
	return Field{Name: "affiliates", Label: "Affiliates", Must: true, Hint: "Whose entries answer. Commas between several; * means everyone's."}
}

// LocaleField asks for a language.
func LocaleField() Field {
	return Field{Name: "locale", Label: "Language", Hint: "When a customer's is unknown: en, es, pt-BR. Empty means en."}
}
