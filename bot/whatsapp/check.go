package whatsapp

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"faqbot/bot"
	"faqbot/bot/graphapi"
)

// Setup is SETUP.md: how to set a number up.
//
//go:embed SETUP.md
var Setup string

var (
	_ bot.Checker       = (*Channel)(nil)
	_ bot.WebhookSetter = (*Channel)(nil)
)

// object is what Meta calls what is posted about WhatsApp.
const object = "whatsapp_business_account"

// sections of SETUP.md.
func sections() graphapi.Sections {
	return graphapi.Sections{App: "1-the-app", Token: "2-a-token-that-does-not-expire", Webhook: "4-the-webhook"}
}

// A number is what Meta says of ours
// (https://developers.facebook.com/docs/whatsapp/embedded-signup/webhooks/override). Events go to the
// first of the three addresses that is set.
type number struct {
	Display string `json:"display_phone_number"`
	Name    string `json:"verified_name"`
	Hooks   struct {
		Number   string `json:"phone_number"`
		Business string `json:"whatsapp_business_account"`
		App      string `json:"application"`
	} `json:"webhook_configuration"`
}

func (n number) hook() string {
	switch {
	case n.Hooks.Number != "":
		return n.Hooks.Number
	case n.Hooks.Business != "":
		return n.Hooks.Business
	}
	return n.Hooks.App
}

// Check asks Meta about the number, its subscription, its webhook and, if the app is known, the token.
func (c *Channel) Check(ctx context.Context, hook string) (s bot.AccountHealth) {
	ctx, cancel := context.WithTimeout(ctx, graphapi.CallTimeout)
	defer cancel()
	var n number
	err := c.api.Call(ctx, http.MethodGet, c.number, url.Values{"fields": {"display_phone_number,verified_name,webhook_configuration"}}, nil, &n)
	if err != nil {
		s.Problems = append(s.Problems, sections().Problem(err, "whatsapp_business_management"))
		return s
	}
	s.Name, s.Skew = n.Display, c.api.Skew()
	if n.Name != "" {
		s.Name = fmt.Sprintf("%s (%s)", n.Name, n.Display)
	}
	s.Link = "https://wa.me/" + phoneDigits(n.Display)
	s.Problems = append(s.Problems, c.checkBusiness(ctx)...)
	if app := c.api.App(c.appID, c.secrets); app != nil {
		s.Problems = append(s.Problems, sections().CheckToken(ctx, app, c.api, time.Now(), "whatsapp_business_messaging", "whatsapp_business_management")...)
		if sub, err := app.Subscription(ctx, object); err == nil && hook != "" && !sub.Has("messages") {
			s.Problems = append(s.Problems, bot.Problem{Kind: bot.ProblemWebhook, Critical: true, What: "The app does not subscribe the webhook field messages.",
				Fix: "Subscribe it under WhatsApp → Configuration → Webhook fields.", Section: sections().Webhook})
		}
	}
	switch at := n.hook(); {
	case hook == "" || at == hook:
	case at == "":
		s.Problems = append(s.Problems, bot.Problem{Kind: bot.ProblemWebhook, Critical: true, What: "Meta was not told where to post what customers write.",
			Fix: "Set the webhook: " + hook + ".", Section: sections().Webhook})
	default:
		s.Problems = append(s.Problems, sections().Elsewhere(hook, at))
	}
	if p := bot.ClockProblem(s.Skew); p != nil {
		s.Problems = append(s.Problems, *p)
	}
	return s
}

// checkBusiness tells whether our app hears of the business account.
func (c *Channel) checkBusiness(ctx context.Context) []bot.Problem {
	if c.business == "" {
		return []bot.Problem{{Kind: bot.ProblemLimits, What: "The business account's ID is not set: nobody makes sure that the app is subscribed, and there are no templates.",
			Fix: "Enter the WhatsApp Business Account ID.", Section: sections().App}}
	}
	var answer struct {
		Data []struct {
			App struct {
				ID string `json:"id"`
			} `json:"whatsapp_business_api_data"`
		} `json:"data"`
	}
	if err := c.api.Call(ctx, http.MethodGet, c.business+"/subscribed_apps", nil, nil, &answer); err != nil {
		return []bot.Problem{sections().Problem(err, "whatsapp_business_management")}
	}
	for _, a := range answer.Data {
		if c.appID == "" || a.App.ID == c.appID {
			return nil
		}
	}
	return []bot.Problem{{Kind: bot.ProblemWebhook, Critical: true, What: "The app is not subscribed to the business account: Meta posts nothing.",
		Fix: "Set the webhook again; that subscribes the app.", Section: sections().Webhook}}
}

// SetWebhook subscribes the app and has Meta post what comes for this number to address, whatever other
// numbers of the app do.
func (c *Channel) SetWebhook(ctx context.Context, address string) error {
	if c.business != "" {
		if err := c.Subscribe(ctx); err != nil {
			return fmt.Errorf("subscribe the app: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, graphapi.CallTimeout)
	defer cancel()
	if app := c.api.App(c.appID, c.secrets); app != nil {
		sub, err := app.Subscription(ctx, object)
		if err != nil {
			return fmt.Errorf("ask for the app's webhook: %w", err)
		}
		if sub.Callback == "" || sub.Callback == address {
			if err := app.Subscribe(ctx, object, address, c.verifyToken, "messages"); err != nil {
				return fmt.Errorf("set the app's webhook: %w", graphapi.HookError(err))
			}
		}
	}
	override := map[string]any{"webhook_configuration": map[string]string{"override_callback_uri": address, "verify_token": c.verifyToken}}
	if err := c.api.Call(ctx, http.MethodPost, c.number, nil, override, nil); err != nil {
		return fmt.Errorf("set the number's webhook: %w", graphapi.HookError(err))
	}
	return nil
}

// phoneDigits is a phone number without what people write between its digits.
func phoneDigits(phone string) string {
	var b []rune
	for _, r := range phone {
		if r >= '0' && r <= '9' {
			b = append(b, r)
		}
	}
	return string(b)
}
