// Package brand keeps how an affiliate's bot speaks: its name and language, its fixed sentences, what it discloses, its
// legal pages, the hours of its people, which topics it may answer alone, and how its public FAQ looks. Every save is a version; the last counts.
//
// It is not for entries (package knowledge) nor for accounts, which have looks of their own.
package brand

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"faqbot/knowledge/hours"
)

// A Brand is what an affiliate decided. The zero Brand changes nothing.
type Brand struct {
	Name      string                       `json:"name,omitempty"`      // what customers call the affiliate, "" for the affiliate's ID
	Locale    string                       `json:"locale,omitempty"`    // for customers whose language does not show, "" for the account's
	Phrases   map[string]map[string]string `json:"phrases,omitempty"`   // by locale and name: what is said instead of the default
	SaysLinks bool                         `json:"saysLinks,omitempty"` // say that links are affiliate links
	Imprint   string                       `json:"imprint,omitempty"`   // URL
	Privacy   string                       `json:"privacy,omitempty"`   // URL
	Hours     hours.Table                  `json:"hours,omitzero"`
	Topics    map[string]Policy            `json:"topics,omitempty"`    // by topic; one that is not here is answered
	PublicFAQ bool                         `json:"publicFaq,omitempty"` // everybody may read the entries, at a page of their own
	Color     string                       `json:"color,omitempty"`     // of that page: "#0f766e"; "" for ours
	Logo      string                       `json:"logo,omitempty"`      // on that page: a picture's ID in knowledge/media
}

// A Policy is who answers the questions of a topic.
type Policy string

const (
	PolicyAnswer Policy = ""       // the bot
	PolicyDraft  Policy = "draft"  // a person, to whom the bot's answer is suggested
	PolicyPerson Policy = "person" // a person
)

// Policies lists the policies, the default first.
func Policies() []Policy { return []Policy{PolicyAnswer, PolicyDraft, PolicyPerson} }

// Say returns the affiliate's own wording of a phrase, "" if they have none.
func (b Brand) Say(locale, phrase string) string { return b.Phrases[locale][phrase] }

// Policy is who answers a topic. Letter case and spaces around the topic do not matter.
func (b Brand) Policy(topic string) Policy { return b.Topics[TopicKey(topic)] }

// TopicKey is the topic as Topics has it.
func TopicKey(topic string) string { return strings.ToLower(strings.TrimSpace(topic)) }

// A Saved is one version of a Brand; 0 means that none was saved.
type Saved struct {
	Brand
	Version int
	By      string
	At      time.Time
}

// A Phrase is one of the fixed sentences, to be worded anew.
type Phrase struct {
	Name   string
	Words  map[string]string // the default by locale
	Button bool              // it is on a button
	Max    int               // UTF-16 units that every network carries
	Main   bool              // many customers read it
}

var (
	// ErrLong means that a wording is longer than a network carries.
	ErrLong = errors.New("the wording is too long")
	// ErrPlaceholder means that a wording lacks a {name} of the default, or has one that the default has not.
	ErrPlaceholder = errors.New("the wording has other placeholders than the default")
	// ErrLines means that the words of a button have several lines.
	ErrLines = errors.New("a button has one line")
	// ErrColor means that a colour is not written as "#0f766e".
	ErrColor = errors.New("not a colour like #0f766e")
	// ErrURL means that an address is not one of the web.
	ErrURL = errors.New("not a web address")
)

// Check returns what is wrong with a wording of the phrase in a locale, nil if nothing is.
func (p Phrase) Check(locale, words string) error {
	switch {
	case len(utf16.Encode([]rune(words))) > p.Max:
		return ErrLong
	case p.Button && strings.ContainsAny(words, "\r\n"):
		return ErrLines
	case !slices.Equal(Placeholders(words), Placeholders(p.Words[locale])):
		return ErrPlaceholder
	}
	return nil
}

// Placeholders returns the {names} in a text, each once, in order of the alphabet.
func Placeholders(text string) []string {
	list := regexp.MustCompile(`\{[a-z_]+\}`).FindAllString(text, -1)
	slices.Sort(list)
	return slices.Compact(list)
}

// maxURL is in bytes.
const maxURL = 500

// CheckURL returns ErrURL unless an address is one of the web. An empty one is none, and that is right.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if address != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(address) > maxURL) {
		return ErrURL
	}
	return nil
}

// CheckColor returns ErrColor unless a colour is written as "#0f766e". An empty one is none, and that is right.
func CheckColor(color string) error {
	if color != "" && !regexp.MustCompile(`^#[0-9a-fA-F]{6}$`).MatchString(color) {
		return ErrColor
	}
	return nil
}
