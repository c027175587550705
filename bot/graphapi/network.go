package graphapi

import (
	"crypto/rand"
	"net/url"

	"faqbot/bot/network"
)

// What Meta's networks have in common as networks.

// AppField asks for the app's ID.
func AppField(hint string, must bool) network.Field {
	return network.Field{Name: "app_id", Label: "App ID", Must: must, Hint: hint}
}

// SecretField asks for the app's secret.
func SecretField() network.Field {
	return network.Field{Name: "secret", Label: "App secret", Secret: true, Must: true, Hint: "App settings → Basic → App secret → Show."}
}

// VerifyField asks for the text that Meta shows.
func VerifyField() network.Field {
	return network.Field{Name: "verify_token", Label: "Verify token", Secret: true, Hint: "Empty makes one. Only needed if your app has one already."}
}

// Fill makes a verify token.
func Fill(s *network.Settings, _ bool) {
	if s.VerifyToken == "" {
		s.VerifyToken = network.Secret(rand.Text())
	}
}

// Complete checks what every account on Meta's networks needs. guide is the network's GuidePath.
func Complete(s *network.Settings, guide string) error {
	for _, f := range []struct {
		name  string
		value network.Secret
		what  string
	}{
		{"token", s.Token, "it sends in the account's name"},
		{"secret", s.Secret, "the app's secret is how we know that Meta is calling"},
		{"verify_token", s.VerifyToken, "choose any text and enter the same in the app's webhook settings"},
	} {
		if f.value == "" {
			return network.Wrong(f.name, "%s is missing: %s; see %s", f.name, f.what, guide)
		}
	}
	if s.Mode != "" && s.Mode != network.ModeWebhook {
		return network.Wrong("mode", "mode = %q: Meta only calls webhooks; leave it out", s.Mode)
	}
	return nil
}

// Proof is how Meta asks whether a webhook is ours.
func Proof(s network.Settings) url.Values {
	return url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1"}, "hub.verify_token": {string(s.VerifyToken)}}
}
