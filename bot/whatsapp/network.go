package whatsapp

import (
	"context"
	"strings"

	"faqbot/bot"
	"faqbot/bot/graphapi"
	"faqbot/bot/network"
)

const guidePath = "bot/whatsapp/SETUP.md"

// Network is WhatsApp as the service knows it.
func Network() network.Network {
	return network.Network{
		Name: "whatsapp", Label: "WhatsApp", Icon: "phone", Needs: "Half an hour in Meta's console, and a phone number.",
		Guide: Setup, GuidePath: guidePath, WebhookSection: "4-the-webhook", SettingsSection: "3-faqbot",
		Templates: "Make one in WhatsApp Manager; it appears here within ten minutes of its approval.",
		Fields: []network.Field{network.IDField(),
			{Name: "number_id", Label: "Phone number ID", Must: true, Hint: "WhatsApp → API Setup. It is not the phone number, and stands beside it."},
			{Name: "business_id", Label: "WhatsApp Business Account ID", Must: true, Hint: "WhatsApp → API Setup, below it."},
			{Name: "token", Label: "Token", Secret: true, Must: true, Hint: "Of a system user, with whatsapp_business_messaging and whatsapp_business_management."},
			graphapi.AppField("App settings → Basic.", true), graphapi.SecretField(), network.AffiliatesField(), network.LocaleField(), graphapi.VerifyField()},
		Fill: graphapi.Fill, Proof: graphapi.Proof,
		Complete: func(s *network.Settings) error {
			if err := graphapi.Complete(s, guidePath); err != nil {
				return err
			}
			if s.NumberID == "" {
				return network.Wrong("number_id", "number_id is missing: it stands beside the phone number in the app's API setup; see %s", guidePath)
			}
			return nil
		},
		Limits: new(Channel).Limits(),
		Open: func(s network.Settings, o network.Options) (bot.Channel, error) {
			return New(s.Account(), Options{Number: s.NumberID, Business: s.BusinessID, App: s.AppID, Token: string(s.Token),
				Secrets: strings.Fields(string(s.Secret)), VerifyToken: string(s.VerifyToken), APIBase: s.APIBase, APIVersion: s.APIVersion, Files: o.Files, Log: o.Log})
		},
		Run: func(ctx context.Context, c bot.Channel, _ network.Settings, _ network.RunOptions) error {
			return c.(*Channel).Run(ctx)
		},
	}
}
