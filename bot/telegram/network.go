package telegram

import (
	"context"
	"crypto/rand"
	"regexp"

	"faqbot/bot"
	"faqbot/bot/network"
)

// Network is Telegram as the service knows it.
func Network() network.Network {
	return network.Network{
		Name: "telegram", Label: "Telegram", Icon: "send", Needs: "Ten minutes and a token from @BotFather.",
		Guide: Setup, GuidePath: "bot/telegram/SETUP.md", WebhookSection: "3-the-webhook", SettingsSection: "2-faqbot", Polls: true,
		Fields: []network.Field{network.IDField(),
			{Name: "token", Label: "Bot token", Secret: true, Must: true, Hint: "@BotFather gives it to you: /mybots → the bot → API Token."},
			network.AffiliatesField(), network.LocaleField()},
		Fill: fill, Complete: complete,
		Limits: new(Channel).Limits(),
		Open: func(s network.Settings, o network.Options) (bot.Channel, error) {
			return New(s.Account(), Options{Token: string(s.Token), Secret: string(s.Secret), APIBase: s.APIBase, Files: o.Files, Log: o.Log})
		},
		Run: func(ctx context.Context, c bot.Channel, s network.Settings, o network.RunOptions) error {
			if s.Mode == network.ModePoll {
				return c.(*Channel).Poll(ctx, o.Receive)
			}
			return c.(*Channel).Run(ctx, o.Webhook)
		},
	}
}

// fill chooses the mode that can work, and the secret that Telegram shows with every call.
func fill(s *network.Settings, public bool) {
	if s.Mode == "" && !public {
		s.Mode = network.ModePoll
	}
	if s.Secret == "" {
		s.Secret = network.Secret(rand.Text())
	}
}

func complete(s *network.Settings) error {
	if s.Mode == "" {
		s.Mode = network.ModeWebhook
	}
	switch {
	case s.Mode != network.ModeWebhook && s.Mode != network.ModePoll:
		return network.Wrong("mode", "mode = %q: use \"webhook\" or \"poll\"", s.Mode)
	case s.Token == "":
		return network.Wrong("token", "token is missing: @BotFather gives it to you")
	case s.Mode == network.ModeWebhook && !regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`).MatchString(string(s.Secret)):
		return network.Wrong("secret", "secret is missing or malformed: in webhook mode it is how we know that Telegram is calling; choose 1 to 256 letters, digits, _ and -")
	}
	return nil
}
