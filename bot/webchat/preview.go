package webchat

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"sync"

	"faqbot/bot/network"
)

// previewsMost is how many previews are kept: one for each form that somebody fills in, and some of the last changes.
const previewsMost = 50

// previews are chats with settings that are not saved, by names that nobody guesses. They can be looked at, and take
// nothing.
type previews struct {
	mu    sync.Mutex
	kept  map[string]*Channel
	order []string // the oldest first
}

// Preview returns the address of a page that shows the widget as an account with these settings would have it.
func (s *Site) Preview(settings network.Settings) (address string, err error) {
	title := settings.Name
	if title == "" {
		title = settings.ID
	}
	settings.ID = "~" + rand.Text()
	c, err := New(settings.Account(), Options{Name: title, Welcome: settings.Welcome, Color: settings.Color, Position: settings.Position, Suggested: settings.Suggested})
	if err != nil {
		return "", err
	}
	c.preview = true
	s.previews.mu.Lock()
	defer s.previews.mu.Unlock()
	if len(s.previews.order) == previewsMost {
		s.previews.kept[s.previews.order[0]].hub.Close()
		delete(s.previews.kept, s.previews.order[0])
		s.previews.order = s.previews.order[1:]
	}
	s.previews.kept[c.account.ID], s.previews.order = c, append(s.previews.order, c.account.ID)
	return c.path("/preview"), nil
}

func (p *previews) channel(id string) *Channel {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept[id]
}

// preview is a page as an affiliate's own could be, with the tag.
func (s *Site) showPreview(v *visit) {
	if !v.channel.preview {
		v.String(http.StatusNotFound, "%s\n", v.words["err_gone"])
		return
	}
	var out bytes.Buffer
	if err := s.pages.ExecuteTemplate(&out, "preview", frameView{Name: v.channel.o.Name, Lang: v.language.locale, Dir: v.language.dir(), Account: v.channel.account.ID, Form: form{Path: v.channel.path("")}}); err != nil {
		r := s.broken(v, "cannot show a preview", err)
		v.String(r.status, "%s\n", r.say(v.words))
		return
	}
	v.Header("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'self'")
	v.Data(http.StatusOK, "text/html; charset=utf-8", out.Bytes())
}
