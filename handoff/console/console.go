// Package console is the desk's pages, for the people who answer: tickets by the end of their
// promise, conversations with everything said and what the bot tried, and the actions on them. It
// shows and calls; what an action does is handoff's, and who may sign in is its caller's. It is not
// for customers or affiliates.
//
// Every object is looked at through the person's affiliates: what belongs to another is not found,
// not listed, and not heard of in the event stream.
//
// Every action is a form that works without JavaScript and answers 303. Where there is JavaScript,
// one event stream per browser says that something changed, and the page fetches that part again.
package console

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/handoff"
	"faqbot/handoff/review"
	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/page"
	"faqbot/knowledge/page/live"
	"faqbot/knowledge/people"
	"faqbot/knowledge/vault"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

const (
	watchEvery = time.Second
	// maxBody bounds what a form may send: the longest reply, escaped at its worst, and the hidden fields.
	maxBody = 256 << 10
)

// Options are what a Console is told of the rest. Who and Log are required.
type Options struct {
	Chrome func(*http.Request) page.Chrome // what surrounds a page; nil means nothing does
	Who    func(*http.Request) (people.Person, bool)
	Entry  func(context.Context, knowledge.EntryID) (knowledge.Entry, error)   // nil: entries are shown by the wording that matched
	Review *review.Service                                                     // draws answers to be judged; nil: none are
	Media  func(bot.Attachment) string                                         // where a file may be fetched, "" if nowhere; nil means nowhere
	Shelf  Shelf                                                               // keeps agents' files; nil means that they can send none
	Signer vault.Signer                                                        // signs the names of files that wait to be sent; required with Shelf
	Record func(context.Context, people.PersonID, people.Action, string) error // keeps the audit; nil keeps none
	Log    logrus.FieldLogger
	Now    func() time.Time // time.Now if nil
	Every  time.Duration    // how often changes are looked for while somebody watches; a second if 0
	Beat   time.Duration    // how often a silent stream is kept alive and its person looked up again; live.Beat if 0
}

// A Console serves the desk's pages.
type Console struct {
	desk          *handoff.Desk
	conversations *conversations.Service
	pages         *page.Pages
	assets        *page.AssetSet
	hub           *live.Hub
	presence      *presence
	poke          chan struct{} // holds one when the pages should look for changes now
	streams       limits.Slots
	o             Options
}

// New returns the pages of desk and conversations. Run keeps them live.
func New(desk *handoff.Desk, conversations *conversations.Service, o Options) (*Console, error) {
	if o.Who == nil || o.Log == nil {
		return nil, errors.New("console: Who and Log are required")
	}
	if o.Shelf != nil && o.Signer == nil {
		return nil, errors.New("console: Signer is required to keep files")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Every == 0 {
		o.Every = watchEvery
	}
	if o.Media == nil {
		o.Media = func(bot.Attachment) string { return "" }
	}
	if o.Record == nil {
		o.Record = func(context.Context, people.PersonID, people.Action, string) error { return nil }
	}
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	own, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	assets, err := page.NewAssetSet("/desk/assets/", own)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	pages, err := page.New(files, page.Options{Chrome: o.Chrome, Assets: assets, Texts: "desk"})
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return &Console{desk: desk, conversations: conversations, pages: pages, assets: assets, hub: live.NewHub(), presence: newPresence(o.Now), poke: make(chan struct{}, 1), o: o}, nil
}

// ActionSeparate is in the audit when somebody says that two are not one customer.
const ActionSeparate people.Action = "separate a customer"

// errNotAllowed means that the person's role may not do it.
var errNotAllowed = errors.New("not for this role")

// StaffedFor reports whether somebody who may answer a's customers is at the desk now: has one of its
// pages open.
func (c *Console) StaffedFor(a knowledge.AffiliateID) bool {
	return c.presence.staffed(func(p people.Person) bool { return p.May(a) })
}

// Poke makes the pages look for changes now.
func (c *Console) Poke() { signal(c.poke) }

// asset serves the desk's own scripts and styles.
func (c *Console) asset(g *gin.Context, _ reader) error {
	c.assets.ServeHTTP(g.Writer, g.Request)
	return nil
}

// A Route is one address of the desk.
type Route struct {
	Method, Path string
	do           func(*Console, *gin.Context, reader) error
}

// Routes are all addresses of the desk.
func Routes() []Route {
	const get, post = http.MethodGet, http.MethodPost
	return []Route{
		{get, "/desk", (*Console).showList},
		{get, "/desk/list", (*Console).partList},
		{get, "/desk/events", (*Console).events},
		{get, "/desk/assets/*file", (*Console).asset},

		{get, "/desk/tickets/:ticket", (*Console).showTicket},
		{get, "/desk/tickets/:ticket/said", (*Console).partTicket},
		{post, "/desk/tickets/:ticket/take", (*Console).take},
		{post, "/desk/tickets/:ticket/reply", (*Console).reply},
		{post, "/desk/tickets/:ticket/files", (*Console).postFile},
		{post, "/desk/tickets/:ticket/note", (*Console).note},
		{post, "/desk/tickets/:ticket/template", (*Console).sendTemplate},
		{post, "/desk/tickets/:ticket/invite", (*Console).invite},
		{post, "/desk/tickets/:ticket/answer-in", (*Console).answerIn},
		{get, "/desk/tickets/:ticket/close", (*Console).askClose},
		{post, "/desk/tickets/:ticket/close", (*Console).close},
		{get, "/desk/tickets/:ticket/hand-back", (*Console).askHandBack},
		{post, "/desk/tickets/:ticket/hand-back", (*Console).handBack},
		{post, "/desk/tickets/:ticket/reopen", (*Console).reopen},
		{post, "/desk/tickets/:ticket/snooze", (*Console).snooze},

		{get, "/desk/conversations", (*Console).showConversations},
		{get, "/desk/conversations/list", (*Console).partConversations},
		{get, "/desk/conversations/:conversation", (*Console).showConversation},
		{get, "/desk/conversations/:conversation/said", (*Console).partConversation},
		{post, "/desk/conversations/:conversation/step-in", (*Console).stepIn},
		{post, "/desk/conversations/:conversation/judge", (*Console).judge},
		{get, "/desk/conversations/:conversation/separate", (*Console).askSeparate},
		{post, "/desk/conversations/:conversation/separate", (*Console).separate},
		{get, "/desk/conversations/:conversation/sign-out", (*Console).askSignOut},
		{post, "/desk/conversations/:conversation/sign-out", (*Console).signOut},
		{get, "/desk/conversations/:conversation/export", (*Console).export},
		{get, "/desk/conversations/:conversation/forget", (*Console).askForget},
		{post, "/desk/conversations/:conversation/forget", (*Console).forget},

		{get, "/desk/sample", (*Console).drawSample},
		{get, "/desk/sources", (*Console).showSources},
	}
}

// Register mounts the pages, all under /desk.
func (c *Console) Register(r gin.IRouter) {
	for _, route := range Routes() {
		r.Handle(route.Method, route.Path, c.handler(route))
	}
}

// handler runs a route for whoever is signed in, and says what went wrong.
func (c *Console) handler(route Route) gin.HandlerFunc {
	return func(g *gin.Context) {
		person, ok := c.o.Who(g.Request)
		p := reader{person, c.pages.Texts(g.Request)}
		if !ok {
			c.fail(g, http.StatusUnauthorized, p.Say("signed_out_title"), page.Problem{What: p.Say("signed_out"), Do: p.Say("signed_out_do")})
			return
		}
		if c.o.Shelf != nil && slices.Contains([]string{"reply", "files", "invite"}, path.Base(route.Path)) {
			withFiles(g, g.Request.Body)
		} else {
			g.Request.Body = http.MaxBytesReader(g.Writer, g.Request.Body, maxBody)
		}
		err := route.do(c, g, p)
		tooLarge, oversize := errors.AsType[*http.MaxBytesError](err)
		switch {
		case err == nil:
		case errors.Is(err, handoff.ErrNotFound), errors.Is(err, bot.ErrNotFound):
			c.fail(g, http.StatusNotFound, p.Say("missing_title"), page.Problem{What: p.Say("missing"), Do: p.Say("missing_do")})
		case errors.Is(err, errNotAllowed):
			c.fail(g, http.StatusForbidden, p.Say("not_allowed_title"), page.Problem{What: p.Say("not_allowed"), Do: p.Say("not_allowed_do")})
		case errors.Is(err, errNotChat):
			c.fail(g, http.StatusConflict, p.Say("not_chat_title"), page.Problem{What: p.Say("not_chat"), Do: p.Say("not_chat_do")})
		case oversize:
			c.fail(g, http.StatusRequestEntityTooLarge, p.Say("too_long_title"), page.Problem{What: p.Say("too_long", "kb", tooLarge.Limit>>10), Safe: p.Say("nothing_sent"), Do: p.Say("too_long_do")})
		case g.Request.Context().Err() != nil: // nobody waits for an answer any more
		default:
			c.o.Log.WithField("route", route.Path).WithError(err).Error("the desk's page failed")
			c.fail(g, http.StatusInternalServerError, p.Say("broken_title"), page.Problem{What: p.Say("broken"), Safe: p.Say("broken_safe"), Do: p.Say("broken_do")})
		}
	}
}

func (c *Console) fail(g *gin.Context, status int, title string, problem page.Problem) {
	if g.Writer.Written() {
		return
	}
	if err := c.pages.Fail(g.Writer, g.Request, status, title, problem); err != nil {
		c.o.Log.WithError(err).Error("cannot say what went wrong")
	}
}
