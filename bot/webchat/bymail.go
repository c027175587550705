package webchat

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"faqbot/bot"
)

// ErrNoAddress is returned by Mail.Confirm for a link that is not, or no longer, good.
var ErrNoAddress = errors.New("the link confirms no address")

// Mail reaches visitors who have left, at addresses that they left.
type Mail interface {
	// Contact asks the address whether it is the visitor's.
	Contact(ctx context.Context, conversation bot.ConversationID, email, locale string) error
	// Confirm takes the answer, and returns the address.
	Confirm(ctx context.Context, conversation bot.ConversationID, signature string) (email string, err error)
	// Seen says that the visitor has the chat open.
	Seen(ctx context.Context, conversation bot.ConversationID) error
}

const (
	// backFor is how long the link in a mail opens the chat.
	backFor = 30 * 24 * time.Hour
	// seenEvery is how often a page says that it is open.
	seenEvery = time.Minute
)

// ConfirmPath is where the address of a conversation is confirmed.
func ConfirmPath(conv bot.Conversation, signature, locale string) string {
	return "/chat/" + url.PathEscape(conv.Address.Account) + "/confirm?" +
		url.Values{"conversation": {string(conv.ID)}, "signature": {signature}, "locale": {locale}}.Encode()
}

// BackPath is where a conversation's customer goes on in the chat, on whatever device. Whoever has it is the customer
// for backFor.
func (s *Site) BackPath(conv bot.Conversation, locale string) string {
	issued := strconv.FormatInt(s.o.Now().UnixMilli(), 10)
	ticket := base64.RawURLEncoding.EncodeToString([]byte(conv.Address.Customer)) + "." + issued + "." +
		s.sign("back", conv.Address.Account, conv.Address.Customer, issued)
	return "/chat/" + url.PathEscape(conv.Address.Account) + "/back?" + url.Values{"to": {ticket}, "locale": {locale}}.Encode()
}

// back opens the chat of whom the link in a mail is for. Who was signed out since comes as somebody new.
func (s *Site) back(v *visit) {
	parts := strings.Split(v.Query("to"), ".")
	customer, err := base64.RawURLEncoding.Strict().DecodeString(parts[0])
	if err != nil || len(parts) != 3 || !s.signed(parts[2], "back", v.channel.account.ID, string(customer), parts[1]) {
		s.frame(v)
		return
	}
	issued, err := strconv.ParseInt(parts[1], 10, 64)
	until, err2 := s.o.SignedOut(v.Request.Context(), v.channel.account.ID, string(customer))
	if err != nil || err2 != nil || s.o.Now().Sub(time.UnixMilli(issued)) > backFor || !until.IsZero() && !time.UnixMilli(issued).After(until) {
		s.frame(v)
		return
	}
	who := s.visitorCalled(v.channel, string(customer))
	if !who.anonymous() { // their site proves them; here the page carries who they are
		s.show(v, who, http.StatusOK, saying{})
		return
	}
	s.remember(v, who)
	v.Redirect(http.StatusSeeOther, v.channel.path("")+"?"+url.Values{"locale": {v.language.locale}}.Encode())
}

// Title is what stands above the chat that an address is in.
func (s *Site) Title(ctx context.Context, a bot.Address, locale string) string {
	c := s.channel(a.Account)
	if c == nil {
		return a.Account
	}
	brand, _ := s.o.Brand(ctx, c.account, locale) // the title is not worth an error
	return c.calledBy(brand)
}

// calledBy is the account's own, else what the affiliate calls themselves.
func (c *Channel) calledBy(b Brand) string {
	if c.o.Name != c.account.ID {
		return c.o.Name
	}
	return cmp.Or(b.Name, c.o.Name)
}

// A confirmView is the page that confirms an address. Programs open links in mails by themselves, so it takes a tap.
type confirmView struct {
	Form                          form
	Name, Lang, Dir               string
	Conversation, Signature, Said string
	Done                          bool
}

// askConfirm asks whether the address is to count.
func (s *Site) askConfirm(v *visit) {
	s.showConfirm(v, http.StatusOK, confirmView{Conversation: v.Query("conversation"), Signature: v.Query("signature")})
}

// confirm makes it count.
func (s *Site) confirm(v *visit) {
	v.Request.Body = http.MaxBytesReader(v.Writer, v.Request.Body, formMost)
	if locale := v.PostForm("locale"); locale != "" {
		v.speak(s, chooseLanguage(locale))
	}
	if s.o.Mail == nil {
		s.showConfirm(v, http.StatusNotFound, confirmView{Said: v.words["err_confirm"], Done: true})
		return
	}
	email, err := s.o.Mail.Confirm(v.Request.Context(), bot.ConversationID(v.PostForm("conversation")), v.PostForm("signature"))
	switch {
	case errors.Is(err, ErrNoAddress):
		s.showConfirm(v, http.StatusNotFound, confirmView{Said: v.words["err_confirm"], Done: true})
	case err != nil:
		r := s.broken(v, "cannot confirm an address", err)
		s.showConfirm(v, r.status, confirmView{Said: r.say(v.words), Done: true})
	default:
		s.showConfirm(v, http.StatusOK, confirmView{Said: v.words.Say("confirmed", "email", email), Done: true})
	}
}

func (s *Site) showConfirm(v *visit, status int, p confirmView) {
	p.Form, p.Lang, p.Dir = s.newForm(v, visitor{}), v.language.own, v.language.dir()
	p.Name = s.Title(v.Request.Context(), v.channel.address(""), v.language.own)
	var out bytes.Buffer
	if err := s.pages.ExecuteTemplate(&out, "confirm", p); err != nil {
		r := s.broken(v, "cannot show the page that confirms an address", err)
		v.String(r.status, "%s\n", r.say(v.words))
		return
	}
	v.Data(status, "text/html; charset=utf-8", out.Bytes())
}

// seen says that who has read the page has the chat open. That it could not be said costs the customer a mail too many.
func (s *Site) seen(v *visit, conversation bot.ConversationID) {
	if s.o.Mail == nil || conversation == "" {
		return
	}
	if err := s.o.Mail.Seen(v.Request.Context(), conversation); err != nil {
		s.broken(v, "cannot keep that a chat is open", err)
	}
}
