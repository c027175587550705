package messenger

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/graphapi"
)

// Setup is SETUP.md: how to set a page or an Instagram account up.
//
//go:embed SETUP.md
var Setup string

var (
	_ bot.Checker       = (*Channel)(nil)
	_ bot.WebhookSetter = (*Channel)(nil)
)

// sections of SETUP.md.
func (c *Channel) sections() graphapi.Sections {
	if c.instagram {
		return graphapi.Sections{App: "1-the-app", Token: "2b-instagram", Webhook: "3-the-webhook"}
	}
	return graphapi.Sections{App: "1-the-app", Token: "2a-messenger", Webhook: "3-the-webhook"}
}

// object is what Meta calls what is posted about the account.
func (c *Channel) object() string {
	if c.instagram {
		return "instagram"
	}
	return "page"
}

func (c *Channel) permissions() []string {
	if c.instagram {
		return []string{"instagram_manage_messages", "pages_manage_metadata"}
	}
	return []string{"pages_messaging", "pages_manage_metadata"}
}

// Check asks Meta about the account, its subscription and, if the app is known, the token and the
// webhook.
func (c *Channel) Check(ctx context.Context, hook string) (s bot.AccountHealth) {
	ctx, cancel := context.WithTimeout(ctx, graphapi.CallTimeout)
	defer cancel()
	id, err := c.introduce(ctx, &s)
	if err != nil {
		s.Problems = append(s.Problems, c.sections().Problem(err, c.permissions()[0]))
		return s
	}
	s.Skew = c.api.Skew()
	if id != c.page {
		found := "page " + id
		switch {
		case c.instagram && id == "":
			found = "a page without Instagram account"
		case c.instagram:
			found = "Instagram account " + id
		}
		s.Problems = append(s.Problems, bot.Problem{Kind: bot.ProblemIdentity, Critical: true, What: fmt.Sprintf("The token is for %s, not for %s.", found, c.page),
			Fix: "Enter the ID that belongs to the token, or make a token for that account.", Section: c.sections().Token})
		return s
	}
	s.Problems = append(s.Problems, c.checkSubscription(ctx)...)
	s.Problems = append(s.Problems, c.checkApp(ctx, hook)...)
	if p := bot.ClockProblem(s.Skew); p != nil {
		s.Problems = append(s.Problems, *p)
	}
	return s
}

// introduce learns the account's name and returns its ID, as the token knows it.
func (c *Channel) introduce(ctx context.Context, s *bot.AccountHealth) (id string, err error) {
	var me struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		UserID    string `json:"user_id"`
		Username  string `json:"username"`
		Instagram struct {
			ID       string `json:"id"`
			Username string `json:"username"`
		} `json:"instagram_business_account"`
	}
	fields := "id,name"
	switch {
	case c.instagram && c.api.InstagramLogin():
		fields = "user_id,username"
	case c.instagram:
		fields = "id,name,instagram_business_account{id,username}"
	}
	if err := c.api.Call(ctx, http.MethodGet, "me", url.Values{"fields": {fields}}, nil, &me); err != nil {
		return "", err
	}
	switch {
	case c.instagram && c.api.InstagramLogin():
		s.Name, s.Link, id = "@"+me.Username, "https://ig.me/m/"+me.Username, me.UserID
	case c.instagram:
		s.Name, s.Link, id = "@"+me.Instagram.Username, "https://ig.me/m/"+me.Instagram.Username, me.Instagram.ID
	default:
		s.Name, s.Link, id = me.Name, "https://m.me/"+me.ID, me.ID
	}
	return id, nil
}

// checkSubscription tells whether our app hears of the account.
func (c *Channel) checkSubscription(ctx context.Context) []bot.Problem {
	var answer struct {
		Data []struct {
			ID     string   `json:"id"`
			Fields []string `json:"subscribed_fields"`
		} `json:"data"`
	}
	if err := c.api.Call(ctx, http.MethodGet, "me/subscribed_apps", nil, nil, &answer); err != nil {
		return []bot.Problem{c.sections().Problem(err, "pages_manage_metadata")}
	}
	for _, a := range answer.Data {
		if (c.app == "" || a.ID == c.app) && slices.Contains(a.Fields, "messages") {
			return nil
		}
	}
	return []bot.Problem{{Kind: bot.ProblemWebhook, Critical: true, What: "The app is not subscribed to the account's messages: Meta posts nothing.",
		Fix: "Set the webhook again; that subscribes the app.", Section: c.sections().Webhook}}
}

// checkApp tells what only the app itself is told: when the token ends, and where Meta posts to.
func (c *Channel) checkApp(ctx context.Context, hook string) (list []bot.Problem) {
	app := c.api.App(c.app, c.secrets)
	if app == nil {
		if hook == "" || c.api.InstagramLogin() {
			return nil
		}
		return []bot.Problem{{Kind: bot.ProblemLimits, What: "The app's ID is not set: where Meta posts to and when the token ends cannot be checked.",
			Fix: "Enter the App ID.", Section: c.sections().App}}
	}
	list = c.sections().CheckToken(ctx, app, c.api, time.Now(), c.permissions()...)
	if hook == "" || slices.ContainsFunc(list, func(p bot.Problem) bool { return p.Critical }) {
		return list
	}
	sub, err := app.Subscription(ctx, c.object())
	switch {
	case err != nil:
		list = append(list, c.sections().Problem(err, "to be asked about"))
	case sub.Callback == "" || !sub.Active || !sub.Has("messages"):
		list = append(list, bot.Problem{Kind: bot.ProblemWebhook, Critical: true, What: "The app's webhook is not set, or not for messages.",
			Fix: "Set the webhook: " + hook + ".", Section: c.sections().Webhook})
	case sub.Callback != hook:
		list = append(list, c.sections().Elsewhere(hook, sub.Callback))
	}
	return list
}

// errByHand means that Meta can only be told in its console.
var errByHand = errors.New("without the app's ID Meta is told by hand: enter the address and the verify token in the app's webhook settings")

// SetWebhook subscribes the app and has Meta post to address. An app has one address for all its pages.
func (c *Channel) SetWebhook(ctx context.Context, address string) error {
	if err := c.Subscribe(ctx); err != nil {
		return err
	}
	app := c.api.App(c.app, c.secrets)
	if app == nil {
		return errByHand
	}
	ctx, cancel := context.WithTimeout(ctx, graphapi.CallTimeout)
	defer cancel()
	sub, err := app.Subscription(ctx, c.object())
	if err != nil {
		return fmt.Errorf("ask for the app's webhook: %w", err)
	}
	ours := address[:strings.LastIndexByte(address, '/')+1] // where our other accounts of the channel are
	if sub.Callback != address && strings.HasPrefix(sub.Callback, ours) {
		return fmt.Errorf("the app posts to another account of ours, %s, and has one address for all its pages: make an app for this one", strings.TrimPrefix(sub.Callback, ours))
	}
	if err := app.Subscribe(ctx, c.object(), address, c.verifyToken, c.fields()); err != nil {
		return fmt.Errorf("set the app's webhook: %w", graphapi.HookError(err))
	}
	return nil
}
