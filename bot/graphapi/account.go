package graphapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/worker"
)

// Skew is how far Meta's clock is ahead of ours, as its last answer told; 0 before the first.
func (c *Client) Skew() time.Duration { return time.Duration(c.skew.Load()) }

// noteClock keeps what an answer's Date tells, which is cut to the second.
func (c *Client) noteClock(h http.Header) {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		c.skew.Store(int64(time.Until(at.Add(time.Second / 2))))
	}
}

// InstagramLogin reports whether the account was connected with Instagram login: its API is at another
// address and knows nothing of apps and pages.
func (c *Client) InstagramLogin() bool { return strings.Contains(c.base, "graph.instagram.com") }

// An App is our app as Meta knows it. It is asked with the app's own token, "ID|SECRET"
// (https://developers.facebook.com/docs/facebook-login/guides/access-tokens, "App access tokens").
type App struct {
	ID     string
	client *Client
}

// App is the app of an ID, by the newest of its secrets, the last; nil if we know too little to ask about it.
func (c *Client) App(id string, secrets []string) *App {
	if id == "" || len(secrets) == 0 || c.InstagramLogin() {
		return nil
	}
	as := *c
	as.token = id + "|" + secrets[len(secrets)-1]
	return &App{ID: id, client: &as}
}

// A Token is what Meta says of a token
// (https://developers.facebook.com/docs/graph-api/reference/debug_token).
type Token struct {
	App     string   `json:"app_id"`
	Valid   bool     `json:"is_valid"`
	Expires int64    `json:"expires_at"` // Unix seconds, 0 means never
	Scopes  []string `json:"scopes"`
}

// Token asks about the token of c's calls.
func (a *App) Token(ctx context.Context, of *Client) (Token, error) {
	var answer struct {
		Data Token `json:"data"`
	}
	err := a.client.Call(ctx, http.MethodGet, "debug_token", url.Values{"input_token": {of.token}}, nil, &answer)
	return answer.Data, err
}

// A Subscription is where Meta posts what happens to a kind of objects
// (https://developers.facebook.com/docs/graph-api/reference/app/subscriptions).
type Subscription struct {
	Object   string            `json:"object"`
	Callback string            `json:"callback_url"`
	Active   bool              `json:"active"`
	Raw      []json.RawMessage `json:"fields"` // documented as strings, in fact objects with a name
}

// Has reports whether events of a field are posted.
func (s Subscription) Has(field string) bool {
	return slices.ContainsFunc(s.Raw, func(raw json.RawMessage) bool {
		var name string
		var object struct {
			Name string `json:"name"`
		}
		return json.Unmarshal(raw, &name) == nil && name == field || json.Unmarshal(raw, &object) == nil && object.Name == field
	})
}

// Subscription is the app's for objects of a kind, "page"; zero if it has none.
func (a *App) Subscription(ctx context.Context, object string) (Subscription, error) {
	var answer struct {
		Data []Subscription `json:"data"`
	}
	if err := a.client.Call(ctx, http.MethodGet, a.ID+"/subscriptions", nil, nil, &answer); err != nil {
		return Subscription{}, err
	}
	for _, s := range answer.Data {
		if s.Object == object {
			return s, nil
		}
	}
	return Subscription{}, nil
}

// Subscribe has Meta post events of fields to callback. Meta asks callback for the verify token at once.
func (a *App) Subscribe(ctx context.Context, object, callback, verifyToken, fields string) error {
	return a.client.Call(ctx, http.MethodPost, a.ID+"/subscriptions", nil,
		map[string]string{"object": object, "callback_url": callback, "verify_token": verifyToken, "fields": fields}, nil)
}

// CallTimeout bounds one administrative call.
const CallTimeout = 15 * time.Second

// Subscribe has subscribe, by which our app hears of an account, tried until it is done: again after first, then
// twice as late each time, at most an hour. Then it waits until ctx ends and returns nil.
func Subscribe(ctx context.Context, subscribe func(context.Context) error, first time.Duration, log logrus.FieldLogger) error {
	for again := first; ctx.Err() == nil; again = min(2*again, time.Hour) {
		err := subscribe(ctx)
		if err == nil {
			log.Info("the app is subscribed")
			break
		}
		if ctx.Err() != nil {
			break
		}
		log.WithError(err).WithField("again_in", again.String()).Error("cannot subscribe: customers' messages may not reach us")
		worker.Rest(ctx, again)
	}
	<-ctx.Done()
	return nil
}

// The Sections of a channel's SETUP.md that problems are mended in.
type Sections struct{ App, Token, Webhook string }

// Problem is what a failed call says of an account's standing.
func (s Sections) Problem(err error, needs string) bot.Problem {
	refusal, refused := errors.AsType[*Error](err)
	switch {
	case !refused:
		return bot.Problem{Kind: bot.ProblemUnreachable, Critical: true, What: "Meta cannot be asked: " + err.Error() + ".",
			Fix: "Check this machine's connection, then check again.", Section: s.Webhook}
	case refusal.Code == 190 && refusal.Subcode == 463:
		return bot.Problem{Kind: bot.ProblemToken, Critical: true, What: "The token has expired.", Fix: "Make a token that does not expire and enter it.", Section: s.Token}
	case refusal.Code == 0 || refusal.Code == 190 || refusal.Status == http.StatusUnauthorized:
		return bot.Problem{Kind: bot.ProblemToken, Critical: true, What: "Meta does not accept the token: it is wrong, expired or revoked.", Fix: "Make a new token and enter it.", Section: s.Token}
	case refusal.Code == 3 || refusal.Code == 10 || refusal.Code >= 200 && refusal.Code <= 299 || refusal.Code == 131005:
		return bot.Problem{Kind: bot.ProblemPermission, Critical: true, What: "The token lacks the permission " + needs + ".",
			Fix: "Make a token with that permission, by somebody who may use the account.", Section: s.Token}
	case refusal.Code == 100 && (refusal.Subcode == 33 || refusal.Subcode == 0):
		return bot.Problem{Kind: bot.ProblemIdentity, Critical: true, What: "The token knows no account of that ID.",
			Fix: "Compare the ID with the one in Meta's console, and assign the account to whoever made the token.", Section: s.App}
	case refusal.Kind() == bot.SendThrottled:
		return bot.Problem{Kind: bot.ProblemLimits, What: "Meta lets nothing more be asked now: too many calls.", Fix: "Check again in an hour.", Section: s.Webhook}
	}
	return bot.Problem{Kind: bot.ProblemOther, Critical: true, What: "Meta refused a question: " + refusal.Error() + ".", Fix: "Look the number up in the table of errors.", Section: "messages-of-errors"}
}

// soon is how long before a token's end it is told.
const soon = 7 * 24 * time.Hour

// CheckToken tells what is wrong with the token of c: its end, and which of the permissions it lacks.
func (s Sections) CheckToken(ctx context.Context, app *App, c *Client, now time.Time, permissions ...string) (list []bot.Problem) {
	token, err := app.Token(ctx, c)
	if err != nil {
		if refusal, ok := errors.AsType[*Error](err); ok && (refusal.Code == 190 || refusal.Code == 100 || refusal.Code == 101) {
			return []bot.Problem{{Kind: bot.ProblemIdentity, Critical: true, What: "The app's ID and secret do not belong together.",
				Fix: "Copy both from App settings → Basic of the same app.", Section: s.App}}
		}
		return []bot.Problem{s.Problem(err, "to be asked about")}
	}
	ends := time.Unix(token.Expires, 0)
	switch {
	case !token.Valid:
		return []bot.Problem{{Kind: bot.ProblemToken, Critical: true, What: "The token is not valid any more.", Fix: "Make a new token and enter it.", Section: s.Token}}
	case token.App != "" && token.App != app.ID:
		list = append(list, bot.Problem{Kind: bot.ProblemIdentity, Critical: true, What: "The token was made for another app than " + app.ID + ".",
			Fix: "Make the token for that app, or correct the app's ID.", Section: s.Token})
	case token.Expires > 0 && ends.Before(now.Add(soon)):
		list = append(list, bot.Problem{Kind: bot.ProblemExpiring, What: fmt.Sprintf("The token ends on %s.", ends.UTC().Format("2 January 2006, 15:04 UTC")),
			Fix: "Make a token that does not expire and enter it before then.", Section: s.Token})
	}
	for _, p := range permissions {
		if len(token.Scopes) > 0 && !slices.Contains(token.Scopes, p) {
			list = append(list, bot.Problem{Kind: bot.ProblemPermission, Critical: true, What: "The token lacks the permission " + p + ".",
				Fix: "Make a token with that permission, by somebody who may use the account.", Section: s.Token})
		}
	}
	return list
}

// Elsewhere is the Problem of events that are posted to another address than hook.
func (s Sections) Elsewhere(hook, at string) bot.Problem {
	return bot.Problem{Kind: bot.ProblemElsewhere, Critical: true, What: "Meta posts what customers write to another address: " + plainURL(at) + ".",
		Fix: "Point it here: " + hook + ".", Section: s.Webhook}
}

// plainURL is an address without what may be secret in it.
func plainURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "(an address that cannot be read)"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// HookError is err of having Meta post to us, with what to do about it.
func HookError(err error) error {
	if refusal, ok := errors.AsType[*Error](err); ok && refusal.Code == 2200 {
		return fmt.Errorf("the webhook address must be reachable from the internet over https: Meta asked it for the verify token and did not get it: %w", err)
	}
	return err
}
