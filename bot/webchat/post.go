package webchat

import (
	"context"
	"errors"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/bot/fit"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/mail"
	"faqbot/knowledge/media"
)

const (
	formMost      = 64 << 10 // bytes of a form without its file
	maxChoice     = 64       // bytes of a payload
	payloadPerson = "person" // the header's button: what the dialogue's own offers carry
)

// A said is one message as a visitor posted it, checked.
type said struct {
	key          string
	text, choice string
	file         *multipart.FileHeader
}

// post takes what a visitor says.
func (s *Site) post(v *visit) {
	who, r := s.open(v, s.o.FileMax+formMost)
	defer closeForm(v.Request)
	var m said
	if r == nil {
		m, r = s.readSaid(v)
	}
	if r == nil {
		r = s.admit(v, who, m.file != nil)
	}
	if r == nil {
		r = s.take(v, who, m)
	}
	s.finish(v, who, r, saying{text: m.text})
}

// open reads the form and finds out whose it is.
func (s *Site) open(v *visit, most int64) (visitor, *refusal) {
	word := "err_file_large"
	parse := func() error { return v.Request.ParseMultipartForm(formMost) }
	if v.ContentType() != "multipart/form-data" {
		most, word, parse = formMost, "err_long", v.Request.ParseForm
	}
	v.Request.Body = http.MaxBytesReader(v.Writer, v.Request.Body, most)
	err := parse()
	if locale := v.Request.PostForm.Get("locale"); locale != "" {
		v.speak(s, chooseLanguage(locale))
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		who, _ := s.identify(v) // the form is not to be had, a header or a cookie may do
		return who, &refusal{status: http.StatusRequestEntityTooLarge, word: word}
	}
	if err != nil {
		return visitor{}, &refusal{status: http.StatusBadRequest, word: "err_unreadable"}
	}
	return s.identify(v)
}

// closeForm removes what a large form left on disk.
func closeForm(r *http.Request) {
	if r.MultipartForm != nil {
		_ = r.MultipartForm.RemoveAll() // the system's temporary folder is swept anyway
	}
}

// readSaid checks a posted message.
func (s *Site) readSaid(v *visit) (said, *refusal) {
	f := v.Request.PostForm
	m := said{key: f.Get("key"), text: strings.ReplaceAll(f.Get("text"), "\r\n", "\n"), choice: f.Get("choice")}
	bad := func(status int, word string) (said, *refusal) { return m, &refusal{status: status, word: word} }
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`).MatchString(m.key) || !utf8.ValidString(m.text) || len(m.choice) > maxChoice || !utf8.ValidString(m.choice) {
		m.text = strings.ToValidUTF8(m.text, "\uFFFD")
		return bad(http.StatusBadRequest, "err_unreadable")
	}
	m.text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, m.text))
	if fit.UTF16Len(m.text) > maxText {
		return bad(http.StatusBadRequest, "err_long")
	}
	if v.Request.MultipartForm != nil {
		for _, h := range v.Request.MultipartForm.File["file"] {
			if h.Size > 0 && m.choice == "" { // a form without a chosen file posts an empty one
				m.file = h
			}
		}
	}
	switch {
	case m.file != nil && s.o.Media == nil:
		return bad(http.StatusUnsupportedMediaType, "err_file_kind")
	case m.file != nil && m.file.Size > s.o.FileMax:
		return bad(http.StatusRequestEntityTooLarge, "err_file_large")
	case m.text == "" && m.choice == "" && m.file == nil:
		return bad(http.StatusBadRequest, "err_empty")
	}
	return m, nil
}

// admit applies the limits. Whoever begins a conversation counts against their IP address too, since
// names are to be had for nothing.
func (s *Site) admit(v *visit, who visitor, withFile bool) *refusal {
	key := v.channel.account.ID + "\x00" + who.customer
	_, err := s.o.Conversations.Find(v.Request.Context(), v.channel.address(who.customer))
	if errors.Is(err, bot.ErrNotFound) {
		if wait := s.fresh.Take(limits.Network(v.ClientIP())); wait > 0 {
			r := slow(wait)
			return &r
		}
	} else if err != nil {
		r := s.broken(v, "cannot find a visitor's conversation", err)
		return &r
	}
	if wait := s.messages.Take(key); wait > 0 {
		r := slow(wait)
		return &r
	}
	if withFile {
		if wait := s.files.Take(key); wait > 0 {
			r := slow(wait)
			return &r
		}
	}
	return nil
}

// take passes m on. It returns nil once m is durable.
func (s *Site) take(v *visit, who visitor, m said) *refusal {
	ctx, c := v.Request.Context(), v.channel
	in := &bot.Inbound{Text: m.text, Choice: m.choice, NetworkID: m.key}
	if m.choice != "" {
		label, ok, err := s.label(ctx, v, who, m.choice)
		if err != nil {
			r := s.broken(v, "cannot read what was offered", err)
			return &r
		}
		if !ok {
			return &refusal{status: http.StatusBadRequest, word: "err_choice"}
		}
		in.Text = label
	}
	if m.file != nil {
		a, r := s.keep(v, who, m.file)
		if r != nil {
			return r
		}
		in.Attachments = []bot.Attachment{a}
	}
	event := bot.Event{Address: c.address(who.customer), ExternalID: "chat:" + m.key, At: s.o.Now(), Locale: v.language.locale, Message: in}
	if err := s.o.Accept(ctx, c.account, []bot.Event{event}); err != nil {
		r := s.broken(v, "cannot store what a visitor said", err)
		return &r
	}
	c.hub.Wake(saidTopic(who.customer))
	return nil
}

// label is what the button with payload says. Only what was offered can be chosen.
func (s *Site) label(ctx context.Context, v *visit, who visitor, payload string) (string, bool, error) {
	_, list, err := s.transcript(ctx, v.channel, who)
	if err != nil {
		return "", false, err
	}
	for i := len(list) - 1; i >= 0; i-- {
		for _, c := range list[i].Choices {
			if c.Payload == payload {
				return c.Label, true, nil
			}
		}
	}
	return v.words["ask_person"], payload == payloadPerson, nil
}

// keep stores a posted file.
func (s *Site) keep(v *visit, who visitor, h *multipart.FileHeader) (bot.Attachment, *refusal) {
	f, err := h.Open()
	if err != nil {
		r := s.broken(v, "cannot open a posted file", err)
		return bot.Attachment{}, &r
	}
	account := v.channel.account
	key := account.Key()
	b, err := s.o.Media.Put(v.Request.Context(), h.Filename, f, media.Owner{Visitor: key + "/" + who.customer, Address: limits.Network(v.ClientIP()),
		Account: key, Affiliate: string(account.Owner())})
	err = errors.Join(err, f.Close())
	switch {
	case errors.Is(err, media.ErrTooLarge):
		return bot.Attachment{}, &refusal{status: http.StatusRequestEntityTooLarge, word: "err_file_large"}
	case errors.Is(err, media.ErrQuota):
		return bot.Attachment{}, &refusal{status: http.StatusTooManyRequests, word: "err_file_quota"}
	case errors.Is(err, media.ErrDisk):
		s.o.Log.WithField("account", account.ID).Error("the disk is almost full: a file was refused")
		return bot.Attachment{}, &refusal{status: http.StatusInsufficientStorage, word: "err_file_disk"}
	case errors.Is(err, media.ErrType):
		return bot.Attachment{}, &refusal{status: http.StatusUnsupportedMediaType, word: "err_file_kind"}
	case err != nil:
		r := s.broken(v, "cannot keep a posted file", err)
		return bot.Attachment{}, &r
	}
	return bot.Attachment{Kind: b.Kind(), Kept: b.ID, Name: b.Name, Type: b.Type, Size: b.Size}, nil
}

// finish answers a post: the script with JSON, a browser without it with the page.
func (s *Site) finish(v *visit, who visitor, r *refusal, say saying) {
	switch {
	case v.script && r != nil:
		v.refuse(*r)
	case v.script:
		s.remember(v, who)
		v.JSON(http.StatusOK, gin.H{"ok": true})
	case r != nil && who.customer == "": // we do not know whose page to show
		r.head(v.Writer.Header())
		v.String(r.status, "%s\n", r.say(v.words))
	case r != nil:
		r.head(v.Writer.Header())
		s.show(v, who, r.status, saying{problem: r.say(v.words), text: say.text})
	default:
		if cookieToken(v) == who.token && !say.emailed && say.wayTo == "" {
			v.Redirect(http.StatusSeeOther, v.channel.path("")+"?"+url.Values{"locale": {v.language.locale}}.Encode())
			return
		}
		s.show(v, who, http.StatusOK, saying{emailed: say.emailed, way: say.way, wayTo: say.wayTo}) // no cookie: a redirect would lose them
	}
}

// email takes the address of somebody who waits for a person.
func (s *Site) email(v *visit) {
	who, r := s.open(v, formMost)
	address := strings.TrimSpace(v.Request.PostForm.Get("email"))
	if r == nil {
		if wait := s.messages.Take(v.channel.account.ID + "\x00" + who.customer); wait > 0 {
			limited := slow(wait)
			r = &limited
		}
	}
	if r == nil {
		r = s.contact(v, who, address)
	}
	s.finish(v, who, r, saying{emailed: r == nil})
}

// isPublic reports whether the host of an e-mail address can be one of the internet: "example.com".
func isPublic(address string) bool {
	parts := strings.Split(address[strings.LastIndex(address, "@")+1:], ".")
	return len(parts) > 1 && len(parts[len(parts)-1]) > 1 && !slices.Contains(parts, "")
}

func (s *Site) contact(v *visit, who visitor, address string) *refusal {
	if !mail.IsAddress(address) || !isPublic(address) || strings.ContainsFunc(address, unicode.IsControl) {
		return &refusal{status: http.StatusBadRequest, word: "err_email"}
	}
	ctx := v.Request.Context()
	conv, err := s.o.Conversations.Find(ctx, v.channel.address(who.customer))
	if errors.Is(err, bot.ErrNotFound) || s.o.Contact == nil && s.o.Mail == nil {
		return &refusal{status: http.StatusBadRequest, word: "err_empty"}
	}
	switch {
	case err != nil:
	case s.o.Mail != nil:
		err = s.o.Mail.Contact(ctx, conv.ID, address, v.language.own)
	default:
		err = s.o.Contact(ctx, conv.ID, address)
	}
	if err != nil {
		r := s.broken(v, "cannot keep a visitor's address", err)
		return &r
	}
	return nil
}

// session gives a visitor whom the embedding site names a token. A wrong proof gets none: the visitor
// stays who they are.
func (s *Site) session(v *visit) {
	v.Request.Body = http.MaxBytesReader(v.Writer, v.Request.Body, formMost)
	if wait := s.fresh.Take(limits.Network(v.ClientIP())); wait > 0 {
		v.refuse(slow(wait))
		return
	}
	p := proof{user: v.PostForm("user"), at: v.PostForm("signed_at"), signature: v.PostForm("signature")}
	log := s.o.Log.WithField("account", v.channel.account.ID)
	if !p.holds(v.channel.o.IdentitySecret, s.o.Now()) {
		log.Warn("a site's proof of who a visitor is does not hold, or is older than an hour; they stay anonymous")
		v.JSON(http.StatusOK, gin.H{"visitor": ""})
		return
	}
	if p.at == "" {
		v.channel.untimed.Do(func() {
			log.Warn("the site signs the user's ID alone (data-signature), which is good for ever: sign the time too, see data-signed-at in bot/webchat/SETUP.md")
		})
	}
	v.JSON(http.StatusOK, gin.H{"visitor": s.visitorCalled(v.channel, userPrefix+p.user).token, "untimed": p.at == ""})
}

// media serves a file to whoever holds its signed address.
func (s *Site) media(v *visit) {
	id, name := v.Param("id"), v.Query("name")
	if s.o.Media == nil || !s.signed(v.Query("key"), "media", v.channel.account.ID, id, name) {
		v.String(http.StatusNotFound, "%s\n", v.words["err_file_gone"])
		return
	}
	ctx, cancel := context.WithTimeout(v.Request.Context(), 10*time.Second)
	defer cancel()
	b, data, err := s.o.Media.Get(ctx, id)
	if errors.Is(err, media.ErrNotFound) {
		v.String(http.StatusNotFound, "%s\n", v.words["err_file_gone"])
		return
	}
	if err != nil {
		r := s.broken(v, "cannot read a file", err)
		v.String(r.status, "%s\n", r.say(v.words))
		return
	}
	media.Serve(v.Writer, v.Request, b, name, data)
}
