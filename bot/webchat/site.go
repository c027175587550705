package webchat

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/media"
	"faqbot/knowledge/page"
	"faqbot/knowledge/vault"
)

// Conversations is where streams read, and what links a visitor to another channel; *conversations.Service is one.
type Conversations interface {
	Find(ctx context.Context, a bot.Address) (bot.Conversation, error)
	Transcript(ctx context.Context, id bot.ConversationID, after int64) ([]bot.Message, error)
	Destinations(ctx context.Context, conv bot.Conversation) ([]conversations.Destination, error)
	Link(ctx context.Context, id bot.ConversationID, key, agent string) (string, error)
}

// Media keeps what visitors send; *media.Store is one.
type Media interface {
	Put(ctx context.Context, name string, r io.Reader, owner media.Owner) (media.Blob, error)
	Get(ctx context.Context, id string) (media.Blob, []byte, error)
}

// SiteOptions are what the widgets of all accounts share.
type SiteOptions struct {
	Signer        vault.Signer // signs tokens: the same keys in every process and after a restart
	Conversations Conversations
	Accept        func(ctx context.Context, account bot.Account, events []bot.Event) error // *inbound.Intake's
	Log           logrus.FieldLogger

	// The rest may be left out.
	Media   Media                                                                          // no files are taken without
	Suggest func(ctx context.Context, account bot.Account, locale string) []string         // questions to begin with
	Staffed func(account bot.Account) bool                                                 // is somebody at the desk; always if nil
	Contact func(ctx context.Context, conversation bot.ConversationID, email string) error // keeps an address for our people; none is asked for if nil
	Mail    Mail                                                                           // takes addresses instead, and mails to them; nobody does if nil
	Brand   func(ctx context.Context, account bot.Account, locale string) (Brand, error)   // how the affiliate speaks; as we do if nil
	Called  func(channel string) string                                                    // what people call another channel; as we do if nil
	// SignedOut is when a visitor was last signed out, alone or with everybody of the account; zero: never.
	SignedOut func(ctx context.Context, account, customer string) (time.Time, error)
	Secure    bool             // visitors reach us by https, though a proxy may not
	FileMax   int64            // bytes of a file; 8 MiB if 0
	Now       func() time.Time // time.Now if nil
}

// A Brand is what an affiliate says of themselves in the chat. What is empty is not said, or said as we do.
type Brand struct {
	Name             string // above the chat, if the account has no title
	Welcome          string // if the account has none
	Disclosure       string // below the welcome
	Imprint, Privacy string // addresses of the pages
}

// How often a visitor, or a network address, may do something. It is far above what a person does.
const (
	messagesPerMinute = 20
	messagesAtOnce    = 6
	filesPerMinute    = 5
	pollsPerMinute    = 240 // ten tabs that poll every 5 s
	pollsAtOnce       = 60
	newPerMinute      = 30 // visitors from one network address who begin a conversation, or prove who they are
)

// fileMax is the largest file taken unless SiteOptions say otherwise.
const fileMax = 8 << 20

// A Site serves the widgets of all accounts.
type Site struct {
	o        SiteOptions
	accounts *bot.Registry
	texts    *locale.Catalog
	pages    *template.Template
	assets   *page.AssetSet
	words    []byte       // JSON, of the launcher
	widget   page.Asset   // the script that sites embed
	messages *limits.Rate // by visitor
	files    *limits.Rate // by visitor
	polls    *limits.Rate // by visitor
	fresh    *limits.Rate // by network address
	streams  limits.Slots
	previews previews
	origin   *http.CrossOriginProtection
}

// NewSite returns the site of the chats among accounts, those that come later included.
func NewSite(accounts *bot.Registry, o SiteOptions) (*Site, error) {
	if o.Signer == nil || o.Conversations == nil || o.Accept == nil || o.Log == nil {
		return nil, errors.New("a chat site needs Signer, Conversations, Accept and Log")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.FileMax == 0 {
		o.FileMax = fileMax
	}
	if o.Suggest == nil {
		o.Suggest = func(context.Context, bot.Account, string) []string { return nil }
	}
	if o.SignedOut == nil {
		o.SignedOut = func(context.Context, string, string) (time.Time, error) { return time.Time{}, nil }
	}
	if o.Brand == nil {
		o.Brand = func(context.Context, bot.Account, string) (Brand, error) { return Brand{}, nil }
	}
	if o.Called == nil {
		o.Called = func(channel string) string { return channel }
	}
	if o.Staffed == nil {
		o.Staffed = func(bot.Account) bool { return true }
	}
	s := &Site{o: o, accounts: accounts, previews: previews{kept: map[string]*Channel{}}, origin: http.NewCrossOriginProtection(),
		messages: limits.NewRate(messagesPerMinute, messagesAtOnce, o.Now), files: limits.NewRate(filesPerMinute, filesPerMinute, o.Now),
		polls: limits.NewRate(pollsPerMinute, pollsAtOnce, o.Now), fresh: limits.NewRate(newPerMinute, newPerMinute, o.Now)}
	var err error
	if s.texts, err = locale.Load("chat"); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.words, err = launcherWords(s.texts); err != nil {
		return nil, err
	}
	s.widget = newWidget(s.words, []byte("{}"))
	if s.pages, err = parsePages(s.assets); err != nil {
		return nil, fmt.Errorf("parse the chat's pages: %w", err)
	}
	return s, nil
}

// Close ends all streams, so that http.Server.Shutdown need not wait for them. Give it to
// Server.RegisterOnShutdown. Widgets connect again by themselves.
func (s *Site) Close() {
	for _, served := range s.accounts.All() {
		if c, ok := served.Channel.(*Channel); ok {
			c.hub.Close()
		}
	}
}

// channel is that of an account, nil if there is none.
func (s *Site) channel(id string) *Channel {
	if c, ok := s.accounts.Channel(bot.AccountKey(Network().Name, id)).(*Channel); ok {
		return c
	}
	return s.previews.channel(id)
}

// Register mounts everything under /chat.
func (s *Site) Register(r gin.IRouter) {
	r.GET("/chat/widget.js", s.serveWidget)
	r.GET("/chat/assets/*file", gin.WrapH(s.assets))
	r.GET("/chat/:account", s.at(s.frame))
	r.GET("/chat/:account/widget.js", s.serveOwnWidget)
	r.GET("/chat/:account/preview", s.at(s.showPreview))
	r.GET("/chat/:account/events", s.at(s.events))
	r.GET("/chat/:account/media/:id", s.at(s.media))
	r.POST("/chat/:account/messages", s.at(s.own(s.post)))
	r.POST("/chat/:account/email", s.at(s.own(s.email)))
	r.POST("/chat/:account/continue", s.at(s.own(s.goOn)))
	r.GET("/chat/:account/back", s.at(s.back))
	r.GET("/chat/:account/confirm", s.at(s.askConfirm))
	r.POST("/chat/:account/confirm", s.at(s.own(s.confirm)))
	r.POST("/chat/:account/session", s.at(s.own(s.session)))
}

// A visit is one request to one account's widget.
type visit struct {
	*gin.Context
	channel  *Channel
	language language
	words    locale.Texts
	script   bool // our script asks, and wants JSON
}

// at finds the account and sets the headers that all its answers have.
func (s *Site) at(handle func(*visit)) gin.HandlerFunc {
	return func(c *gin.Context) {
		v := &visit{Context: c, channel: s.channel(c.Param("account")), script: c.GetHeader("Accept") == "application/json"}
		account := ""
		if v.channel != nil {
			account = v.channel.account.Locale
		}
		v.speak(s, chooseLanguage(c.Query("locale"), c.GetHeader("Accept-Language"), account))
		h := c.Writer.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // none at all would make the origin of our own forms "null"
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Del("X-Frame-Options")
		if v.channel == nil {
			c.String(http.StatusNotFound, "%s\n", v.words["err_gone"])
			return
		}
		if !s.o.Signer.Ready() { // nobody can be told from a stranger, nor get a token to come back with
			c.Header("Retry-After", "60")
			c.JSON(http.StatusServiceUnavailable, gin.H{"error": v.words["err_broken"]})
			return
		}
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; media-src 'self' https:; connect-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors "+v.channel.frameAncestors())
		handle(v)
	}
}

func (v *visit) speak(s *Site, t language) { v.language, v.words = t, s.texts.In(t.own) }

// own lets only our own pages post.
func (s *Site) own(handle func(*visit)) func(*visit) {
	return func(v *visit) {
		if err := s.origin.Check(v.Request); err != nil {
			v.JSON(http.StatusForbidden, gin.H{"error": v.words["err_foreign"]})
			return
		}
		if v.channel.preview {
			v.refuse(refusal{status: http.StatusForbidden, word: "err_preview"})
			return
		}
		handle(v)
	}
}

// A refusal is why something was not done, in the visitor's language.
type refusal struct {
	status int
	word   string        // names the words
	wait   time.Duration // when to try again
}

func slow(wait time.Duration) refusal {
	return refusal{status: http.StatusTooManyRequests, word: "err_slow", wait: wait}
}

// say is what the visitor is told.
func (r refusal) say(w locale.Texts) string { return w.Say(r.word, "s", r.seconds()) }

func (r refusal) seconds() int { return int((r.wait + time.Second - 1) / time.Second) }

// head writes the status and headers of r, which come before any body.
func (r refusal) head(h http.Header) {
	if r.wait > 0 {
		h.Set("Retry-After", fmt.Sprint(r.seconds()))
	}
}

// refuse answers the script; a page is shown by refusePage.
func (v *visit) refuse(r refusal) {
	r.head(v.Writer.Header())
	v.JSON(r.status, gin.H{"error": r.say(v.words), "wait": r.seconds()})
}

// broken is what failed on our side. err must hold no words of a customer.
func (s *Site) broken(v *visit, what string, err error) refusal {
	if v.Request.Context().Err() == nil {
		s.o.Log.WithFields(logrus.Fields{"channel": v.channel.account.Channel, "account": v.channel.account.ID}).WithError(err).Error(what)
	}
	return refusal{status: http.StatusInternalServerError, word: "err_broken"}
}
