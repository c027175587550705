// Package signin is the pages of accounts: signing in and out, choosing a password by a one-time
// link, one's own account, and, for admins, everybody's. It also tells other pages who asks, and
// is the one place where roles are checked.
//
// It decides nothing about accounts (people does) nor about what a role may see on another's page.
// Posts from other sites are refused before they get here, by http.CrossOriginProtection, so its
// forms carry no tokens.
package signin

import (
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
)

//go:embed templates/*.html
var templateFiles embed.FS

// Pages returns this package's pages, for New.
func Pages(chrome func(*http.Request) page.Chrome) (*page.Pages, error) {
	files, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		return nil, fmt.Errorf("signin: %w", err)
	}
	return page.New(files, page.Options{Chrome: chrome, Texts: "people"})
}

// Options are a door's settings.
type Options struct {
	HTTPS bool // the site is served by https: cookies are for that alone
	// PublicURL begins the links that are shown for sending on: "https://faq.example". If empty, they
	// begin as the admin's own request did.
	PublicURL string
	// Affiliates lists the affiliates there are, so that a mistyped name is told. Nil: any is taken.
	Affiliates func(context.Context) ([]knowledge.Affiliate, error)
	// Home is where somebody who signed in goes, if they came for nothing else. Nil: "/".
	Home func(people.Person) string
	// Outbox mails links to those who have an address. Nil: an admin hands them over.
	Outbox Outbox
	Log    logrus.FieldLogger
}

// A Door lets people in.
type Door struct {
	dir     *people.Directory
	pages   *page.Pages
	options Options

	forgotten *limits.Rate // by network address
}

// New returns a door. pages are those of Pages.
func New(dir *people.Directory, pages *page.Pages, options Options) *Door {
	if options.Home == nil {
		options.Home = func(people.Person) string { return "/" }
	}
	return &Door{dir: dir, pages: pages, options: options, forgotten: newForgotRate()}
}

// Register adds the pages. Identify must run before them, and before every page that asks Who.
func (d *Door) Register(r gin.IRouter) {
	limit := func(c *gin.Context) { c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, bodyMost) }
	r = r.Group("", d.Identify(), limit)
	r.GET("/sign-in", d.showSignIn)
	r.POST("/sign-in", d.signIn)
	r.POST("/sign-out", d.signOut)
	if d.options.Outbox != nil {
		r.GET("/forgot", d.showForgot)
		r.POST("/forgot", d.forgot)
	}
	r.GET("/welcome/:token", d.showWelcome)
	r.POST("/welcome/:token", d.welcome)

	own := r.Group("/account", d.Require())
	own.GET("", d.showAccount)
	own.POST("", d.changePassword)
	if d.options.Outbox != nil {
		own.POST("/email", d.changeEmail)
	}
	own.POST("/sessions/:id/end", d.endSession)
	own.POST("/sessions/end", d.endSessions)

	all := r.Group("/people", d.Require(people.RoleAdmin))
	all.GET("", d.showPeople)
	all.POST("", d.addPerson)
	all.GET("/:id", d.showPerson)
	all.POST("/:id", d.changePerson)
	all.POST("/:id/reset", d.resetPerson)
	all.POST("/:id/disable", d.disablePerson)
	all.POST("/:id/enable", d.enablePerson)
	all.GET("/keys", d.showKeys)
	all.POST("/keys", d.addKey)
	all.POST("/keys/:key/revoke", d.revokeKey)
	all.GET("/audit", d.showAudit)
	all.GET("/audit.csv", d.exportAudit)
	all.POST("/locks/:lock/lift", d.liftLock)
}

// bodyMost is the largest form taken, in bytes.
const bodyMost = 64 << 10

// whoKey is the place in a request's context where the answer of Who is kept.
type whoKey struct{}

type whoIs struct {
	person people.Person
	ok     bool
}

// Identify reads the session once and keeps the answer with the request. Without it Who reads it
// each time.
func (d *Door) Identify() gin.HandlerFunc {
	return func(c *gin.Context) {
		if _, done := c.Request.Context().Value(whoKey{}).(whoIs); done {
			return
		}
		person, ok, err := d.read(c.Request)
		if err != nil {
			d.fail(c, err)
			return
		}
		c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), whoKey{}, whoIs{person, ok}))
	}
}

// Who returns who asks, and false if nobody is signed in.
func (d *Door) Who(r *http.Request) (people.Person, bool) {
	if who, done := r.Context().Value(whoKey{}).(whoIs); done {
		return who.person, who.ok
	}
	person, ok, err := d.read(r)
	if err != nil {
		d.options.Log.WithError(err).Error("cannot tell who asks; taken for nobody")
	}
	return person, ok
}

func (d *Door) read(r *http.Request) (people.Person, bool, error) {
	token := d.token(r)
	if token == "" {
		return people.Person{}, false, nil
	}
	return d.dir.Who(r.Context(), token)
}

// Require lets on only people of the roles, or anybody signed in if none is named. Nobody is sent to
// sign in and back; somebody of another role is told so.
func (d *Door) Require(roles ...people.Role) gin.HandlerFunc {
	identify := d.Identify()
	return func(c *gin.Context) {
		if identify(c); c.IsAborted() {
			return
		}
		person, ok := d.Who(c.Request)
		switch {
		case !ok:
			next := c.Request.URL.RequestURI()
			if c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead {
				next = "/" // a page that only takes posts cannot be gone back to
			}
			// htmx would put the page for signing in into the middle of another.
			if c.GetHeader("HX-Request") != "" {
				c.Header("HX-Redirect", "/sign-in")
				c.AbortWithStatus(http.StatusUnauthorized)
				return
			}
			c.Redirect(http.StatusSeeOther, "/sign-in?next="+url.QueryEscape(next))
			c.Abort()
		case len(roles) > 0 && !slices.Contains(roles, person.Role):
			c.Abort()
			t := d.texts(c)
			d.show(c, d.pages.Fail(c.Writer, c.Request, http.StatusForbidden, t.Say("not_yours_title"), page.Problem{
				What: t.Say("not_yours", "role", t.Say("as_"+string(person.Role)), "roles", forRoles(t, roles)),
				Do:   t.Say("not_yours_do"),
			}))
		}
	}
}

// cookieName: with the prefix a browser takes the cookie only from this very host, over https.
func (d *Door) cookieName() string {
	if d.options.HTTPS {
		return "__Host-faqbot"
	}
	return "faqbot"
}

// browserCookie names the cookie that a browser keeps after signing out.
func (d *Door) browserCookie() string { return d.cookieName() + "-browser" }

func (d *Door) token(r *http.Request) string { return cookieValue(r, d.cookieName()) }

func cookieValue(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// from is where somebody signs in. A browser that has no token yet gets one, which counts once they are in.
func (d *Door) from(c *gin.Context) people.From {
	browser := cookieValue(c.Request, d.browserCookie())
	if browser == "" {
		browser = rand.Text()
		d.setCookie(c, d.browserCookie(), browser)
	}
	return people.From{Remote: c.ClientIP(), Browser: browser}
}

// cookieLasts is long: the session's own end, in the database, is what counts.
const cookieLasts = 400 * 24 * time.Hour

func (d *Door) setToken(c *gin.Context, token string) {
	d.setCookie(c, d.cookieName(), token)
}

func (d *Door) setCookie(c *gin.Context, name, value string) {
	cookie := &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: d.options.HTTPS,
		SameSite: http.SameSiteLaxMode, MaxAge: int(cookieLasts / time.Second)}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(c.Writer, cookie)
}

// samePath is next if it is a path on this site, else "". A browser takes "//host" and "/\host" for
// another site.
func samePath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\") ||
		strings.ContainsFunc(next, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	if u.Path == "/sign-in" || u.Path == "/sign-out" {
		return ""
	}
	return next
}

// link is the address of a one-time link, to be sent on.
func (d *Door) link(r *http.Request, token string) string {
	base := strings.TrimSuffix(d.options.PublicURL, "/")
	if base == "" {
		scheme := "http"
		if d.options.HTTPS {
			scheme = "https"
		}
		base = scheme + "://" + r.Host
	}
	return base + "/welcome/" + token
}

// show ends a handler: an error here means that the page could not be made.
func (d *Door) show(c *gin.Context, err error) {
	if err != nil {
		d.options.Log.WithError(err).WithField("page", c.FullPath()).Error("cannot show a page")
		if !c.Writer.Written() {
			c.AbortWithStatus(http.StatusInternalServerError)
		}
	}
}

// texts are those of this package's pages in the reader's language.
func (d *Door) texts(c *gin.Context) locale.Texts { return d.pages.Texts(c.Request) }

// forRoles is "admins", "admins and leads", "admins, leads and agents".
func forRoles(t locale.Texts, roles []people.Role) string {
	var names []string
	for _, r := range roles {
		names = append(names, t.Say("all_"+string(r)))
	}
	if len(names) == 1 {
		return names[0]
	}
	return t.Say("list_and", "list", strings.Join(names[:len(names)-1], ", "), "last", names[len(names)-1])
}
