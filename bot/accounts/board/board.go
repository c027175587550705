// Package board is the pages of the accounts on networks: what is wrong with each and how to mend it,
// replies to send again, and the form that adds one. It decides nothing about accounts (setup does) and
// shows no secret: a field for one is always empty.
package board

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/bot/conversations"
	"faqbot/bot/network"
	"faqbot/bot/store"
	"faqbot/knowledge"
	"faqbot/knowledge/crawl"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/visit"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// assetsAt is no channel's address: names have no tilde.
const assetsAt = "/channels/~/"

// bodyMost is the largest form taken, in bytes.
const bodyMost = 64 << 10

// freshWithin is how long a page waits for networks to say how accounts stand.
const freshWithin = 4 * time.Second

// Options are what a Board needs.
type Options struct {
	Chrome func(*http.Request) page.Chrome
	Who    func(*http.Request) (people.Person, bool)
	// Record adds a line to the audit.
	Record func(ctx context.Context, by people.PersonID, action people.Action, object string) error
	Log    logrus.FieldLogger
	// Affiliates are those there are, to choose from.
	Affiliates func(context.Context) ([]knowledge.Affiliate, error)
	// Crawl opens pages on which a chat may stand; nil: none are opened.
	Crawl     *crawl.Crawler
	PublicURL string // where the world reaches us, without a path; "" if that is not configured
	// Notices are what is wrong with the service as a whole, in words; nil: nothing.
	// Preview returns the address of a page that shows a chat with settings that are not saved; nil: there is none.
	Preview func(network.Settings) (address string, err error)
	Notices func() []string
}

// Actions in the audit.
const (
	actionAdd    people.Action = "add or change an account"
	actionRemove people.Action = "remove an account"
	actionHook   people.Action = "set a webhook"
	actionReplay people.Action = "send a reply again"
	actionReread people.Action = "read again what could not be read"
)

// A Board serves the pages.
type Board struct {
	served        *accounts.Service
	store         *store.Store
	conversations *conversations.Service
	pages         *page.Pages
	host          visit.Host
	assets        *page.AssetSet
	o             Options
}

// New returns a Board.
func New(served *accounts.Service, store *store.Store, conversations *conversations.Service, o Options) (*Board, error) {
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, err
	}
	if o.Notices == nil {
		o.Notices = func() []string { return nil }
	}
	own, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return nil, err
	}
	assets, err := page.NewAssetSet(assetsAt, own)
	if err != nil {
		return nil, err
	}
	pages, err := page.New(files, page.Options{Chrome: o.Chrome, Assets: assets, Texts: "channels"})
	if err != nil {
		return nil, err
	}
	return &Board{served: served, store: store, conversations: conversations, pages: pages, host: visit.Host{Pages: pages, Who: o.Who, Log: o.Log}, assets: assets, o: o}, nil
}

// Register mounts the pages: staff is for leads and admins, who see the accounts of their affiliates;
// admins alone add, change and remove.
func (b *Board) Register(staff, admins gin.IRouter) {
	limit := func(c *gin.Context) { c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, bodyMost) }
	staff, admins = staff.Group("/channels", limit), admins.Group("/channels", limit)
	staff.GET("", b.list)
	staff.GET("/~/*file", gin.WrapH(b.assets))
	staff.POST("/check", b.checkAll)
	staff.GET("/guide/:channel", b.guide)
	staff.GET("/:channel/:account", b.at(b.account))
	staff.POST("/:channel/:account/check", b.at(b.check))
	staff.POST("/:channel/:account/page", b.at(b.checkPage))
	staff.POST("/:channel/:account/test", b.at(b.test))
	staff.POST("/:channel/:account/replay/:delivery", b.at(b.replay))
	staff.POST("/:channel/:account/rejects", b.at(b.readAgain))
	admins.GET("/add", b.choose)
	admins.GET("/add/:channel", b.form)
	admins.POST("/add/:channel", b.add)
	admins.POST("/add/:channel/preview", b.preview)
	admins.POST("/:channel/:account/webhook", b.at(b.hook))
	admins.POST("/:channel/:account/remove", b.at(b.remove))
}

// A row is an account as pages show it.
type row struct {
	accounts.Report
	Path, Guide string
	Network     string // "WhatsApp"
	Pause       string
	Throttled   bool
}

func newRow(r accounts.Report) row {
	n := row{Report: r, Path: "/channels/" + r.Settings.Key(), Guide: "/channels/guide/" + r.Settings.Channel, Network: accounts.Label(r.Settings.Channel)}
	if !r.Traffic.PausedUntil.IsZero() {
		n.Pause, n.Throttled = accounts.PauseWords(r.Traffic), r.Traffic.Paused == store.PauseThrottled
	}
	return n
}

// State is "bad", "look", "good", or "unknown" while the network was not asked.
func (r row) State() string {
	switch {
	case r.Health.Critical() || r.Pause != "" && !r.Throttled:
		return "bad"
	case len(r.Health.Problems) > 0 || r.Throttled || r.away() || r.Traffic.Dead > 0 || r.Traffic.Rejects > 0:
		return "look"
	case r.CheckedAt.IsZero():
		return "unknown"
	}
	return "good"
}

// away reports whether the network carries out nothing now.
func (r row) away() bool {
	return slices.ContainsFunc(r.Traffic.Incidents, func(i bot.Incident) bool { return i.Ended.IsZero() })
}

// Polled reports whether the account needs no webhook.
func (r row) Polled() bool { return r.Settings.Mode == network.ModePoll }

// Affiliates are whose entries answer.
func (r row) Affiliates() string { return strings.Join(r.Settings.Affiliates, ", ") }

type listView struct {
	Accounts []row
	Notices  []string
	Admin    bool
	Done     string
}

func (b *Board) list(c *gin.Context) {
	ctx := c.Request.Context()
	b.served.Freshen(ctx, freshWithin)
	person, _ := b.o.Who(c.Request)
	v := listView{Admin: person.Role == people.RoleAdmin, Notices: b.o.Notices()}
	if c.Query("done") == "removed" {
		v.Done = b.texts(c).Say("done_removed")
	}
	reports, err := b.served.Reports(ctx)
	if err != nil {
		b.fail(c, err)
		return
	}
	for _, r := range reports {
		if person.May(r.Account().Owner()) {
			v.Accounts = append(v.Accounts, newRow(r))
		}
	}
	slices.SortStableFunc(v.Accounts, func(x, y row) int { return rank(x) - rank(y) })
	b.show(c, http.StatusOK, "list", v)
}

// rank puts what needs somebody first.
func rank(r row) int { return slices.Index([]string{"bad", "look", "unknown", "good"}, r.State()) }

func (b *Board) checkAll(c *gin.Context) {
	b.served.Check(c.Request.Context())
	c.Redirect(http.StatusSeeOther, "/channels")
}

// at finds the account that a page is about; what belongs to another affiliate is not there.
func (b *Board) at(handle func(*gin.Context, row)) gin.HandlerFunc {
	return func(c *gin.Context) {
		person, _ := b.o.Who(c.Request)
		r, err := b.served.Report(c.Request.Context(), bot.AccountKey(c.Param("channel"), c.Param("account")))
		if err != nil && !errors.Is(err, accounts.ErrNoAccount) {
			b.fail(c, err)
			return
		}
		if err != nil || !person.May(r.Account().Owner()) {
			b.gone(c, "no_account", "back_to_accounts")
			return
		}
		handle(c, newRow(r))
	}
}

// texts are those of the pages in the reader's language.
func (b *Board) texts(c *gin.Context) locale.Texts { return b.pages.Texts(c.Request) }

// gone says by their keys what is not there and what to do.
func (b *Board) gone(c *gin.Context, what, do string) {
	t := b.texts(c)
	b.answer(c, b.pages.Fail(c.Writer, c.Request, http.StatusNotFound, t.Say("missing_title"), page.Problem{What: t.Say(what), Do: t.Say(do)}))
}

func (b *Board) show(c *gin.Context, status int, name string, data any) {
	b.answer(c, b.pages.Show(c.Writer, c.Request, status, name, data))
}

// answer ends a handler: an error here means that the page could not be made.
func (b *Board) answer(c *gin.Context, err error) {
	if err != nil {
		b.o.Log.WithError(err).WithField("page", c.FullPath()).Error("cannot show a page")
		if !c.Writer.Written() {
			c.AbortWithStatus(http.StatusInternalServerError)
		}
	}
}

// fail shows that something of ours is broken.
func (b *Board) fail(c *gin.Context, err error) {
	if c.Request.Context().Err() == nil {
		b.host.Tell(c, visit.Problem{Status: http.StatusInternalServerError, Key: "broken", ID: b.host.Note(c.FullPath(), "", err)})
	}
}

// record notes in the audit what a person did to an account.
func (b *Board) record(c *gin.Context, action people.Action, object string) {
	person, _ := b.o.Who(c.Request)
	if err := b.o.Record(c.Request.Context(), person.ID, action, object); err != nil {
		b.o.Log.WithError(err).Error("cannot note in the audit")
	}
}
