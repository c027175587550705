package messenger

import (
	"cmp"
	"slices"
	"strings"

	"faqbot/bot"
	"faqbot/bot/lenient"
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
	if r := m.ReplyTo; r != nil && r.Story != nil {
		in.Attachments = append(in.Attachments, bot.Attachment{Kind: bot.KindStory, Link: lenient.WebLink(r.Story.URL)})
	} else if r != nil && r.ID != "" {
		in.Attachments = append(in.Attachments, bot.Attachment{Kind: bot.KindReply, Of: r.ID})
	}
	if m.Referral != nil && m.Referral.Product != nil && m.Referral.Product.ID != "" {
		in.Attachments = append(in.Attachments, bot.Attachment{Kind: bot.KindProduct, Name: string(m.Referral.Product.ID)})
	}
	if m.Unsupported && len(in.Attachments) == 0 {
		in.Attachments = []bot.Attachment{{Kind: "other"}}
	}
	return in
}

// into adds an attachment to in. Applause is words: they mean to say something by it.
func (a attachment) into(in *bot.Inbound) {
	title, link, sticker := a.Payload.Title, a.Payload.URL, string(a.Payload.Sticker)
	if title == "" {
		title = a.Title
	}
	if link == "" {
		link = a.URL
	}
	file := func(kind string) {
		in.Attachments = append(in.Attachments, bot.Attachment{Kind: kind, File: link, Name: title})
	}
	point := func(kind, words, link string) {
		in.Attachments = append(in.Attachments, bot.Attachment{Kind: kind, Name: words, Link: lenient.WebLink(link)})
	}
	switch {
	case slices.Contains([]string{"369239263222822", "369239343222814", "369239383222810"}, sticker): // three sizes of a thumb
		in.Text = "👍"
	case a.Type == "like_heart":
		in.Text = "❤"
	case a.Type == "sticker", sticker != "":
		// Until late in 2026 a sticker came as an image too.
		if n := len(in.Attachments); n == 0 || in.Attachments[n-1].Kind != "sticker" {
			file("sticker")
		}
	case a.Type == "image":
		file("photo")
	case a.Type == "audio" && strings.Contains(link, "audioclip"):
		file("voice")
	case a.Type == "audio", a.Type == "video":
		file(a.Type)
	case a.Type == "file":
		file("document")
	case a.Type == "location" && a.Payload.Coordinates != nil:
		at := a.Payload.Coordinates
		in.Attachments = append(in.Attachments, bot.Attachment{Kind: "location", Name: string(at.Lat + " " + at.Long), Link: lenient.WebLink(link)})
	case a.Type == "fallback": // a preview of a link in the text
		if in.Text == "" || !strings.Contains(in.Text, link) {
			point(bot.KindLink, title, link)
		}
	case len(a.Payload.Product.Elements) > 0, len(a.Payload.Elements) > 0:
		for _, p := range slices.Concat(a.Payload.Product.Elements, a.Payload.Elements) {
			point(bot.KindProduct, p.words(), cmp.Or(p.Item, p.Image))
		}
	case strings.Contains(a.Type, "story"):
		point(bot.KindStory, title, link)
	case slices.Contains([]string{"ig_post", "ig_reel", "reel", "share", "post"}, a.Type):
		point(bot.KindPost, title, link)
	default:
		in.Attachments = append(in.Attachments, bot.Attachment{Kind: "other", Name: cmp.Or(title, a.Type), Link: lenient.WebLink(link)})
	}
}

// words are what a product is called, or its number where that is not told.
func (p product) words() string {
	words := strings.TrimSpace(p.Title + " " + p.Subtitle)
	return cmp.Or(words, p.Retailer, string(p.ID))
}
