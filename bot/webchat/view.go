package webchat

import (
	"bytes"
	"crypto/rand"
	"net/url"
	"path"
	"time"

	"faqbot/bot"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/plaintext"
)

// A bubble is one message as its template shows it.
type bubble struct {
	Seq     int64
	Own     bool
	Who     string // you, bot, person: how it looks
	By      string // who says it, in words
	Parts   []plaintext.Part
	Choices []bot.Choice
	Open    bool // its choices can still be taken
	Files   []file
	Clock   string // until the script knows better, UTC
	Stamp   string
	Day     string // set on the first message of a day
	Form    form
}

// A form is what every form of ours carries along.
type form struct {
	Path, Visitor, Key, Locale string
	W                          locale.Texts
}

// newForm returns a form with a key of its own: posting it twice says one thing.
func (s *Site) newForm(v *visit, who visitor) form {
	return form{Path: v.channel.path(""), Visitor: who.token, Key: rand.Text(), Locale: v.language.locale, W: v.words}
}

// A file is an attachment of a message.
type file struct {
	Name, Href string
	Alt        string // of a photo
	Show       string // photo, audio, video; anything else is a name to click on
	Size       int64
}

// bubbles are messages as the visitor sees them.
func (s *Site) bubbles(v *visit, who visitor, list []bot.Message) []bubble {
	answered := -1 // index of the visitor's last message: what was offered before it is past
	for i, m := range list {
		if m.Author == bot.AuthorCustomer {
			answered = i
		}
	}
	out := make([]bubble, 0, len(list))
	day := ""
	for i, m := range list {
		at := m.At.UTC()
		b := bubble{Seq: m.Seq, Parts: plaintext.Linkify(m.Text), Choices: m.Choices, Open: i > answered, Files: s.filesOf(v.channel, m),
			Clock: at.Format("15:04"), Stamp: at.Format(time.RFC3339), Form: s.newForm(v, who)}
		switch m.Author {
		case bot.AuthorCustomer:
			b.Own, b.Who, b.By = true, "you", v.words["you"]
		case bot.AuthorAgent:
			b.Who, b.By = "person", v.words["person"]
		default:
			b.Who, b.By = "bot", v.words["bot"]
		}
		if d := at.Format(time.DateOnly); d != day {
			day, b.Day = d, d
		}
		out = append(out, b)
	}
	return out
}

func (s *Site) filesOf(c *Channel, m bot.Message) (list []file) {
	for _, a := range m.Attachments {
		f := file{Name: a.Name, Size: a.Size, Show: a.Kind, Href: a.Link, Alt: a.Alt}
		if a.Kept != "" {
			f.Href = c.path("/media/"+url.PathEscape(a.Kept)) + "?" + url.Values{"name": {a.Name}, "key": {s.sign("media", c.account.ID, a.Kept, a.Name)}}.Encode()
		}
		if f.Name == "" {
			f.Name = path.Base(a.Link)
		}
		if f.Alt == "" {
			f.Alt = f.Name
		}
		list = append(list, f)
	}
	return list
}

// html is a bubble as the page shows it.
func (s *Site) html(b bubble) (string, error) {
	var out bytes.Buffer
	err := s.pages.ExecuteTemplate(&out, "bubble", b)
	return out.String(), err
}
