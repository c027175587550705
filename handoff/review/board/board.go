// Package board is the page on which an affiliate sees how sure the bot is and how often it is right, and judges real
// questions. It shows and calls; what is learned is retrieval/learn's.
//
// Every page belongs to one affiliate, named in its address. What the person may not see is not found. Every action is
// a form that works without JavaScript and answers 303.
package board

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/handoff/review"
	"faqbot/knowledge"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/portal"
	"faqbot/knowledge/visit"
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
	host   visit.Host
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
	return &Board{review: service, corpus: corpus, pages: pages, host: visit.Host{Pages: pages, Who: o.Who, Log: o.Log, Missing: "missing", Broken: "broken"}, o: o}, nil
}

// Register mounts the pages.
func (b *Board) Register(r gin.IRouter) {
	at := r.Group("/partners/:affiliate/accuracy", func(c *gin.Context) { c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm) })
	handle := func(do func(request) error) gin.HandlerFunc { return b.host.Handle(b.corpus, do) }
	at.GET("", handle(b.overview))
	at.GET("/questions", handle(b.ask))
	at.POST("/questions", handle(b.judge))
	at.POST("/undo", handle(b.undo))
	at.POST("/reset", handle(b.reset))
}

// A request is one to a page of an affiliate whom the person may see.
type request = visit.Visit

type frame = visit.Frame

// at is the address of something of these pages.
func at(r request, path string) string { return r.At("/accuracy" + path) }
