// Package board is the pages of gaps, among the affiliates' pages: what customers asked and no entry answers, and the
// forms that answer it. It shows and calls; what an answer does is package gaps'.
//
// Every page belongs to one affiliate, named in its address. What the person may not see is not found. Every action is
// a form that works without JavaScript and answers 303.
package board

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/handoff/gaps"
	"faqbot/knowledge"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/portal"
	"faqbot/knowledge/visit"
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
	host   visit.Host
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
	return &Board{gaps: service, corpus: corpus, pages: pages, host: visit.Host{Pages: pages, Who: o.Who, Log: o.Log, Missing: "missing", Broken: "broken", Known: known}, o: o}, nil
}

// Register mounts the pages.
func (b *Board) Register(r gin.IRouter) {
	at := r.Group("/partners/:affiliate/gaps", func(c *gin.Context) { c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm) })
	handle := func(do func(request) error) gin.HandlerFunc { return b.host.Handle(b.corpus, do) }
	at.GET("", handle(b.list))
	at.GET("/asked/:conversation", handle(b.asked))
	at.GET("/:gap", handle(b.show))
	at.POST("/:gap/answer", handle(b.answer))
	at.POST("/:gap/wording", handle(b.addWording))
	at.POST("/:gap/decide", handle(b.decide))
}

// A request is one to a page of an affiliate whom the person may see.
type request = visit.Visit

type frame = visit.Frame

// known are errors that people are told of.
func known(err error) (p visit.Problem) {
	if errors.Is(err, gaps.ErrNotFound) {
		p = visit.Problem{Status: http.StatusNotFound, Key: "missing"}
	}
	return p
}

// doneToast says what was done last, and offers to undo it.
func doneToast(r request) *page.Toast {
	switch done := r.Query("done"); {
	case done == "":
		return nil
	case done == "answered":
		return &page.Toast{Words: r.Say("gap_answered_all")}
	case done == strconv.FormatInt(int64(r.Affiliate.Revision), 10):
		return &page.Toast{Words: r.Say("gap_published"), Action: r.Say("undo"), Undo: r.At(fmt.Sprintf("/history/%d/roll-back?from=%d", r.Affiliate.Revision-1, r.Affiliate.Revision))}
	}
	if id := r.Query("gap"); r.Query("done") == "decided" && id != "" {
		return &page.Toast{Words: r.Say("gap_decided"), Action: r.Say("undo"), Undo: r.At("/gaps/" + url.PathEscape(id) + "/decide?state=" + string(gaps.Open))}
	}
	return nil
}
