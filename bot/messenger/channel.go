// Package messenger is Messenger and Instagram's direct messages, which are one platform with small
// differences, for one page or Instagram account: it decodes what Meta posts, sends replies, and keeps
// the account subscribed. It stores nothing, answers nothing and serves no HTTP; the webhook itself is
// bot/webhook.
//
// # In doubt
//
// No send has an idempotency key. On Messenger ours carries the delivery's ID as metadata, which the
// echo gives back, so a send whose answer was lost is settled by its echo. Nothing says that Instagram
// takes metadata, so there the echo's ID or its words tell.
package messenger

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/graphapi"
	"faqbot/bot/network"
)

const (
	window = 24 * time.Hour
	// personWindow is how long people may write, with the tag HUMAN_AGENT.
	personWindow = 7 * 24 * time.Hour
	// confirm is how long an echo may take when the answer to a send was lost.
	confirm = 2 * time.Minute
	// pageFields are the kinds of events that we want to hear of, as a page names them.
	pageFields = "messages,messaging_postbacks,messaging_referrals,messaging_optins,message_deliveries,message_reads,message_reactions," +
		"message_edits,message_echoes,messaging_policy_enforcement,standby,messaging_handovers"
)

// Options are what a Channel needs besides its account, whose Channel is "messenger" or "instagram".
type Options struct {
	Page        string        // the page's ID; for Instagram the Instagram account's, as webhooks show it
	App         string        // our app's ID, by which an echo of our own is known; may be ""
	Token       string        // of the page, or of the Instagram account
	Secrets     []string      // of the app; several while one replaces another
	VerifyToken string        // shown when Meta asks whether the webhook is ours
	APIBase     string        // https://graph.facebook.com if ""
	APIVersion  string        // graphapi's default if ""
	Files       network.Files // what files of ours are sent from; nil: only links are sent
	Log         logrus.FieldLogger
}

// A Channel is one page or Instagram account. It is safe for concurrent use.
type Channel struct {
	account     bot.Account
	instagram   bool
	page        string
	app         string
	secrets     []string
	verifyToken string
	api         *graphapi.Client
	uploads     *graphapi.Uploader // nil: only links are sent
	log         logrus.FieldLogger
	retry       time.Duration // the first wait between two tries to subscribe
}

var (
	_ bot.Prober       = (*Channel)(nil)
	_ bot.Channel      = (*Channel)(nil)
	_ bot.Reader       = (*Channel)(nil)
	_ bot.Typist       = (*Channel)(nil)
	_ bot.Profiler     = (*Channel)(nil)
	_ bot.Receiver     = (*Channel)(nil)
	_ bot.SenderFinder = (*Channel)(nil)
	_ bot.Challenger   = (*Channel)(nil)
	_ bot.Fetcher      = (*Channel)(nil)
	_ bot.Linker       = (*Channel)(nil)
)

// New returns the Channel of account. It calls nobody.
func New(account bot.Account, o Options) (*Channel, error) {
	fail := func(err error) (*Channel, error) {
		return nil, fmt.Errorf("%s account %s: %w", account.Channel, account.ID, err)
	}
	if !isID(o.Page) {
		return fail(errors.New("the page's or Instagram account's ID must be digits"))
	}
	if o.App != "" && !isID(o.App) {
		return fail(errors.New("the app's ID must be digits"))
	}
	api, err := graphapi.NewClient(graphapi.Options{Token: o.Token, Base: o.APIBase, Version: o.APIVersion})
	if err != nil {
		return fail(err)
	}
	c := &Channel{account: account, instagram: account.Channel == "instagram", page: o.Page, app: o.App, secrets: o.Secrets,
		verifyToken: o.VerifyToken, api: api, retry: time.Minute,
		log: o.Log.WithFields(logrus.Fields{"channel": account.Channel, "account": account.ID})}
	if o.Files != nil && !api.InstagramLogin() { // which has no uploads
		c.uploads = graphapi.NewUploader(api, o.Files)
	}
	return c, nil
}

// Link is an address that opens a chat with the page, by its ID, or with the Instagram account, by its
// name, and brings ref back as the referral's.
func (c *Channel) Link(ctx context.Context, _, ref string) (string, error) {
	if !c.instagram {
		return "https://m.me/" + c.page + "?ref=" + url.QueryEscape(ref), nil
	}
	var me struct {
		Username string `json:"username"`
	}
	if err := c.api.Call(ctx, http.MethodGet, c.page, url.Values{"fields": {"username"}}, nil, &me); err != nil {
		return "", fmt.Errorf("ask for the account's name: %w", err)
	}
	if me.Username == "" {
		return "", errors.New("no name of the account is told")
	}
	return "https://ig.me/m/" + url.PathEscape(me.Username) + "?ref=" + url.QueryEscape(ref), nil
}

// isID reports whether id is a page's or customer's: digits, often more than a number of 53 bits has.
func isID(id string) bool {
	return id != "" && len(id) <= 32 && strings.Trim(id, "0123456789") == ""
}

// Limits is what Meta documents. Instagram counts bytes: "Message text must be UTF-8 and be a 1000
// bytes or less" (https://developers.facebook.com/docs/messenger-platform/instagram/features/send-message).
func (c *Channel) Limits() bot.Limits {
	l := bot.Limits{Text: maxText, Media: true, Choices: maxReplies, Label: maxLabel, Window: window, Person: personWindow, Confirm: confirm}
	if c.instagram {
		l.Text, l.Bytes = maxOnInstagram, maxOnInstagram
	}
	return l
}

// Verify reports whether Meta signed body.
func (c *Channel) Verify(h http.Header, body []byte) error {
	return graphapi.Verify(c.secrets, h, body)
}

// Challenge answers Meta's question whether the webhook is ours.
func (c *Channel) Challenge(query url.Values) (string, bool) {
	return graphapi.Challenge(query, c.verifyToken)
}

// Probe asks the Graph API for our own ID. Its error is a *bot.SendError.
func (c *Channel) Probe(ctx context.Context) error {
	return c.api.Probe(ctx, "me")
}

// Run subscribes the app to the page or Instagram account, without which nothing is ever posted, and
// tries until that is done; then it waits until ctx ends and returns nil.
func (c *Channel) Run(ctx context.Context) error {
	return graphapi.Subscribe(ctx, c.Subscribe, c.retry, c.log)
}

// Subscribe has the app hear of the account, and on Messenger has new customers shown a button to
// start with, without which links to us tell nothing. Doing it again changes nothing.
func (c *Channel) Subscribe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, graphapi.CallTimeout)
	defer cancel()
	if err := c.api.Call(ctx, http.MethodPost, "me/subscribed_apps", url.Values{"subscribed_fields": {c.accountFields()}}, struct{}{}, nil); err != nil {
		return fmt.Errorf("subscribe the app: %w", err)
	}
	if c.instagram {
		return nil
	}
	profile := map[string]any{"get_started": map[string]string{"payload": startPayload}}
	if err := c.api.Call(ctx, http.MethodPost, "me/messenger_profile", nil, profile, nil); err != nil {
		return fmt.Errorf("set the Get Started button: %w", err)
	}
	return nil
}

// fields are the kinds of events that we want to hear of, as the app's webhook names them.
func (c *Channel) fields() string {
	if c.instagram {
		return "messages,messaging_postbacks,messaging_referral,messaging_seen,message_reactions,message_edit,standby,messaging_handover"
	}
	return pageFields
}

// accountFields are the same as the account's own edge names them: an Instagram account that is linked to a page is
// subscribed through the page, which knows only the page's.
func (c *Channel) accountFields() string {
	if c.api.InstagramLogin() {
		return c.fields()
	}
	return pageFields
}
