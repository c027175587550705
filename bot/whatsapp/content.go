package whatsapp

import (
	"cmp"
	"strings"

	"faqbot/bot"
	"faqbot/bot/lenient"
)

// inbound is what a message says. Whatever has no words and is no file is an attachment that says in
// its Name what it is: nothing that a customer sends is passed over.
func (c *content) inbound() *bot.Inbound {
	in := &bot.Inbound{}
	switch {
	case c.Text != nil:
		in.Text = c.Text.Body
	case c.Interactive != nil && c.Interactive.Button != nil:
		tapped(in, *c.Interactive.Button)
	case c.Interactive != nil && c.Interactive.List != nil:
		tapped(in, *c.Interactive.List)
	case c.Interactive != nil && c.Interactive.Form != nil:
		form := c.Interactive.Form
		in.Attachments = []bot.Attachment{thing(bot.KindForm, cmp.Or(lenient.FormWords(form.Response, "flow_token"), form.Name))}
	case c.Button != nil: // under a template: its words are all we gave it
		in.Text = c.Button.Text
	case c.Order != nil:
		in.Text = c.Order.Text
		var lines []string
		for _, i := range c.Order.Items {
			lines = append(lines, i.words())
		}
		in.Attachments = []bot.Attachment{thing(bot.KindOrder, lines...)}
	case c.Type == "request_welcome": // they opened the chat for the first time
		in.Text = "/start"
	case c.Location != nil:
		at := thing("location", c.Location.Name, c.Location.Address, c.Location.place())
		at.Link = lenient.WebLink(c.Location.URL)
		in.Attachments = []bot.Attachment{at}
	case len(c.Contacts) > 0:
		for _, person := range c.Contacts {
			words := []string{person.Name.Formatted}
			for _, p := range person.Phones {
				words = append(words, p.Phone)
			}
			in.Attachments = append(in.Attachments, thing("contact", words...))
		}
	default:
		c.files(in)
	}
	if in.Text == "" && in.Choice == "" && len(in.Attachments) == 0 {
		in.Attachments = []bot.Attachment{thing("other", c.Type)}
	}
	return in
}

// tapped is a tap on one of our choices. The description of a row has the label in full.
func tapped(in *bot.Inbound, r reply) {
	in.Text = r.Title
	if r.Description != "" {
		in.Text = r.Description
	}
	if len(r.ID) <= choiceMost {
		in.Choice = r.ID
	}
}

func (c *content) files(in *bot.Inbound) {
	add := func(kind string, f *file) {
		if f == nil {
			return
		}
		if kind == "audio" && f.Voice {
			kind = "voice"
		}
		in.Text = f.Caption
		in.Attachments = append(in.Attachments, bot.Attachment{Kind: kind, File: f.ID, Name: f.Name, Type: f.Type})
	}
	add("photo", c.Image)
	add("video", c.Video)
	add("audio", c.Audio)
	add("voice", c.Voice)
	add("document", c.Document)
	add("sticker", c.Sticker)
}

func thing(kind string, words ...string) bot.Attachment {
	var said []string
	for _, w := range words {
		if w = strings.TrimSpace(w); w != "" {
			said = append(said, w)
		}
	}
	return bot.Attachment{Kind: kind, Name: strings.Join(said, ", ")}
}

func (l *location) place() string {
	return strings.TrimSpace(string(l.Latitude + " " + l.Longitude))
}

// words are an order's line as a person reads it: "2 × KIT-1 at 29 EUR".
func (i item) words() string {
	words := i.Retailer
	if i.Quantity != "" {
		words = string(i.Quantity) + " × " + words
	}
	if i.Price != "" {
		words += " at " + strings.TrimSpace(string(i.Price)+" "+i.Currency)
	}
	return words
}
