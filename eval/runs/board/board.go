// Package board is the pages of test cases: an affiliate's cases, the runs of them with their trend, and two runs beside
// each other. It shows and calls; carrying out runs is package runs', and keeping them knowledge/cases'.
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

	"faqbot/bot"
	"faqbot/bot/conversations"
	"faqbot/eval/runs"
	"faqbot/knowledge"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
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
	return &Board{store: store, runner: runner, pages: pages, assets: assets, o: o}, nil
}

// Register mounts the pages.
func (b *Board) Register(r gin.IRouter) {
	r.GET(assetsAt+"*file", gin.WrapH(b.assets))
	r.GET("/eval", b.choose)
	at := r.Group("/eval/:affiliate", func(c *gin.Context) { c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForm) })
	at.GET("", b.handle(b.overview))
	at.POST("/runs", b.handle(b.start))
	at.GET("/runs/:run", b.handle(b.showRun))
	at.GET("/runs/:run/report", b.handle(b.report))
	at.POST("/runs/:run/cancel", b.handle(b.cancel))
	at.POST("/runs/:run/resume", b.handle(b.resume))
	at.GET("/compare", b.handle(b.compare))
	at.GET("/cases", b.handle(b.showCases))
	at.POST("/cases", b.handle(b.addCase))
	at.GET("/cases/new", b.handle(b.newCase))
	at.GET("/cases/file", b.handle(b.download))
	at.POST("/cases/file", b.handle(b.upload))
	at.POST("/cases/remove", b.handle(b.removeCase))
}

// A request is one to a page of an affiliate whom the person may see.
type request struct {
	*gin.Context
	person    people.Person
	affiliate knowledge.AffiliateID
	name      string // what people call the affiliate
	others    bool   // there are other affiliates the person may see
	locale.Texts
}

// at is the address of something of the affiliate's.
func (r request) at(path string) string { return Address(r.affiliate) + path }

// Address is the address of an affiliate's page.
func Address(a knowledge.AffiliateID) string { return "/eval/" + url.PathEscape(string(a)) }

// A frame is what every page of an affiliate has.
type frame struct {
	Base, Affiliate, Section string
	Others                   bool
	Toast                    *page.Toast
}

func (r request) frame(section string) frame {
	f := frame{Base: r.at(""), Affiliate: r.name, Section: section, Others: r.others}
	if done := r.Query("done"); done != "" {
		f.Toast = &page.Toast{Words: r.One("eval_done_", done)}
	}
	return f
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
		_, oversize := errors.AsType[*http.MaxBytesError](err)
		switch {
		case err == nil, c.Request.Context().Err() != nil:
		case errors.Is(err, cases.ErrNotFound), errors.Is(err, knowledge.ErrNotFound), errors.Is(err, bot.ErrNotFound):
			b.fail(r, http.StatusNotFound, r.Say("eval_missing_title"), page.Problem{What: r.Say("eval_missing"), Do: r.Say("eval_missing_do")})
		case errors.Is(err, cases.ErrFull):
			b.fail(r, http.StatusUnprocessableEntity, r.Say("eval_full_title"), page.Problem{What: r.Say("eval_full", "n", cases.MaxCases), Safe: r.Say("eval_unchanged"), Do: r.Say("eval_full_do")})
		case oversize:
			b.fail(r, http.StatusRequestEntityTooLarge, r.Say("eval_large_title"), page.Problem{What: r.Say("eval_large"), Safe: r.Say("eval_unchanged"), Do: r.Say("eval_large_do")})
		default:
			id := strings.ToLower(rand.Text()[:8])
			b.o.Log.WithError(err).WithFields(logrus.Fields{"page": c.FullPath(), "id": id, "affiliate": string(r.affiliate)}).Error("a page of test cases failed")
			b.fail(r, http.StatusInternalServerError, r.Say("eval_broken_title"), page.Problem{What: r.Say("eval_broken"), Safe: r.Say("eval_unchanged"), Do: r.Say("eval_broken_do"), ID: id})
		}
	}
}

func (b *Board) fail(r request, status int, title string, problem page.Problem) {
	if r.Writer.Written() {
		return
	}
	if err := b.pages.Fail(r.Writer, r.Request, status, title, problem); err != nil {
		b.o.Log.WithError(err).Error("a page of test cases could not say what went wrong")
	}
}

// allow fills in what r may see, or returns ErrNotFound.
func (b *Board) allow(ctx context.Context, r *request) error {
	list, err := b.o.Corpus.Named(ctx)
	if err != nil {
		return err
	}
	found := false
	for _, a := range list {
		if a.ID == r.affiliate {
			found, r.name = true, a.Name()
		}
		r.others = r.others || a.ID != r.affiliate && r.person.May(a.ID)
	}
	if !found || !r.person.May(r.affiliate) {
		return knowledge.ErrNotFound
	}
	return nil
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
