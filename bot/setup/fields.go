package setup

import "strings"

// A Field is one thing to ask a person who adds an account.
type Field struct {
	Name   string // as the file names it
	Label  string
	Hint   string
	Secret bool // to be typed unseen
	Must   bool // needed
}

// Fields are what to ask about an account of a channel, in order.
func Fields(channel string) []Field {
	id := Field{Name: "id", Label: "Your name for it", Must: true, Hint: "Part of the webhook's address, for example “shop”. Letters, digits and . _ ~ : @ -"}
	affiliates := Field{Name: "affiliates", Label: "Affiliates", Must: true, Hint: "Whose entries answer. Commas between several; * means everyone's."}
	locale := Field{Name: "locale", Label: "Language", Hint: "When a customer's is unknown: en, es, pt-BR. Empty means en."}
	verify := Field{Name: "verify_token", Label: "Verify token", Secret: true, Hint: "Empty makes one. Only needed if your app has one already."}
	secret := Field{Name: "secret", Label: "App secret", Secret: true, Must: true, Hint: "App settings → Basic → App secret → Show."}
	switch channel {
	case "telegram":
		return []Field{id, {Name: "token", Label: "Bot token", Secret: true, Must: true, Hint: "@BotFather gives it to you: /mybots → the bot → API Token."}, affiliates, locale}
	case "whatsapp":
		return []Field{id,
			{Name: "number_id", Label: "Phone number ID", Must: true, Hint: "WhatsApp → API Setup. It is not the phone number, and stands beside it."},
			{Name: "business_id", Label: "WhatsApp Business Account ID", Must: true, Hint: "WhatsApp → API Setup, below it."},
			{Name: "token", Label: "Token", Secret: true, Must: true, Hint: "Of a system user, with whatsapp_business_messaging and whatsapp_business_management."},
			{Name: "app_id", Label: "App ID", Must: true, Hint: "App settings → Basic."}, secret, affiliates, locale, verify}
	case "messenger":
		return []Field{id, {Name: "page_id", Label: "Page ID", Must: true, Hint: "Messenger → Settings → Access tokens, beside the page."},
			{Name: "token", Label: "Page token", Secret: true, Must: true, Hint: "Generate token beside the page; it needs pages_messaging and pages_manage_metadata."},
			{Name: "app_id", Label: "App ID", Must: true, Hint: "App settings → Basic."}, secret, affiliates, locale, verify}
	case "instagram":
		return []Field{id, {Name: "page_id", Label: "Instagram account ID", Must: true, Hint: "As webhooks show it; it begins with 1784."},
			{Name: "token", Label: "Token", Secret: true, Must: true, Hint: "Of the linked page, with instagram_manage_messages; or of Instagram login."},
			{Name: "app_id", Label: "App ID", Hint: "App settings → Basic. Empty with Instagram login."}, secret,
			{Name: "api_base", Label: "API address", Hint: "https://graph.instagram.com with Instagram login; else empty."}, affiliates, locale, verify}
	}
	return nil
}

// Set sets a field by its name.
func (s *Settings) Set(name, value string) {
	value = strings.TrimSpace(value)
	switch name {
	case "id":
		s.ID = value
	case "token":
		s.Token = Secret(value)
	case "secret":
		s.Secret = Secret(value)
	case "verify_token":
		s.VerifyToken = Secret(value)
	case "number_id":
		s.NumberID = value
	case "business_id":
		s.BusinessID = value
	case "page_id":
		s.PageID = value
	case "app_id":
		s.AppID = value
	case "api_base":
		s.APIBase = value
	case "locale":
		s.Locale = value
	case "affiliates":
		s.Affiliates = nil
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				s.Affiliates = append(s.Affiliates, part)
			}
		}
	}
}

// IsReference reports whether a secret stands for another place instead of being the value itself.
func IsReference(value string) bool {
	return strings.HasPrefix(value, "env:") || strings.HasPrefix(value, "file:")
}
