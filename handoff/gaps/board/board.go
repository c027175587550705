// Package board is the pages of gaps, among the affiliates' pages: what customers asked and no entry answers, and the
// forms that answer it. It shows and calls; what an answer does is package gaps'.
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
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/handoff/gaps"
	"faqbot/knowledge"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/portal"
)

//go:embed pages/*.html
var pageFiles embed.FS

// maxForm is the largest form taken, in bytes.
const maxForm = 256 << 10

// Options are what a Board is told of the rest. All but Chrome and Now are required.
type Options struct {
	Chrome func(*http.Request) page.Chrome
	Who    func(*http.Request) (people.Person, bool)
	Log    logrus.FieldLogger
	Now    func() time.Time // time.Now if nil
}

// A Board serves the pages.
type Board struct {
	gaps   *gaps.Service
	corpus *knowledge.Corpus
	pages  *page.Pages
	o      Options
}

// New returns the pages of gaps.
func New(service *gaps.Service, corpus *knowledge.Corpus, o Options) (*Board, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, fmt.Errorf("the pages of gaps: %w", err)
	}
	parts, assets, err := portal.Look()
	if err != nil {
		return nil, err
	}
	pages, err := page.New(files, page.Options{Chrome: o.Chrome, Assets: assets, Parts: parts, Texts: "entries"})
	if err != nil {
		return nil, fmt.Errorf("the pages of gaps: %w", err)
	}
	return &Board{gaps: service, corpus: corpus, pages: pages, o: o}, nil
}

// Register mounts the pages.
func (b *Board) Register(r gin.IRouter) {
	at := r.Group("/partners/:affiliate/gaps", func(c *gin.Context) { c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm) })
	at.GET("", b.handle(b.list))
	at.GET("/asked/:conversation", b.handle(b.asked))
	at.GET("/:gap", b.handle(b.show))
	at.POST("/:gap/answer", b.handle(b.answer))
	at.POST("/:gap/wording", b.handle(b.addWording))
	at.POST("/:gap/decide", b.handle(b.decide))
}

// A request is one to a page of an affiliate whom the person may see.
type request struct {
	*gin.Context
	person    people.Person
	affiliate knowledge.AffiliateID
	name      string // what people call the affiliate
	revision  knowledge.Revision
	others    bool // there are other affiliates the person may see
	locale.Texts
}

// at is the address of something of the affiliate's.
func (r request) at(path string) string {
	return "/partners/" + url.PathEscape(string(r.affiliate)) + path
}

// A frame is what every page of an affiliate has; it is the portal's.
type frame struct {
	Base, Affiliate, Section string
	Others, Lead             bool // leads see none of these pages
	Toast                    *page.Toast
}

func (r request) frame() frame {
	return frame{Base: r.at(""), Affiliate: r.name, Section: "gaps", Others: r.others}
}

// handle runs a page for who may see the affiliate, and says what went wrong.
func (b *Board) handle(do func(request) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		person, _ := b.o.Who(c.Request)
		r := request{Context: c, person: person, affiliate: knowledge.AffiliateID(c.Param("affiliate")), Texts: b.pages.Texts(c.Request)}
		err := b.allow(c.Request.Context(), &r)
		if err == nil {
			err = do(r)
		}
		switch {
		case err == nil, c.Request.Context().Err() != nil:
		case errors.Is(err, gaps.ErrNotFound), errors.Is(err, knowledge.ErrNotFound):
			b.fail(r, http.StatusNotFound, r.Say("missing_title"), page.Problem{What: r.Say("missing"), Do: r.Say("missing_do")})
		default:
			id := strings.ToLower(rand.Text()[:8])
			b.o.Log.WithError(err).WithFields(logrus.Fields{"page": c.FullPath(), "id": id, "affiliate": string(r.affiliate)}).Error("a page of gaps failed")
			b.fail(r, http.StatusInternalServerError, r.Say("broken_title"), page.Problem{What: r.Say("broken"), Safe: r.Say("broken_safe"), Do: r.Say("broken_do"), ID: id})
		}
	}
}

func (b *Board) fail(r request, status int, title string, problem page.Problem) {
	if r.Writer.Written() {
		return
	}
	if err := b.pages.Fail(r.Writer, r.Request, status, title, problem); err != nil {
		b.o.Log.WithError(err).Error("a page of gaps could not say what went wrong")
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
			found, r.name, r.revision = true, a.Name(), a.Revision
		}
		r.others = r.others || a.ID != r.affiliate && r.person.May(a.ID)
	}
	if !found || !r.person.May(r.affiliate) {
		return knowledge.ErrNotFound
	}
	return nil
}

// doneToast says what was done last, and offers to undo it.
func doneToast(r request) *page.Toast {
	switch done := r.Query("done"); {
	case done == "":
		return nil
	case done == "answered":
		return &page.Toast{Words: r.Say("gap_answered_all")}
	case done == strconv.FormatInt(int64(r.revision), 10):
		return &page.Toast{Words: r.Say("gap_published"), Action: r.Say("undo"), Undo: r.at(fmt.Sprintf("/history/%d/roll-back?from=%d", r.revision-1, r.revision))}
	}
	if id := r.Query("gap"); r.Query("done") == "decided" && id != "" {
		return &page.Toast{Words: r.Say("gap_decided"), Action: r.Say("undo"), Undo: r.at("/gaps/" + url.PathEscape(id) + "/decide?state=" + string(gaps.Open))}
	}
	return nil
}
