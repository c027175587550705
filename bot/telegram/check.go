package telegram

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
)

// Setup is SETUP.md: how to set a bot up.
//
//go:embed SETUP.md
var Setup string

var (
	_ bot.Checker       = (*Channel)(nil)
	_ bot.WebhookSetter = (*Channel)(nil)
)

// recent is how old trouble with deliveries may be and still be told.
const recent = time.Hour

// sections of SETUP.md.
const (
	sectionToken   = "1-the-bot"
	sectionWebhook = "3-the-webhook"
)

// Check asks Telegram about the bot and its webhook. Without a hook the bot is polled for.
func (c *Channel) Check(ctx context.Context, hook string) (s bot.AccountHealth) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := c.introduce(ctx); err != nil {
		s.Problems = append(s.Problems, problem(err))
		return s
	}
	name := *c.username.Load()
	s.Name, s.Link, s.Skew = "@"+name, "https://t.me/"+name, time.Duration(c.client.skew.Load())
	info, err := c.api.GetWebhookInfo(ctx)
	if err != nil {
		s.Problems = append(s.Problems, problem(err))
		return s
	}
	add := func(kind bot.ProblemKind, grave bool, what, mend string) {
		s.Problems = append(s.Problems, bot.Problem{Kind: kind, Critical: grave, What: what, Fix: mend, Section: sectionWebhook})
	}
	waiting := ""
	if info.PendingUpdateCount > 0 {
		waiting = fmt.Sprintf(" %d messages and taps wait at Telegram.", info.PendingUpdateCount)
	}
	failed := time.Unix(int64(info.LastErrorDate), 0)
	switch {
	case hook == "" && info.URL != "":
		add(bot.ProblemElsewhere, true, "A webhook is set for this bot, so that it cannot be polled: "+plainURL(info.URL)+"."+waiting, "Use one way for each bot: start faqbot, which removes the webhook, or set mode to webhook.")
	case hook == "":
	case info.URL == "":
		add(bot.ProblemWebhook, true, "Telegram was not told where to post what customers write."+waiting, "Set the webhook: "+hook+".")
	case info.URL != hook:
		add(bot.ProblemElsewhere, true, "Telegram posts what customers write to another address: "+plainURL(info.URL)+"."+waiting, "Point it here: "+hook+".")
	case info.LastErrorDate > 0 && time.Since(failed) < recent:
		add(bot.ProblemTrouble, info.PendingUpdateCount > 0, fmt.Sprintf("Telegram could not deliver at %s: %s.%s", failed.UTC().Format("15:04 UTC"),
			strings.TrimSuffix(c.redact(info.LastErrorMessage), "."), waiting), "Make sure that the internet reaches "+hook+" over https on port 443, 80, 88 or 8443.")
	}
	if hook != "" && info.URL == hook && missing(info.AllowedUpdates) {
		add(bot.ProblemWebhook, true, "Telegram does not post all kinds of news that the bot needs.", "Set the webhook again.")
	}
	if p := bot.ClockProblem(s.Skew); p != nil {
		s.Problems = append(s.Problems, *p)
	}
	return s
}

// missing reports whether a kind that we read is not among those that are posted; an empty list means
// all.
func missing(posted []string) bool {
	return len(posted) > 0 && slices.ContainsFunc(allowedUpdates(), func(kind string) bool { return !slices.Contains(posted, kind) })
}

// problem is what a failed call says of the bot's standing.
func problem(err error) bot.Problem {
	refusal, refused := errors.AsType[*apiError](err)
	switch {
	case refused && (refusal.code == http.StatusUnauthorized || refusal.code == http.StatusNotFound):
		return bot.Problem{Kind: bot.ProblemToken, Critical: true, What: "Telegram does not accept the token: it is wrong or was revoked.",
			Fix: "Ask @BotFather for the bot's token (/mybots → the bot → API Token) and enter it.", Section: sectionToken}
	case refused && refusal.code == http.StatusTooManyRequests:
		return bot.Problem{Kind: bot.ProblemLimits, What: "Telegram lets nothing more be asked now.", Fix: "Check again in a minute.", Section: sectionWebhook}
	}
	return bot.Problem{Kind: bot.ProblemUnreachable, Critical: true, What: "Telegram cannot be asked: " + err.Error() + ".",
		Fix: "Check this machine's connection, then check again.", Section: sectionWebhook}
}

// SetWebhook has Telegram post to address.
func (c *Channel) SetWebhook(ctx context.Context, address string) error { return c.hook(ctx, address) }

// plainURL is an address without what may be secret in it.
func plainURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "(an address that cannot be read)"
	}
	return u.Scheme + "://" + u.Host + "/…"
}
