// Package webchat is the chat widget: a channel like Telegram, whose network is our own pages. It
// serves the script that a site embeds, the page inside the frame, what visitors post and the event
// stream they read. It answers nothing itself (turns.Runner does), knows no desk, and keeps no rows:
// the messages table is the only truth, and a stream is a reader of it.
//
// # Who a visitor is
//
// A visitor is named by a token: the customer's name and our signature over it and the account. It
// travels in three ways, and the first that is there counts: the Authorization header ("Visitor
// TOKEN"), the form field "visitor", a cookie. One way is not enough. Inside another site's frame,
// browsers block our cookie or keep one per site; so the script keeps the token in the frame's own
// storage and sends it as a header. A page without JavaScript can send no header and cannot store
// anything; so each form carries the token, and the cookie (partitioned, where the browser knows
// that) lets a reload find the conversation. A header also proves that no other site made the
// request; for the other two, posts from a foreign origin are refused.
//
// A name is "v:" and a random text, or "u:" and the user's ID of the embedding site when that site
// proves it, see proof. A wrong proof leaves the visitor anonymous. The token of a proven user is never
// stored: the site proves anew at every load, so whoever signs out is out.
//
// A token says when it was issued. It is good for 180 days, a proven user's for 7, and is replaced by a
// fresh one after 30, so that whoever comes back goes on. It ends at once when the visitor is signed out,
// from the desk, or everybody of the account by "faqbot channel sign-out".
//
// A file's address is signed too, since pictures cannot send headers. It is shown to the visitor
// whose conversation has the file, and to nobody else.
//
// # Why a send cannot fail
//
// The reply is in the database before the courier calls Send, and every stream reads the database,
// at least every two seconds. Send only wakes the streams of this process so that they look at
// once. Repeating it does no harm, which is what Limits.Resend says, and a customer who has closed
// the page finds the reply when they come back.
package webchat

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"faqbot/bot"
	"faqbot/knowledge/page"
	"faqbot/knowledge/page/live"
)

// Setup is the guide to setting it up.
//
//go:embed SETUP.md
var Setup string

const (
	maxText    = 4000 // UTF-16 units of one message, as a browser's maxlength counts
	maxLabel   = 120
	maxChoices = 10
)

// Options are what an account's widget may be told. All may be left out.
type Options struct {
	Name           string   // in the header; the account's ID if ""
	Origins        []string // sites that may embed it, "https://shop.example" or "https://*.shop.example"; none means our own only
	IdentitySecret string   // proves a logged-in customer; "" means that nobody is
	Welcome        string   // the first words, shown before anything was said; a phrase of ours if ""
	Color          string   // of the launcher and the chat, "#0f766e"; ours if ""
	Position       string   // of the launcher: left, right; "" where the page's text ends
	Suggested      []string // questions to begin with; SiteOptions.Suggest if there are none
}

// A Channel carries replies to the widget of one account.
type Channel struct {
	account bot.Account
	o       Options
	hub     *live.Hub
	preview bool      // it takes nothing: see previews
	untimed sync.Once // warned that the site's proofs never end

	widget     page.Asset // the script with this account's looks, made when it is first asked for
	widgetOnce sync.Once
}

var (
	_ bot.Channel = (*Channel)(nil)
	_ bot.Typist  = (*Channel)(nil)
)

// New returns the channel of account.
func New(account bot.Account, o Options) (*Channel, error) {
	if account.ID == "assets" || account.ID == "widget.js" {
		return nil, fmt.Errorf("the account cannot be called %q: that is an address of the widget's own", account.ID)
	}
	if account.ID == "" {
		return nil, errors.New("the account has no ID")
	}
	for i, origin := range o.Origins {
		if err := checkOrigin(origin); err != nil {
			return nil, fmt.Errorf("origins, number %d: %w", i+1, err)
		}
	}
	if o.Name == "" {
		o.Name = account.ID
	}
	return &Channel{account: account, o: o, hub: live.NewHub()}, nil
}

// checkOrigin refuses what is not an origin. Origins end up in a policy, where a stray ";" would end it.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	host := regexp.MustCompile(`^(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]+)?$|^\[[0-9a-fA-F:]+\](:[0-9]+)?$`)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !host.MatchString(u.Host) || origin != u.Scheme+"://"+u.Host {
		return fmt.Errorf(`%q is not an origin like "https://shop.example" or "https://*.shop.example"`, origin)
	}
	return nil
}

// Account is the account whose widget this is.
func (c *Channel) Account() bot.Account { return c.account }

// Limits are generous: the widget is ours. Resend is set because a send can be repeated safely, see
// the package comment.
func (c *Channel) Limits() bot.Limits {
	return bot.Limits{Text: maxText, Media: true, Caption: maxText, Choices: maxChoices, Label: maxLabel, DisclosesBot: true, Resend: true}
}

// Send wakes the streams of the customer. It cannot fail.
func (c *Channel) Send(_ context.Context, to bot.Address, id bot.DeliveryID, _ bot.Reply) (string, error) {
	c.hub.Wake(saidTopic(to.Customer))
	return string(id), nil
}

// Typing shows the customer that an answer is on its way.
func (c *Channel) Typing(_ context.Context, to bot.Address) error {
	c.hub.Wake(typingTopic(to.Customer))
	return nil
}

// address is the customer's on this account.
func (c *Channel) address(customer string) bot.Address {
	return bot.Address{Channel: c.account.Channel, Account: c.account.ID, Customer: customer}
}

// path is where the pages of this account are.
func (c *Channel) path(rest string) string { return "/chat/" + url.PathEscape(c.account.ID) + rest }

// frameAncestors are the sites that may show our page in a frame, for its policy.
func (c *Channel) frameAncestors() string {
	return strings.Join(append([]string{"'self'"}, c.o.Origins...), " ")
}
