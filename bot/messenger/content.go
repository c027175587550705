package messenger

import (
	"slices"
	"strings"

	"faqbot/bot"
)

// inbound is what a message says. Whatever has no words and is no file is an attachment that says in
// its Name what it is.
func (m *message) inbound() *bot.Inbound {
	in := &bot.Inbound{Text: m.Text}
	if m.Reply != nil && len(m.Reply.Payload) <= choiceMost {
		in.Choice = m.Reply.Payload
	}
	for _, a := range m.Attachments {
		a.into(in)
	}
	if m.Unsupported && len(in.Attachments) == 0 {
		in.Attachments = []bot.Attachment{{Kind: "other"}}
	}
	return in
}

// into adds an attachment to in. Applause is words: they mean to say something by it.
func (a attachment) into(in *bot.Inbound) {
	address, title, sticker := "", "", ""
	if a.Payload != nil {
		address, title, sticker = a.Payload.URL, a.Payload.Title, a.Payload.Sticker.String()
	}
	add := func(kind string) {
		in.Attachments = append(in.Attachments, bot.Attachment{Kind: kind, File: address, Name: title})
	}
	switch {
	case slices.Contains([]string{"369239263222822", "369239343222814", "369239383222810"}, sticker): // three sizes of a thumb
		in.Text = "👍"
	case a.Type == "like_heart":
		in.Text = "❤"
	case a.Type == "sticker", sticker != "":
		// Until late in 2026 a sticker came as an image too.
		if n := len(in.Attachments); n == 0 || in.Attachments[n-1].Kind != "sticker" {
			add("sticker")
		}
	case a.Type == "image":
		add("photo")
	case a.Type == "audio" && strings.Contains(address, "audioclip"):
		add("voice")
	case a.Type == "audio", a.Type == "video":
		add(a.Type)
	case a.Type == "file":
		add("document")
	case a.Type == "location" && a.Payload != nil && a.Payload.Coordinates != nil:
		at := a.Payload.Coordinates
		in.Attachments = append(in.Attachments, bot.Attachment{Kind: "location", Name: at.Lat.String() + " " + at.Long.String()})
	case a.Type == "fallback": // a preview of a link in the text
		if in.Text == "" {
			in.Text = strings.TrimSpace(title + " " + address)
		}
	default:
		if title == "" {
			title = a.Type
		}
		address = "" // a post, a story: no file of the customer's
		add("other")
	}
}
