// Package board is the pages of test cases: an affiliate's cases, the runs of them with their trend, and two runs beside
// each other. It shows and calls; carrying out runs is package runs', and keeping them knowledge/cases'.
//
// Every page belongs to one affiliate, named in its address. What the person may not see is not found. Every action is
// a form that works without JavaScript and answers 303.
package board

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/eval/runs"
	"faqbot/knowledge"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/visit"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// maxForm is the largest form or file taken, in bytes.
const maxForm = 1 << 20

// Options are what a Board is told of the rest. All but Chrome are required.
type Options struct {
	Chrome        func(*http.Request) page.Chrome
	Who           func(*http.Request) (people.Person, bool)
	Corpus        *knowledge.Corpus
	Conversations *conversations.Service
	Published     func(context.Context, knowledge.AffiliateID) (runs.Bench, error)
	Log           logrus.FieldLogger
}

// A Board serves the pages.
type Board struct {
	store  *cases.Store
	runner *runs.Runner
	pages  *page.Pages
	host   visit.Host
	assets *page.AssetSet
	o      Options
}

// assetsAt is no affiliate's address: names have no tilde.
const assetsAt = "/eval/~/"

// New returns the pages of the cases in store, whose runs runner carries out.
func New(store *cases.Store, runner *runs.Runner, o Options) (*Board, error) {
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, fmt.Errorf("the pages of test cases: %w", err)
	}
	own, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return nil, fmt.Errorf("the pages of test cases: %w", err)
	}
	assets, err := page.NewAssetSet(assetsAt, own)
	if err != nil {
		return nil, fmt.Errorf("the pages of test cases: %w", err)
	}
	pages, err := page.New(files, page.Options{Chrome: o.Chrome, Assets: assets, Texts: "eval"})
	if err != nil {
		return nil, fmt.Errorf("the pages of test cases: %w", err)
	}
	return &Board{store: store, runner: runner, pages: pages, host: visit.Host{Pages: pages, Who: o.Who, Log: o.Log, Missing: "eval_missing", Broken: "eval_broken", Known: known}, assets: assets, o: o}, nil
}

// Register mounts the pages.
func (b *Board) Register(r gin.IRouter) {
	r.GET(assetsAt+"*file", gin.WrapH(b.assets))
	r.GET("/eval", b.choose)
	at := r.Group("/eval/:affiliate", func(c *gin.Context) { c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm) })
	handle := func(do func(request) error) gin.HandlerFunc { return b.host.Handle(b.o.Corpus, do) }
	at.GET("", handle(b.overview))
	at.POST("/runs", handle(b.start))
	at.GET("/runs/:run", handle(b.showRun))
	at.GET("/runs/:run/report", handle(b.report))
	at.POST("/runs/:run/cancel", handle(b.cancel))
	at.POST("/runs/:run/resume", handle(b.resume))
	at.GET("/compare", handle(b.compare))
	at.GET("/cases", handle(b.showCases))
	at.POST("/cases", handle(b.addCase))
	at.GET("/cases/new", handle(b.newCase))
	at.GET("/cases/file", handle(b.download))
	at.POST("/cases/file", handle(b.upload))
	at.POST("/cases/remove", handle(b.removeCase))
}

// A request is one to a page of an affiliate whom the person may see.
type request = visit.Visit

// addressOf is the address of something of the affiliate's.
func addressOf(r request, path string) string { return Address(r.Affiliate.ID) + path }

// Address is the address of an affiliate's page.
func Address(a knowledge.AffiliateID) string { return "/eval/" + url.PathEscape(string(a)) }

type frame = visit.Frame

func frameOf(r request, section string) frame {
	f := r.Frame(section)
	f.Base = addressOf(r, "")
	if done := r.Query("done"); done != "" {
		f.Toast = &page.Toast{Words: r.One("eval_done_", done)}
	}
	return f
}

// known are errors that people are told of.
func known(err error) visit.Problem {
	switch _, oversize := errors.AsType[*http.MaxBytesError](err); {
	case errors.Is(err, cases.ErrNotFound), errors.Is(err, bot.ErrNotFound):
		return visit.Problem{Status: http.StatusNotFound, Key: "eval_missing"}
	case errors.Is(err, cases.ErrFull):
		return visit.Problem{Status: http.StatusUnprocessableEntity, Key: "eval_full", Args: []any{"n", cases.MaxCases}}
	case oversize:
		return visit.Problem{Status: http.StatusRequestEntityTooLarge, Key: "eval_large"}
	}
	return visit.Problem{}
}

// A choosePage lists the affiliates whose test cases one may see.
type choosePage struct{ Affiliates []page.Link }

func (b *Board) choose(c *gin.Context) {
	person, _ := b.o.Who(c.Request)
	list, err := b.o.Corpus.Named(c.Request.Context())
	if err != nil {
		b.o.Log.WithError(err).Error("a page of test cases failed")
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	var p choosePage
	for _, a := range list {
		if person.May(a.ID) {
			p.Affiliates = append(p.Affiliates, page.Link{Href: Address(a.ID), Label: a.Name()})
		}
	}
	if len(p.Affiliates) == 1 {
		c.Redirect(http.StatusSeeOther, p.Affiliates[0].Href)
		return
	}
	if err := b.pages.Show(c.Writer, c.Request, http.StatusOK, "choose", p); err != nil {
		b.o.Log.WithError(err).Error("a page of test cases failed")
	}
}
