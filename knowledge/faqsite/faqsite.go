// Package faqsite shows an affiliate's published entries to everybody who reads, people and search engines: topics, a
// page for each entry, a search, a sitemap. It shows nothing of an affiliate who has not said so (brand.Brand.PublicFAQ).
//
// Pages are the same for every reader, so they are made once for each publish and kept in memory. They work without
// JavaScript, ask nobody else for anything, and set no cookie.
//
// It is not for signing in, nor for editing entries (portal), nor for finding answers: the search is a func it is given.
package faqsite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/media"
	"faqbot/knowledge/page"
	"faqbot/knowledge/sqldb"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets/*.js
var assetFiles embed.FS

//go:embed assets/faq.css
var styles string

// Shelf keeps the files that go with entries; *media.Store is one.
type Shelf interface {
	Get(ctx context.Context, id string) (media.Blob, []byte, error)
}

// A Search is what a reader looks for.
type Search struct {
	Affiliate    knowledge.AffiliateID
	Text, Locale string
	Limit        int
}

// Options are what a Site is told of the rest. Log is required.
type Options struct {
	Search     func(context.Context, Search) ([]knowledge.Entry, error) // the best first; nil means that there is no search
	Chat       func(knowledge.AffiliateID) string                       // the address of the affiliate's chat, "" if there is none; nil means that there never is
	Disclosure func(b brand.Brand, locale string) string                // what is said of links; nil means nothing
	Media      Shelf                                                    // nil means that files are not shown
	PublicURL  string                                                   // where the world reaches us: "https://bot.example.com"; without it there is no sitemap
	Now        func() time.Time                                         // time.Now if nil
	Log        logrus.FieldLogger
}

// How often one network address may do something, far above what people and polite robots do.
const (
	pagesPerMinute    = 600
	pagesAtOnce       = 200
	searchesPerMinute = 120 // one for each pause in typing
	searchesAtOnce    = 40
	votesPerMinute    = 10
)

// A Site serves the public FAQs of all affiliates.
type Site struct {
	db     *sqldb.DB
	corpus *knowledge.Corpus
	brands *brand.Store
	o      Options
	texts  *locale.Catalog
	pages  map[string]*template.Template
	assets *page.AssetSet

	views, searches, votes *limits.Rate // by network address

	loads    sync.Mutex // held while an edition is made
	mu       sync.Mutex
	editions map[knowledge.AffiliateID]*edition
	kept     int // bytes of all editions' pages
	listing  listing
}

// New returns the site of what corpus holds in db.
func New(db *sqldb.DB, corpus *knowledge.Corpus, brands *brand.Store, o Options) (*Site, error) {
	if o.Log == nil {
		return nil, errors.New("faqsite: Log is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Site{db: db, corpus: corpus, brands: brands, o: o, editions: map[knowledge.AffiliateID]*edition{},
		views: limits.NewRate(pagesPerMinute, pagesAtOnce, o.Now), searches: limits.NewRate(searchesPerMinute, searchesAtOnce, o.Now),
		votes: limits.NewRate(votesPerMinute, votesPerMinute, o.Now)}
	var err error
	if s.texts, err = locale.Load("faq"); err != nil {
		return nil, err
	}
	files, err := fs.Sub(assetFiles, "assets")
	if err == nil {
		s.assets, err = page.NewAssetSet(assetsAt, files)
	}
	if err == nil {
		s.pages, err = parse(s.assets)
	}
	if err != nil {
		return nil, fmt.Errorf("faqsite: %w", err)
	}
	return s, nil
}

// parse returns the templates of each page by its name.
func parse(assets *page.AssetSet) (map[string]*template.Template, error) {
	base, err := template.New("").Funcs(template.FuncMap{"asset": assets.Address}).ParseFS(pageFiles, "pages/_*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, name := range []string{"list", "entry", "search", "gone"} {
		t, err := base.Clone()
		if err == nil {
			t, err = t.ParseFS(pageFiles, "pages/"+name+".html")
		}
		if err != nil {
			return nil, err
		}
		pages[name] = t
	}
	return pages, nil
}

// assetsAt is no affiliate's address: names have no tilde.
const assetsAt = "/faq/~/"

// Register mounts the pages, which are for everybody. A slug has no dot, so it is none of the files.
func (s *Site) Register(r gin.IRouter) {
	for path, do := range map[string]func(*visit) error{
		"/faq/:affiliate":                   s.index,
		"/faq/:affiliate/sitemap.xml":       s.sitemap,
		"/faq/:affiliate/theme.css":         s.theme,
		"/faq/:affiliate/in/:locale":        s.index,
		"/faq/:affiliate/in/:locale/:topic": s.topic,
		"/faq/:affiliate/media/:file":       s.media,
		"/faq/:affiliate/:slug":             s.entry,
	} {
		r.GET(path, s.handle(s.views, do))
		r.HEAD(path, s.handle(s.views, do))
	}
	r.POST("/faq/:affiliate/:slug", s.handle(s.votes, s.vote))
	r.GET(assetsAt+"*file", gin.WrapH(s.assets))
	r.GET("/robots.txt", s.robots)
}

// A visit is one request to an affiliate's public FAQ.
type visit struct {
	*gin.Context
	*edition
	lang *language
}

// handle runs a page of an affiliate whose FAQ is public, for those who do not ask too often.
func (s *Site) handle(rate *limits.Rate, do func(*visit) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if slow(c, rate) {
			return
		}
		v := &visit{Context: c}
		var err error
		if v.edition, err = s.current(c.Request.Context(), knowledge.AffiliateID(c.Param("affiliate"))); err == nil {
			v.lang = v.languages[0]
			err = do(v)
		}
		switch {
		case err == nil || c.Writer.Written() || c.Request.Context().Err() != nil:
		case errors.Is(err, knowledge.ErrNotFound) && v.edition != nil:
			s.gone(v, http.StatusNotFound)
		case errors.Is(err, knowledge.ErrNotFound):
			c.String(http.StatusNotFound, "There is no public FAQ here.\n")
		default:
			s.o.Log.WithError(err).WithField("page", c.FullPath()).Error("a page of a public FAQ failed")
			c.String(http.StatusInternalServerError, "This page failed. Try again in a minute.\n")
		}
	}
}

// slow refuses somebody who asks too often.
func slow(c *gin.Context, rate *limits.Rate) bool {
	wait := rate.Take(limits.Network(c.ClientIP()))
	if wait == 0 {
		return false
	}
	c.Header("Retry-After", fmt.Sprint(int((wait+time.Second-1)/time.Second)))
	c.String(http.StatusTooManyRequests, "Too many requests from your network. Try again in a moment.\n")
	return true
}
