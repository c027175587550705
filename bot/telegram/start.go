package telegram

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	tg "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
	"github.com/sirupsen/logrus"

	"faqbot/bot/worker"
)

// callTimeout bounds one administrative call.
const callTimeout = 15 * time.Second

// slowly is the wait between tries that only the operator can make succeed.
const slowly = time.Minute

// pacing is how long to wait between tries.
type pacing struct{ first, most time.Duration }

// after is the wait after the n-th failure in a row, counted from 1. What Telegram itself asks for
// wins.
func (p pacing) after(n int, err error) time.Duration {
	wait := min(p.first<<min(max(n-1, 0), 16), p.most)
	if refusal, ok := errors.AsType[*apiError](err); ok && refusal.code == http.StatusTooManyRequests {
		wait = max(wait, refusal.retryAfter)
	}
	return wait
}

// Run registers the account with retries, for webhooks at hookURL, and looks after the registration
// until ctx ends; then it returns nil. With hookURL "" it registers no webhook: nothing will be heard
// unless something else passes updates on.
func (c *Channel) Run(ctx context.Context, hookURL string) error {
	if hookURL == "" {
		c.log.Warn("public_url is not set: the webhook is not registered and Telegram will not tell us what customers write")
	}
	if hookURL != "" && c.secret == "" {
		c.log.Error("the account has no secret: the webhook is not registered, because nobody could tell Telegram's calls from others'")
		hookURL = ""
	}
	c.insist(ctx, "register", func(ctx context.Context) error { return c.Start(ctx, hookURL) })
	since := time.Now().Unix()
	for hookURL != "" && ctx.Err() == nil {
		worker.Rest(ctx, c.watch)
		if ctx.Err() == nil {
			since = c.inspect(ctx, hookURL, since)
		}
	}
	<-ctx.Done()
	return nil
}

// Start tries once to learn the bot's name and to register its webhook, unless hookURL is "", and its
// commands. Doing it again changes nothing.
func (c *Channel) Start(ctx context.Context, hookURL string) error {
	if err := c.introduce(ctx); err != nil {
		return err
	}
	if hookURL != "" {
		if err := c.hook(ctx, hookURL); err != nil {
			return err
		}
		c.log.Info("webhook registered")
	}
	c.offerCommands(ctx)
	return nil
}

func (c *Channel) hook(ctx context.Context, hookURL string) error {
	if c.secret == "" {
		return errors.New("register the webhook: the account has no secret")
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	// All fields are said: what is left out keeps the value of some earlier registration.
	_, err := c.api.SetWebhook(ctx, &tg.SetWebhookParams{URL: hookURL, SecretToken: c.secret, MaxConnections: 40,
		AllowedUpdates: allowedUpdates()})
	if err != nil {
		return fmt.Errorf("register the webhook: %w", err)
	}
	return nil
}

// allowedUpdates are the kinds that Decode reads.
func allowedUpdates() []string {
	return []string{models.AllowedUpdateMessage, models.AllowedUpdateEditedMessage, models.AllowedUpdateCallbackQuery,
		models.AllowedUpdateMyChatMember}
}

// Link is an address that opens a chat with the bot, where a tap on START brings ref back.
func (c *Channel) Link(ctx context.Context, _, ref string) (string, error) {
	if c.username.Load() == nil {
		if err := c.introduce(ctx); err != nil {
			return "", err
		}
	}
	return "https://t.me/" + *c.username.Load() + "?start=" + url.QueryEscape(ref), nil
}

// introduce learns the bot's name.
func (c *Channel) introduce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	me, err := c.api.GetMe(ctx)
	if err != nil {
		return fmt.Errorf("ask for the bot's name: %w", err)
	}
	c.username.Store(&me.Username)
	return nil
}

// offerCommands registers the bot's menu. A bot works without one, so nothing waits for it.
func (c *Channel) offerCommands(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for _, language := range []string{"", "es", "pt"} {
		_, err := c.api.SetMyCommands(ctx, &tg.SetMyCommandsParams{Commands: commands(language), LanguageCode: language})
		if err != nil && !errors.Is(err, context.Canceled) {
			c.complain(err).WithField("language", language).Warn("cannot register the bot's commands")
		}
	}
}

// commands is the bot's menu in a language, "" being all that have none of their own.
func commands(language string) []models.BotCommand {
	says := [4]string{"Start the conversation", "What I can do for you", "Talk to a person", "Back to the assistant"}
	switch language {
	case "es":
		says = [4]string{"Empezar la conversación", "Qué puedo hacer por ti", "Hablar con una persona", "Volver con el asistente"}
	case "pt":
		says = [4]string{"Começar a conversa", "O que posso fazer por você", "Falar com uma pessoa", "Voltar ao assistente"}
	}
	return []models.BotCommand{{Command: "start", Description: says[0]}, {Command: "help", Description: says[1]},
		{Command: "human", Description: says[2]}, {Command: "bot", Description: says[3]}}
}

// insist tries do until it succeeds or ctx ends.
func (c *Channel) insist(ctx context.Context, what string, do func(context.Context) error) {
	for n := 1; ctx.Err() == nil; n++ {
		err := do(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		wait := c.retry.after(n, err)
		c.complain(err).WithField("again_in", wait.String()).Error("cannot " + what + " with Telegram")
		worker.Rest(ctx, wait)
	}
}

// complain is a log entry about err that says how to fix it. It shows Telegram's own words, so err
// must not come from a call that carries anybody's.
func (c *Channel) complain(err error) logrus.FieldLogger {
	log := c.log.WithError(err)
	refusal, refused := errors.AsType[*apiError](err)
	if !refused {
		return log
	}
	log = log.WithField("telegram_says", c.redact(refusal.description))
	switch {
	case refusal.code == http.StatusUnauthorized || refusal.code == http.StatusNotFound:
		return log.WithField("fix", "the token is wrong or was revoked: ask @BotFather for the bot's token and set it for this account")
	case refusal.code == http.StatusConflict && refusal.says("webhook"):
		return log.WithField("fix", "somebody registered a webhook for this bot: use one way for each bot, webhook or polling")
	case refusal.code == http.StatusConflict:
		return log.WithField("fix", "another program polls with this token: stop it, or give it a bot of its own")
	case refusal.code == http.StatusBadRequest && refusal.says("webhook"):
		return log.WithField("fix", "public_url must be an https address that the internet can reach on port 443, 80, 88 or 8443")
	}
	return log
}

// inspect reports what Telegram could not deliver since a time in Unix seconds, registers again what
// somebody took away, and returns since when to report next.
func (c *Channel) inspect(ctx context.Context, hookURL string, since int64) int64 {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	info, err := c.api.GetWebhookInfo(call)
	if err != nil {
		if ctx.Err() == nil {
			c.complain(err).Warn("cannot ask Telegram about the webhook")
		}
		return since
	}
	log := c.log.WithField("pending", info.PendingUpdateCount)
	switch {
	case info.URL == "":
		log.Error("the webhook was removed by somebody; registering it again")
		c.insist(ctx, "register", func(ctx context.Context) error { return c.Start(ctx, hookURL) })
	case info.URL != hookURL:
		log.Error("somebody registered another webhook for this bot: its messages go there")
	case int64(info.LastErrorDate) >= since:
		log.WithField("telegram_says", c.redact(info.LastErrorMessage)).Warn("Telegram had trouble with the webhook")
		return int64(info.LastErrorDate) + 1
	}
	return since
}
