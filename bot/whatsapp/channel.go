// Package whatsapp is WhatsApp, by Meta's Cloud API, for one phone number: it decodes what Meta posts,
// sends replies, keeps the number subscribed and knows its templates. It stores nothing, answers
// nothing and serves no HTTP; the webhook itself is bot/webhook.
//
// # Who a customer is
//
// The address of a customer is their phone number (wa_id) if WhatsApp shows it and else their
// business-scoped user ID. That ID is also the event's Stable one: numbers are hidden by those who
// take a username, and pass from one person to another.
//
// # In doubt
//
// No send has an idempotency key. Ours carries the delivery's ID as biz_opaque_callback_data, which
// every status gives back, so a send whose answer was lost is settled by its status.
package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/graphapi"
	"faqbot/bot/network"
)

const (
	// window is how long after a customer's word anything may be written. The 72 hours after a click on
	// an ad are free of charge and do not prolong it: "After 24h without a customer message,
	// non-template messages are blocked even if an FEP 72h window is still active"
	// (https://support.myoperator.com, "How long does a conversation last", and Meta's pricing pages).
	window = 24 * time.Hour
	// confirm is how long a status may take when the answer to a send was lost.
	confirm = 2 * time.Minute
	// pace keeps two messages to one customer in order: Meta delivers what comes at once in any order.
	pace = time.Second
)

// Options are what a Channel needs besides its account.
type Options struct {
	Number      string             // phone number ID, not the number
	Business    string             // WhatsApp Business Account ID; without it there are no templates
	App         string             // our app's ID, by which more can be checked; may be ""
	Token       string             // of a system user
	Secrets     []string           // of the app; several while one replaces another
	VerifyToken string             // shown when Meta asks whether the webhook is ours
	APIBase     string             // https://graph.facebook.com if ""
	APIVersion  string             // graphapi's default if ""
	Files       network.Files      // what files of ours are sent from; nil: only links are sent
	Log         logrus.FieldLogger // required
}

// A Channel is one number. It is safe for concurrent use.
type Channel struct {
	account     bot.Account
	number      string
	business    string
	appID       string
	secrets     []string
	verifyToken string
	api         *graphapi.Client
	uploads     *graphapi.Uploader // nil: only links are sent
	log         logrus.FieldLogger
	retry       time.Duration // the first wait between two tries to subscribe

	mu        sync.Mutex
	templates []bot.Template
	read      time.Time // when templates were
	phone     string    // the number itself, digits; "" until Link asked
}

var (
	_ bot.Prober       = (*Channel)(nil)
	_ bot.Channel      = (*Channel)(nil)
	_ bot.Reader       = (*Channel)(nil)
	_ bot.Receiver     = (*Channel)(nil)
	_ bot.SenderFinder = (*Channel)(nil)
	_ bot.Challenger   = (*Channel)(nil)
	_ bot.Fetcher      = (*Channel)(nil)
	_ bot.Templater    = (*Channel)(nil)
	_ bot.Linker       = (*Channel)(nil)
)

// New returns the Channel of account. It calls nobody.
func New(account bot.Account, o Options) (*Channel, error) {
	fail := func(err error) (*Channel, error) { return nil, fmt.Errorf("whatsapp account %s: %w", account.ID, err) }
	number := regexp.MustCompile(`^[0-9]{1,32}$`)
	if !number.MatchString(o.Number) {
		return fail(errors.New("the phone number ID must be digits: it is not the phone number, and stands beside it in the app's API setup"))
	}
	if o.Business != "" && !number.MatchString(o.Business) {
		return fail(errors.New("the business account ID must be digits"))
	}
	if o.App != "" && !number.MatchString(o.App) {
		return fail(errors.New("the app's ID must be digits"))
	}
	api, err := graphapi.NewClient(graphapi.Options{Token: o.Token, Base: o.APIBase, Version: o.APIVersion})
	if err != nil {
		return fail(err)
	}
	c := &Channel{account: account, number: o.Number, business: o.Business, appID: o.App, secrets: o.Secrets, verifyToken: o.VerifyToken, api: api,
		log: o.Log.WithFields(logrus.Fields{"channel": account.Channel, "account": account.ID}), retry: time.Minute}
	if o.Files != nil {
		c.uploads = graphapi.NewUploader(api, o.Files)
	}
	return c, nil
}

// Limits is what Meta documents. Labels are as long as a list shows in full.
func (c *Channel) Limits() bot.Limits {
	return bot.Limits{Text: maxText, Media: true, Caption: maxCaption, Choices: maxRows, Label: maxDescription,
		Window: window, Pace: pace, Confirm: confirm}
}

// Verify reports whether Meta signed body.
func (c *Channel) Verify(h http.Header, body []byte) error {
	return graphapi.Verify(c.secrets, h, body)
}

// Challenge answers Meta's question whether the webhook is ours.
func (c *Channel) Challenge(query url.Values) (string, bool) {
	return graphapi.Challenge(query, c.verifyToken)
}

// Link is an address that opens a chat with our number, with greeting and "(ref: REF)" filled in.
func (c *Channel) Link(ctx context.Context, greeting, ref string) (string, error) {
	c.mu.Lock()
	phone := c.phone
	c.mu.Unlock()
	if phone == "" {
		ctx, cancel := context.WithTimeout(ctx, graphapi.CallTimeout)
		defer cancel()
		var number struct {
			Display string `json:"display_phone_number"`
		}
		if err := c.api.Call(ctx, http.MethodGet, c.number, url.Values{"fields": {"display_phone_number"}}, nil, &number); err != nil {
			return "", fmt.Errorf("ask for our phone number: %w", err)
		}
		phone = regexp.MustCompile(`[^0-9]`).ReplaceAllString(number.Display, "")
		if !isPhone(phone) {
			return "", errors.New("WhatsApp tells no phone number of the account")
		}
		c.mu.Lock()
		c.phone = phone
		c.mu.Unlock()
	}
	return "https://wa.me/" + phone + "?text=" + url.PathEscape(greeting+" (ref: "+ref+")"), nil
}

// Probe asks the Graph API for our own ID. Its error is a *bot.SendError.
func (c *Channel) Probe(ctx context.Context) error {
	return c.api.Probe(ctx, c.number)
}

// Run subscribes the app to the business account, without which nothing is ever posted, and tries
// until that is done; then it waits until ctx ends and returns nil.
func (c *Channel) Run(ctx context.Context) error {
	if c.business == "" {
		c.log.Warn("business_id is not set: the app is not subscribed by us, and templates are not known")
		<-ctx.Done()
		return nil
	}
	return graphapi.Subscribe(ctx, c.Subscribe, c.retry, c.log)
}

// Subscribe has the app hear of the business account. Doing it again changes nothing.
func (c *Channel) Subscribe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, graphapi.CallTimeout)
	defer cancel()
	return c.api.Call(ctx, http.MethodPost, c.business+"/subscribed_apps", nil, struct{}{}, nil)
}
