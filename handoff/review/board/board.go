// Package board is the page on which an affiliate sees how sure the bot is and how often it is right, and judges real
// questions. It shows and calls; what is learned is retrieval/learn's.
//
// Every page belongs to one affiliate, named in its address. What the person may not see is not found. Every action is
// a form that works without JavaScript and answers 303.
package board

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/handoff/review"
	"faqbot/knowledge"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/portal"
)

//go:embed pages/*.html
var pageFiles embed.FS

// maxForm is the largest form taken, in bytes.
const maxForm = 16 << 10

// Options are what a Board is told of the rest. All are required.
type Options struct {
	Chrome func(*http.Request) page.Chrome
	Who    func(*http.Request) (people.Person, bool)
	Record func(context.Context, people.PersonID, people.Action, string) error // keeps the audit
	Log    logrus.FieldLogger
}

// A Board serves the pages.
type Board struct {
	review *review.Service
	corpus *knowledge.Corpus
	pages  *page.Pages
	o      Options
}

// New returns the pages.
func New(service *review.Service, corpus *knowledge.Corpus, o Options) (*Board, error) {
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, fmt.Errorf("the pages of review: %w", err)
	}
	parts, assets, err := portal.Look()
	if err != nil {
		return nil, err
	}
	pages, err := page.New(files, page.Options{Chrome: o.Chrome, Assets: assets, Parts: parts, Texts: "entries"})
	if err != nil {
		return nil, fmt.Errorf("the pages of review: %w", err)
	}
	return &Board{review: service, corpus: corpus, pages: pages, o: o}, nil
}

// Register mounts the pages.
func (b *Board) Register(r gin.IRouter) {
	at := r.Group("/partners/:affiliate/accuracy", func(c *gin.Context) { c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm) })
	at.GET("", b.handle(b.overview))
	at.GET("/questions", b.handle(b.ask))
	at.POST("/questions", b.handle(b.judge))
	at.POST("/undo", b.handle(b.undo))
	at.POST("/reset", b.handle(b.reset))
}

// A request is one to a page of an affiliate whom the person may see.
type request struct {
	*gin.Context
	person    people.Person
	affiliate knowledge.AffiliateID
	frame     frame
	locale.Texts
}

// A frame is what every page of an affiliate has; it is the portal's.
type frame struct {
	Base, Affiliate, Section string
	Others                   bool // there are other affiliates the person may see
	Lead                     bool // leads see none of these pages
	Toast                    *page.Toast
}

// at is the address of something of these pages.
func (r request) at(path string) string { return r.frame.Base + "/accuracy" + path }

// handle runs a page for who may see the affiliate, and says what went wrong.
func (b *Board) handle(do func(request) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		person, _ := b.o.Who(c.Request)
		a := c.Param("affiliate")
		r := request{Context: c, person: person, affiliate: knowledge.AffiliateID(a), Texts: b.pages.Texts(c.Request), frame: frame{Base: "/partners/" + url.PathEscape(a), Section: "accuracy"}}
		err := b.allow(c.Request.Context(), &r)
		if err == nil {
			err = do(r)
		}
		switch {
		case err == nil, c.Request.Context().Err() != nil:
		case errors.Is(err, knowledge.ErrNotFound):
			b.fail(r, http.StatusNotFound, r.Say("missing_title"), page.Problem{What: r.Say("missing"), Do: r.Say("missing_do")})
		default:
			id := strings.ToLower(rand.Text()[:8])
			b.o.Log.WithError(err).WithFields(logrus.Fields{"page": c.FullPath(), "id": id, "affiliate": a}).Error("a page of review failed")
			b.fail(r, http.StatusInternalServerError, r.Say("broken_title"), page.Problem{What: r.Say("broken"), Safe: r.Say("broken_safe"), Do: r.Say("broken_do"), ID: id})
		}
	}
}

func (b *Board) fail(r request, status int, title string, problem page.Problem) {
	if r.Writer.Written() {
		return
	}
	if err := b.pages.Fail(r.Writer, r.Request, status, title, problem); err != nil {
		b.o.Log.WithError(err).Error("a page of review could not say what went wrong")
	}
}

// allow fills in what r may see, or returns ErrNotFound.
func (b *Board) allow(ctx context.Context, r *request) error {
	list, err := b.corpus.Named(ctx)
	if err != nil {
		return err
	}
	found := false
	for _, a := range list {
		if a.ID == r.affiliate {
			found, r.frame.Affiliate = true, a.Name()
		}
		r.frame.Others = r.frame.Others || a.ID != r.affiliate && r.person.May(a.ID)
	}
	if !found || !r.person.May(r.affiliate) {
		return knowledge.ErrNotFound
	}
	return nil
}
