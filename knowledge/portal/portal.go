// Package portal is the affiliates' pages: send a file of questions and answers, see what it would
// change, mend it, publish it, take it back, try it out. It shows and calls; reading files is
// faqfile's, comparing and publishing are knowledge.Corpus's, and who may sign in is its caller's.
// It is not for customers or agents, nor for answering: trying out is a func it is given.
//
// Every page belongs to one affiliate, named in its address. What the person may not see is not
// found, whether it exists or not.
//
// Every action is a form that works without JavaScript and answers 303.
package portal

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/crawl"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/lint"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/visit"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// Options are what a Portal is told of the rest. Who and Log are required.
type Options struct {
	Chrome func(*http.Request) page.Chrome // what surrounds a page; nil means nothing does
	Who    func(*http.Request) (people.Person, bool)
	// Ask answers a question as customers would get it answered; nil means that nothing can be tried.
	Ask func(context.Context, Trial) (TrialResult, error)
	// Prepare makes the vectors of entries before they are published, so that they are found at
	// once; nil means that this happens later. Publishing waits for it limits.MaxPreparing.
	Prepare func(context.Context, []knowledge.Entry) error
	// Show is what customers get of an entry's answer on each channel; nil means that nothing shows it.
	Show func(knowledge.Entry) []ChannelView
	// Broken says which test cases an upload would break; nil means that none are asked.
	Broken    func(context.Context, Trial) (Broken, error)
	Tests     func(knowledge.AffiliateID) string                                                            // the address of an affiliate's test cases; required with Broken
	Asked     func(ctx context.Context, affiliate knowledge.AffiliateID, since time.Time) ([]string, error) // customers' latest questions; nil means that their words are not looked at
	Compare   lint.Comparer                                                                                 // finds misplaced wordings; nil means that none are looked for
	Links     Links                                                                                         // knows dead links; nil means that none are looked for
	Published func()                                                                                        // called after each publish; may be nil
	Files     *faqfile.Pool                                                                                 // reads files; nil means in this process
	Crawl     *crawl.Crawler                                                                                // reads web pages; nil means that none are read
	Read      func()                                                                                        // called after each file was read, when its memory can go back; may be nil
	Brands    Brands                                                                                        // nil means that there are no pages of how a bot speaks
	Phrases   []brand.Phrase                                                                                // the fixed sentences, to be worded anew
	Public    func(knowledge.AffiliateID) string                                                            // the address of an affiliate's public FAQ; nil means that there are none
	Media     Shelf                                                                                         // keeps files that go with entries; nil means that none are taken
	Log       logrus.FieldLogger
}

// A Portal serves the affiliates' pages.
type Portal struct {
	corpus  *knowledge.Corpus
	pages   *page.Pages
	host    visit.Host
	assets  *page.AssetSet
	turns   turns
	editors editors
	checks  checks
	o       Options
}

// New returns the pages of corpus.
func New(corpus *knowledge.Corpus, o Options) (*Portal, error) {
	if o.Who == nil || o.Log == nil {
		return nil, errors.New("portal: Who and Log are required")
	}
	if o.Published == nil {
		o.Published = func() {}
	}
	if o.Read == nil {
		o.Read = func() {}
	}
	if o.Files == nil {
		o.Files = faqfile.NewPool()
	}
	files, assets, err := Look()
	if err != nil {
		return nil, err
	}
	pages, err := page.New(files, page.Options{Chrome: o.Chrome, Assets: assets, Texts: "entries"})
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	return &Portal{corpus: corpus, pages: pages, host: visit.Host{Pages: pages, Who: o.Who, Log: o.Log, Missing: "missing", Broken: "broken"}, assets: assets, checks: checks{queue: make(chan *check, checksWaiting), kept: map[string]*check{}}, o: o}, nil
}

// Look is what other pages of an affiliate need to look like these: the templates, of which they use the parts, and
// the assets.
func Look() (templates fs.FS, assets *page.AssetSet, err error) {
	if templates, err = fs.Sub(pageFiles, "pages"); err != nil {
		return nil, nil, fmt.Errorf("portal: %w", err)
	}
	own, err := fs.Sub(assetFiles, "assets")
	if err == nil {
		assets, err = page.NewAssetSet(assetsAt, own)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("portal: %w", err)
	}
	return templates, assets, nil
}

// A Route is one address of the portal.
type Route struct {
	Method, Path string
	leads        bool // leads may go there as well
	do           func(*Portal, *gin.Context, scope) error
}

// Routes are all addresses of the portal.
func Routes() []Route {
	const get, post = http.MethodGet, http.MethodPost
	const at = "/partners/:affiliate"
	return append([]Route{
		{get, assetsAt + "*file", false, (*Portal).asset},
		{get, at, false, (*Portal).showUpload},
		{get, at + "/media/:file", false, (*Portal).media},
		{get, at + "/template/:file", false, (*Portal).template},
		{post, at + "/uploads", false, (*Portal).upload},
		{post, at + "/web-page", false, (*Portal).webPage},
		{get, at + "/kits", false, (*Portal).showKits},
		{get, at + "/kits/:kit/:language", false, (*Portal).showKit},
		{post, at + "/kits/:kit/:language", false, (*Portal).useKit},
		{get, at + "/uploads/:upload", false, (*Portal).showPreview},
		{get, at + "/uploads/:upload/changes/:change", false, (*Portal).showChange},
		{get, at + "/uploads/:upload/file", false, (*Portal).file},
		{get, at + "/uploads/:upload/columns", false, (*Portal).showColumns},
		{post, at + "/uploads/:upload/columns", false, (*Portal).setColumns},
		{post, at + "/uploads/:upload/encoding", false, (*Portal).setEncoding},
		{post, at + "/uploads/:upload/mend", false, (*Portal).mend},
		{post, at + "/uploads/:upload/unmend", false, (*Portal).unmend},
		{post, at + "/uploads/:upload/absent", false, (*Portal).setAbsent},
		{post, at + "/uploads/:upload/take", false, (*Portal).take},
		{post, at + "/uploads/:upload/refresh", false, (*Portal).refresh},
		{post, at + "/uploads/:upload/publish", false, (*Portal).publish},
		{post, at + "/uploads/:upload/discard", false, (*Portal).discard},
		{post, at + "/uploads/:upload/restore", false, (*Portal).restore},
		{get, at + "/entries", false, (*Portal).showEntries},
		{post, at + "/entries/bulk", false, (*Portal).bulk},
		{post, at + "/entries/review", false, (*Portal).reviewAll},
		{get, at + "/entries/merge", false, (*Portal).showMerge},
		{post, at + "/entries/merge", false, (*Portal).merge},
		{get, at + "/entries/new", false, (*Portal).showNew},
		{get, at + "/entries/check", false, (*Portal).showCheck},
		{post, at + "/entries/check/ignore", false, (*Portal).ignore},
		{post, at + "/entries/check/recall", false, (*Portal).recall},
		{post, at + "/entries/move", false, (*Portal).moveWording},
		{get, at + "/entries/:entry", false, (*Portal).showEditor},
		{post, at + "/entries/:entry", false, (*Portal).saveEntry},
		{get, at + "/entries/:entry/others", false, (*Portal).others},
		{get, at + "/try", false, (*Portal).showTry},
		{post, at + "/try", false, (*Portal).try},
		{get, at + "/history", false, (*Portal).showHistory},
		{get, at + "/history/:revision", false, (*Portal).showRollBack},
		{get, at + "/history/:revision/:file", false, (*Portal).download},
		{post, at + "/history/:revision/roll-back", false, (*Portal).rollBack},
	}, []Route{
		{get, "/partners", true, (*Portal).choose},
		{get, at + "/brand", true, (*Portal).showBrand},
		{post, at + "/brand", true, (*Portal).saveBrand},
		{get, at + "/brand/logo", true, (*Portal).logo},
		{post, at + "/brand/restore", true, (*Portal).restoreBrand},
		{get, at + "/brand/phrases", true, (*Portal).showPhrases},
		{post, at + "/brand/phrases", true, (*Portal).savePhrases},
	}...)
}

// assetsAt is no affiliate's address: names have no tilde.
const assetsAt = "/partners/~/"

// Register mounts the pages, all under /partners: what leads may see on staff, the rest on affiliates.
func (p *Portal) Register(affiliates, staff gin.IRouter) {
	for _, route := range Routes() {
		r := affiliates
		if route.leads {
			r = staff
		}
		r.Handle(route.Method, route.Path, p.handler(route))
	}
}

// asset serves the little that only these pages look like.
func (p *Portal) asset(g *gin.Context, _ scope) error {
	p.assets.ServeHTTP(g.Writer, g.Request)
	return nil
}

// maxForm bounds what a form may send that is no file.
const maxForm = 4 << 20
