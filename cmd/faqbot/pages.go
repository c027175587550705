package main

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/bot/accounts/board"
	"faqbot/bot/accounts/start"
	"faqbot/bot/network"
	"faqbot/bot/webchat"
	"faqbot/handoff/console"
	"faqbot/handoff/figures"
	figuresboard "faqbot/handoff/figures/board"
	gapsboard "faqbot/handoff/gaps/board"
	"faqbot/handoff/review"
	reviewboard "faqbot/handoff/review/board"
	"faqbot/knowledge"
	"faqbot/knowledge/crawl"
	"faqbot/knowledge/faqsite"
	"faqbot/knowledge/lint"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/media"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/people/signin"
	"faqbot/knowledge/portal"
	"faqbot/retrieval"
)

//go:embed pages/*.html
var pageFiles embed.FS

// The pages of the service and who sees them:
//
//	/chat      everybody: the widget
//	/faq       everybody: what an affiliate makes public
//	/sign-in   everybody; /account who is signed in; /people admins
//	/desk      agents, leads, admins
//	/partners  affiliates, admins; leads see how the bot speaks
//	/eval      affiliates, leads, admins
//	/figures   affiliates, leads, admins
//	/channels  leads, admins
//	/start     admins; /affiliates as well
//	/api       programs, by an affiliate's key
type pages struct {
	service *service
	demo    *demo // nil unless this is the demo
	own     *page.Pages
	assets  *page.AssetSet  // what all pages share
	texts   *locale.Catalog // of the links around pages
	door    *signin.Door
	console *console.Console
	portal  *portal.Portal
	board   *board.Board
	gaps    *gapsboard.Board
	review  *reviewboard.Board
	figures *figuresboard.Board
	guide   *start.Start
	tests   *tests
	chat    *webchat.Site
	faq     *faqsite.Site
}

func newPages(s *service, d *demo) (p *pages, err error) {
	p = &pages{service: s, demo: d}
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, err
	}
	if p.texts, err = locale.Load("start"); err != nil {
		return nil, err
	}
	if p.assets, err = page.Assets(); err != nil {
		return nil, err
	}
	if p.own, err = page.New(files, page.Options{Chrome: p.chrome, Texts: "start"}); err != nil {
		return nil, err
	}
	signinPages, err := signin.Pages(p.chrome)
	if err != nil {
		return nil, err
	}
	p.door = signin.New(s.directory, signinPages, signin.Options{HTTPS: s.config.https(), PublicURL: s.config.Server.PublicURL,
		Affiliates: s.corpus.Named, Home: home, Outbox: s.mail.links(), Log: s.log})
	drawn := review.New(s.store.Reader, s.learner, s.corpus, nil)
	if p.console, err = console.New(s.desk, s.conversations, console.Options{Chrome: p.chrome, Who: p.door.Who, Entry: s.corpus.Entry, Review: drawn, Media: mediaPath,
		Shelf: s.media, Signer: s.keys.Signer(people.DeskFiles), Record: s.directory.Record, Log: s.log}); err != nil {
		return nil, err
	}
	if p.tests, err = newTests(s, p); err != nil {
		return nil, err
	}
	crawler := crawl.New(crawl.Options{PrivateHosts: s.config.Import.PrivateHosts})
	if p.portal, err = portal.New(s.corpus, portal.Options{Chrome: p.chrome, Who: p.door.Who, Ask: s.tryQuestion, Show: showEntry, Compare: s.compare, Asked: s.store.Asked, Prepare: s.prepare, Published: s.searcher.Poke, Broken: p.tests.broken, Tests: testsAt,
		Files: newFilePool(), Crawl: crawler, Read: s.changed, Media: s.media, Links: s.deadLinks, Brands: s.brands, Public: func(a knowledge.AffiliateID) string { return faqsite.At(a, "") },
		Phrases: s.phrases.Editable(narrowest()), Log: s.log}); err != nil {
		return nil, err
	}
	if p.faq, err = newFAQSite(s); err != nil {
		return nil, err
	}
	if p.guide, err = start.New(s.db, s.corpus, start.Options{Chrome: p.chrome, Who: p.door.Who, Accounts: s.networks.served, Files: newFilePool(),
		Prepare: s.prepare, Published: s.searcher.Poke, Record: s.directory.Record, Log: s.log}); err != nil {
		return nil, err
	}
	if err := p.addBoards(s, drawn, crawler); err != nil {
		return nil, err
	}
	p.chat, err = webchat.NewSite(s.networks.accounts, webchat.SiteOptions{Signer: s.keys.Signer(people.VisitorTokens), Conversations: s.conversations, Accept: s.intake.Accept,
		Media: s.media, Suggest: s.suggest, Brand: s.chatBrand, Staffed: func(a bot.Account) bool { return p.console.StaffedFor(a.Owner()) },
		Contact: s.desk.Contact, Mail: s.mail.visitors(), Called: accounts.Label, Secure: s.config.https(), SignedOut: s.conversations.VisitorsSignedOut, Log: s.log})
	return p, err
}

// addBoards makes the pages of what customers asked, what was learned of it, the figures, and the accounts on networks.
func (p *pages) addBoards(s *service, drawn *review.Service, crawler *crawl.Crawler) (err error) {
	if p.gaps, err = gapsboard.New(s.gaps, s.corpus, gapsboard.Options{Chrome: p.chrome, Who: p.door.Who, Log: s.log}); err != nil {
		return err
	}
	if p.review, err = reviewboard.New(drawn, s.corpus, reviewboard.Options{Chrome: p.chrome, Who: p.door.Who, Record: s.directory.Record, Log: s.log}); err != nil {
		return err
	}
	if p.figures, err = figuresboard.New(figures.New(s.db, nil), figuresboard.Options{Chrome: p.chrome, Who: p.door.Who, Affiliates: s.corpus.Named, Called: accounts.Label, Log: s.log}); err != nil {
		return err
	}
	p.board, err = board.New(s.networks.served, s.store, s.conversations, board.Options{Chrome: p.chrome, Who: p.door.Who, Record: s.directory.Record, Log: s.log,
		Affiliates: s.corpus.Named, Crawl: crawler, PublicURL: s.config.Server.PublicURL, Notices: s.forwarded.notices,
		Preview: func(settings network.Settings) (string, error) { return p.chat.Preview(settings) }})
	return err
}

// home is where somebody goes after signing in.
func home(p people.Person) string {
	switch p.Role {
	case people.RoleAgent, people.RoleLead:
		return "/desk"
	case people.RoleAffiliate:
		return "/partners"
	}
	return "/"
}

// chrome is the links around a page, by the reader's role.
func (p *pages) chrome(r *http.Request) page.Chrome {
	person, ok := p.door.Who(r)
	if !ok {
		return page.Chrome{}
	}
	c := page.Chrome{Who: person.Name}
	for _, place := range places(person.Role, p.texts.In(c.Lang)) {
		current := r.URL.Path == place.Href || strings.HasPrefix(r.URL.Path, place.Href+"/")
		if place.Href == "/desk" {
			current = current && !strings.HasPrefix(r.URL.Path, "/desk/conversations") && r.URL.Path != "/desk/sources"
		}
		c.Links = append(c.Links, page.Link{Href: place.Href, Label: place.Label, Current: current})
	}
	return c
}

// A place is one part of the service, for whoever may go there.
type place struct {
	Href, name   string // name is in the keys of its texts
	roles        []people.Role
	Label, Words string
}

// places are where a role may go.
func places(role people.Role, texts locale.Texts) (list []place) {
	desk, entries := []people.Role{people.RoleAdmin, people.RoleLead, people.RoleAgent}, []people.Role{people.RoleAdmin, people.RoleAffiliate}
	for _, to := range []place{
		{Href: "/start", name: "guide", roles: []people.Role{people.RoleAdmin}},
		{Href: "/desk", name: "desk", roles: desk},
		{Href: "/desk/conversations", name: "talks", roles: desk},
		{Href: "/desk/sources", name: "sources", roles: desk},
		{Href: "/partners", name: "entries", roles: entries},
		{Href: "/partners", name: "brand", roles: []people.Role{people.RoleLead}},
		{Href: "/eval", name: "tests", roles: []people.Role{people.RoleAdmin, people.RoleLead, people.RoleAffiliate}},
		{Href: "/figures", name: "figures", roles: []people.Role{people.RoleAdmin, people.RoleLead, people.RoleAffiliate}},
		{Href: "/channels", name: "channels", roles: []people.Role{people.RoleAdmin, people.RoleLead}},
		{Href: "/affiliates", name: "affiliates", roles: []people.Role{people.RoleAdmin}},
		{Href: "/people", name: "people", roles: []people.Role{people.RoleAdmin}},
		{Href: "/account", name: "account", roles: people.Roles()},
	} {
		if slices.Contains(to.roles, role) {
			to.Label, to.Words = texts.Say("place_"+to.name), texts.Say("place_"+to.name+"_words")
			list = append(list, to)
		}
	}
	return list
}

// register mounts every page. Roles are checked here and nowhere else; what belongs to another
// affiliate is refused by the pages themselves.
func (p *pages) register(r *gin.Engine) {
	r.GET(page.AssetPath+"*file", gin.WrapH(p.assets))
	r.GET("/", p.door.Identify(), p.start)
	p.door.Register(r)
	p.chat.Register(r)
	p.faq.Register(r)
	desk := r.Group("", p.door.Identify(), p.door.Require(people.RoleAgent, people.RoleLead, people.RoleAdmin))
	p.console.Register(desk)
	desk.GET("/desk/media/:file", p.deskMedia)
	entries := r.Group("", p.door.Identify(), p.door.Require(people.RoleAffiliate, people.RoleAdmin))
	p.portal.Register(entries, r.Group("", p.door.Identify(), p.door.Require(people.RoleAffiliate, people.RoleLead, people.RoleAdmin)))
	p.gaps.Register(entries)
	p.review.Register(entries)
	p.figures.Register(r.Group("", p.door.Identify(), p.door.Require(people.RoleAffiliate, people.RoleLead, people.RoleAdmin)))
	p.tests.Register(r.Group("", p.door.Identify(), p.door.Require(people.RoleAffiliate, people.RoleLead, people.RoleAdmin)))
	r.GET("/media/:file/:name", p.service.links.serve)
	staff := r.Group("", p.door.Identify(), p.door.Require(people.RoleLead, people.RoleAdmin))
	admins := r.Group("", p.door.Identify(), p.door.Require(people.RoleAdmin))
	p.board.Register(staff, admins)
	p.guide.Register(admins)
	r.POST("/api/ask", newAPI(p.service, time.Now).ask)
	r.NoRoute(p.door.Identify(), func(c *gin.Context) { p.show(c, http.StatusNotFound, "missing", nil) })
}

func (p *pages) show(c *gin.Context, status int, name string, data any) {
	if err := p.own.Show(c.Writer, c.Request, status, name, data); err != nil {
		p.service.log.WithError(err).Error("cannot show a page")
		c.AbortWithStatus(http.StatusInternalServerError)
	}
}

// A startView is what the start page shows.
type startView struct {
	Places []place
	Demo   bool
	Widget string // the account whose chat is on the page, "" for none
	demoStart
}

func (p *pages) start(c *gin.Context) {
	person, in := p.door.Who(c.Request)
	switch {
	case p.demo != nil:
		p.show(c, http.StatusOK, "start", startView{Demo: true, Widget: demoAccount, demoStart: p.demo.start(p.service.searcher)})
	case !in:
		c.Redirect(http.StatusSeeOther, "/sign-in")
	case person.Role == people.RoleAdmin && p.empty(c.Request.Context()):
		c.Redirect(http.StatusSeeOther, "/start")
	default:
		p.show(c, http.StatusOK, "start", startView{Places: places(person.Role, p.own.Texts(c.Request))})
	}
}

// empty reports whether there is no affiliate yet.
func (p *pages) empty(ctx context.Context) bool {
	list, err := p.service.corpus.AllAffiliates(ctx)
	return err == nil && len(list) == 0
}

// mediaPath is where agents fetch a file that we keep.
func mediaPath(a bot.Attachment) string {
	if a.Kept == "" {
		return ""
	}
	return "/desk/media/" + a.Kept + "?" + url.Values{"name": {a.Name}}.Encode()
}

// deskMedia serves a file to whoever may see a conversation it was sent in.
func (p *pages) deskMedia(c *gin.Context) {
	person, _ := p.door.Who(c.Request)
	ctx, file := c.Request.Context(), c.Param("file")
	list, err := p.service.conversations.WithFile(ctx, file)
	if err == nil && slices.ContainsFunc(list, func(conv bot.Conversation) bool { return person.May(conv.Affiliate) }) {
		blob, data, err := p.service.media.Get(ctx, file)
		if err == nil {
			media.Serve(c.Writer, c.Request, blob, c.Query("name"), data)
			return
		}
	}
	p.show(c, http.StatusNotFound, "missing", nil)
}

// suggest is a few questions to begin with, in the customer's language if there are any in it: one of each topic, the
// topics with most entries first, and then more of them.
func (s *service) suggest(_ context.Context, a bot.Account, locale string) (list []string) {
	entries := inLanguage(s.searcher.Entries(a.Affiliates), locale)
	size, rank := map[string]int{}, map[knowledge.EntryID]int{}
	for _, e := range entries {
		size[e.Topic]++
	}
	slices.SortFunc(entries, func(x, y knowledge.Entry) int {
		return cmp.Or(len(y.Variants)-len(x.Variants), strings.Compare(x.Key, y.Key))
	})
	seen := map[string]int{}
	for _, e := range entries {
		rank[e.ID] = seen[e.Topic]
		seen[e.Topic]++
	}
	slices.SortStableFunc(entries, func(x, y knowledge.Entry) int {
		return cmp.Or(rank[x.ID]-rank[y.ID], size[y.Topic]-size[x.Topic], strings.Compare(x.Topic, y.Topic))
	})
	for _, e := range entries[:min(len(entries), suggestions)] {
		list = append(list, e.Question)
	}
	return list
}

// inLanguage is the entries in a language, all of them if there is none in it.
func inLanguage(entries []knowledge.Entry, locale string) []knowledge.Entry {
	language := func(l string) string { return strings.ToLower(strings.SplitN(l, "-", 2)[0]) }
	var own []knowledge.Entry
	for _, e := range entries {
		if language(e.Locale) == language(locale) {
			own = append(own, e)
		}
	}
	if len(own) == 0 {
		return slices.Clone(entries)
	}
	return own
}

// suggestions is how many questions the chat offers to begin with.
const suggestions = 3

// prepare makes the vectors of entries before they are published.
func (s *service) prepare(ctx context.Context, entries []knowledge.Entry) error {
	if err := retrieval.Prepare(ctx, s.embedders.builtin.For(entries), entries); err != nil {
		return fmt.Errorf("make vectors: %w", err)
	}
	if s.embedders.primary != nil {
		if err := retrieval.Prepare(ctx, s.embedders.primary, entries); err != nil {
			s.log.WithError(err).Warn("the embeddings service failed; the built-in encoder answers until it is back")
		}
	}
	return nil
}

// compare finds wordings of entries that are nearer to another entry.
func (s *service) compare(ctx context.Context, entries []knowledge.Entry) ([]lint.Finding, error) {
	return retrieval.Misplaced(ctx, s.embedders.builtin.For(entries), entries)
}

// wordsOf is a reply in words alone: of a file, what it is called.
func wordsOf(r bot.Reply) string {
	if r.Media == nil {
		return r.Text
	}
	name := r.Media.Name
	if name == "" {
		name = r.Media.Link
	}
	return strings.TrimSpace(r.Text + "\n[" + r.Media.Kind + ": " + name + "]")
}
