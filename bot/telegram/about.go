package telegram

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"

	"faqbot/bot"
	"faqbot/bot/lenient"
	"faqbot/knowledge/plaintext"
)

// maxQuote is how much of a message that is replied to is kept, in characters.
const maxQuote = 300

// pointedAt lists what the words of m are about: an earlier message or a part of one, a story, a link.
func (m *message) pointedAt() (list []bot.Attachment) {
	add := func(a bot.Attachment) {
		a.Name = plaintext.Cut(a.Name, maxQuote)
		list = append(list, a)
	}
	switch {
	case m.ReplyTo != nil && m.ReplyTo.isStart(): // in a forum every message replies to the topic
	case m.ReplyTo != nil:
		add(bot.Attachment{Kind: bot.KindReply, Of: fmt.Sprint(m.ReplyTo.ID), Name: cmp.Or(m.Quote.text(), m.ReplyTo.Text, m.ReplyTo.Caption, m.ReplyTo.named())})
	case m.External != nil:
		add(bot.Attachment{Kind: bot.KindPost, Name: cmp.Or(m.Quote.text(), m.External.named()), Link: m.External.link()})
	case m.Quote != nil:
		add(bot.Attachment{Kind: bot.KindReply, Name: m.Quote.Text})
	}
	if m.ToStory != nil {
		add(bot.Attachment{Kind: bot.KindStory, Link: m.ToStory.link()})
	}
	for _, marked := range []struct {
		text     string
		entities []entity
	}{{m.Text, m.Entities}, {m.Caption, m.InCaption}} {
		units := utf16.Encode([]rune(marked.text))
		for _, e := range marked.entities {
			if e.Type == "text_link" && e.Offset >= 0 && e.Length > 0 && e.Offset <= len(units) && e.Length <= len(units)-e.Offset {
				add(bot.Attachment{Kind: bot.KindLink, Name: string(utf16.Decode(units[e.Offset : e.Offset+e.Length])), Link: lenient.WebLink(e.URL)})
			}
		}
	}
	return list
}

func (m *message) isStart() bool { return m.Text == "" && m.Caption == "" && len(m.attachments()) == 0 }

func (q *quote) text() string {
	if q == nil {
		return ""
	}
	return q.Text
}

// named is what the things that came with a message are called.
func (m *media) named() string {
	var names []string
	for _, a := range m.attachments() {
		names = append(names, cmp.Or(a.Name, a.Kind))
	}
	return strings.Join(names, ", ")
}

// link is where a message of a public chat is shown, "" if its chat is not public.
func (e *external) link() string {
	if e.Chat == nil || e.Chat.Username == "" || e.Message == 0 {
		return ""
	}
	return fmt.Sprintf("https://t.me/%s/%d", url.PathEscape(e.Chat.Username), e.Message)
}

// unknown is what a message holds of a kind that nobody had when this was written, by its name and whatever words it
// has. What only tells of a chat itself is nothing.
func unknown(update []byte) (list []bot.Attachment) {
	var u struct {
		Message map[string]json.RawMessage `json:"message"`
	}
	if json.Unmarshal(update, &u) != nil {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(u.Message)) {
		raw := u.Message[key]
		if len(raw) == 0 || raw[0] != '{' && raw[0] != '[' || beside(key) {
			continue
		}
		words := []string{strings.ReplaceAll(key, "_", " ")}
		lenient.EachObject(raw, func(o map[string]any) {
			for _, name := range []string{"title", "name", "text", "caption", "description"} {
				if s, ok := o[name].(string); ok && s != "" {
					words = append(words, s)
				}
			}
		})
		list = append(list, bot.Attachment{Kind: "other", Name: strings.Join(words, ", ")})
	}
	return list
}

// beside reports whether a field stands beside what a customer sends, or tells of the chat itself.
func beside(field string) bool {
	for _, part := range []string{"from", "chat", "reply", "via_", "entities", "link_preview", "forward", "quote", "topic", "video_chat", "giveaway", "member",
		"pinned_message", "auto_delete", "connected_website", "write_access", "passport", "proximity", "boost", "suggested_post", "business"} {
		if strings.Contains(field, part) {
			return true
		}
	}
	return false
}
