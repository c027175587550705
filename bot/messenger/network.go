package messenger

import (
	"context"
	"strings"

	"faqbot/bot"
	"faqbot/bot/graphapi"
	"faqbot/bot/network"
)

const guidePath = "bot/messenger/SETUP.md"

// Messenger is Messenger as the service knows it.
func Messenger() network.Network {
	n := shared(new(Channel).Limits())
	n.Name, n.Label, n.Needs = "messenger", "Messenger", "A Facebook Page and an app in Meta's console."
	n.Fields = []network.Field{network.IDField(),
		{Name: "page_id", Label: "Page ID", Must: true, Hint: "Messenger → Settings → Access tokens, beside the page."},
		{Name: "token", Label: "Page token", Secret: true, Must: true, Hint: "Generate token beside the page; it needs pages_messaging and pages_manage_metadata."},
		graphapi.AppField("App settings → Basic.", true), graphapi.SecretField(), network.AffiliatesField(), network.LocaleField(), graphapi.VerifyField()}
	return n
}

// Instagram is Instagram's direct messages as the service knows them.
func Instagram() network.Network {
	n := shared((&Channel{instagram: true}).Limits())
	n.Name, n.Label, n.Needs = "instagram", "Instagram", "A professional Instagram account and an app in Meta's console."
	n.Fields = []network.Field{network.IDField(),
		{Name: "page_id", Label: "Instagram account ID", Must: true, Hint: "As webhooks show it; it begins with 1784."},
		{Name: "token", Label: "Token", Secret: true, Must: true, Hint: "Of the linked page, with instagram_manage_messages; or of Instagram login."},
		graphapi.AppField("App settings → Basic. Empty with Instagram login.", false), graphapi.SecretField(),
		{Name: "api_base", Label: "API address", Hint: "https://graph.instagram.com with Instagram login; else empty."},
		network.AffiliatesField(), network.LocaleField(), graphapi.VerifyField()}
	return n
}

func shared(limits bot.Limits) network.Network {
	return network.Network{
		Icon: "chat", Guide: Setup, GuidePath: guidePath, WebhookSection: "3-the-webhook", SettingsSection: "2-faqbot",
		Fill: graphapi.Fill, Proof: graphapi.Proof,
		Complete: func(s *network.Settings) error {
			if err := graphapi.Complete(s, guidePath); err != nil {
				return err
			}
			if s.PageID == "" {
				return network.Wrong("page_id", "page_id is missing: the page's or Instagram account's ID; see %s", guidePath)
			}
			return nil
		},
		Limits: limits,
		Open: func(s network.Settings, o network.Options) (bot.Channel, error) {
			return New(s.Account(), Options{Page: s.PageID, App: s.AppID, Token: string(s.Token),
				Secrets: strings.Fields(string(s.Secret)), VerifyToken: string(s.VerifyToken), APIBase: s.APIBase, APIVersion: s.APIVersion, Files: o.Files, Log: o.Log})
		},
		Run: func(ctx context.Context, c bot.Channel, _ network.Settings, _ network.RunOptions) error {
			return c.(*Channel).Run(ctx)
		},
	}
}
