// Package board is the page of figures: what came, what the bot did with it, how fast people answered and how tickets
// ended, for those whom a person may see, over a period and beside the one before it; and the same as CSV, a row for each
// conversation.
package board

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"

	"faqbot/handoff/figures"
	"faqbot/knowledge"
	"faqbot/knowledge/locale"
	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
	"faqbot/knowledge/visit"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// maxDays is the longest period that is counted.
const maxDays = 366

// Options are what a Board is told of the rest. All but Now are required.
type Options struct {
	Chrome     func(*http.Request) page.Chrome
	Who        func(*http.Request) (people.Person, bool)
	Affiliates func(context.Context) ([]knowledge.Affiliate, error)
	Called     func(channel string) string // what people call a network
	Log        logrus.FieldLogger
	Now        func() time.Time // time.Now if nil
}

// A Board serves the page.
type Board struct {
	figures *figures.Service
	pages   *page.Pages
	assets  *page.AssetSet
	host    visit.Host
	o       Options
}

// New returns the page.
func New(service *figures.Service, o Options) (*Board, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, fmt.Errorf("the pages of figures: %w", err)
	}
	own, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return nil, fmt.Errorf("the pages of figures: %w", err)
	}
	assets, err := page.NewAssetSet("/figures/assets/", own)
	if err != nil {
		return nil, fmt.Errorf("the pages of figures: %w", err)
	}
	pages, err := page.New(files, page.Options{Chrome: o.Chrome, Assets: assets, Texts: "figures"})
	if err != nil {
		return nil, fmt.Errorf("the pages of figures: %w", err)
	}
	return &Board{figures: service, pages: pages, assets: assets, host: visit.Host{Pages: pages, Who: o.Who, Log: o.Log, Missing: "missing", Broken: "broken"}, o: o}, nil
}

// Register mounts the page. /desk/figures is where people of the desk look for it.
func (b *Board) Register(r gin.IRouter) {
	r.GET("/figures", b.handle(b.show))
	r.GET("/figures.csv", b.handle(b.download))
	r.GET("/figures/assets/*file", gin.WrapH(b.assets))
	r.GET("/desk/figures", func(c *gin.Context) { c.Redirect(http.StatusSeeOther, "/figures") })
}

func (b *Board) handle(do func(*gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) { b.host.Explain(c, do(c)) }
}

// A query is what the address asks for.
type query struct {
	Of, Channel string
	Days        int    // back from now; 0 if From and To are given
	From, To    string // dates, the last one included
	Wrong       string // the key of what is wrong with them
	period      figures.Period
}

func (b *Board) query(c *gin.Context) query {
	q := query{Of: c.Query("of"), Channel: c.Query("channel"), From: c.Query("from"), To: c.Query("to")}
	q.Days, _ = strconv.Atoi(c.Query("days"))
	now := b.o.Now().UTC()
	tomorrow := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, time.UTC)
	if q.Days == 0 && q.From != "" {
		from, err := time.Parse(time.DateOnly, q.From)
		to, err2 := time.Parse(time.DateOnly, q.To)
		q.period = figures.Period{From: from, To: to.AddDate(0, 0, 1)}
		switch days := int(q.period.To.Sub(from).Hours() / 24); {
		case err != nil || err2 != nil:
			q.Wrong = "wrong_date"
		case days < 1:
			q.Wrong = "wrong_order"
		case days > maxDays:
			q.Wrong = "wrong_long"
		default:
			return q
		}
	}
	if q.Days < 1 || q.Days > maxDays {
		q.Days = 28
	}
	q.period = figures.Period{From: tomorrow.AddDate(0, 0, -q.Days), To: tomorrow}
	return q
}

// address is that of something of the page with the same query.
func (q query) address(path string) string {
	v := url.Values{}
	for key, value := range map[string]string{"of": q.Of, "channel": q.Channel, "from": q.From, "to": q.To} {
		if value != "" && (q.Days == 0 || key != "from" && key != "to") {
			v.Set(key, value)
		}
	}
	if q.Days != 0 {
		v.Set("days", strconv.Itoa(q.Days))
	}
	return path + "?" + v.Encode()
}

// question is q for those whom the person may see.
func (q query) question(p people.Person) figures.Question {
	return figures.Question{Period: q.period, Channel: q.Channel, May: func(a knowledge.AffiliateID) bool {
		return p.May(a) && (q.Of == "" || string(a) == q.Of)
	}}
}

// A view is what the page shows.
type view struct {
	Query      query
	Spans      []page.Option
	Affiliates []page.Option
	Channels   []page.Option
	Tiles      []tile
	Open       figures.Backlog
	Oldest     string
	Chart      chart
	Parts      []partTable
	CSV        string
	Any        bool
	Empty      page.Empty
	Problem    *page.Problem
}

func (b *Board) show(c *gin.Context) error {
	ctx := c.Request.Context()
	p, _ := b.o.Who(c.Request)
	t, q := b.pages.Texts(c.Request), b.query(c)
	question := q.question(p)
	question.Before = true
	now, err := b.figures.Report(ctx, question)
	if err != nil {
		return err
	}
	v := view{Query: q, Tiles: tilesOf(t, &now.All, &now.Before), Open: now.Open, Oldest: inWords(t, now.Open.Oldest), Chart: chartOf(now.Days),
		CSV: q.address("/figures.csv"), Any: now.All.Questions()+now.All.Replies+now.Open.All() > 0,
		Empty: page.Empty{Title: t.Say("empty_title"), Words: t.Say("empty")}}
	if q.Wrong != "" {
		v.Problem = &page.Problem{What: t.Say(q.Wrong), Do: t.Say("wrong_do")}
	}
	for _, days := range []int{1, 7, 28, 90, 365} {
		v.Spans = append(v.Spans, page.Option{Value: strconv.Itoa(days), Label: t.Count("last_days", days)})
	}
	if v.Affiliates, err = b.affiliates(ctx, t, p); err != nil {
		return err
	}
	v.Parts = []partTable{
		{Title: t.Say("by_channel"), Rows: b.partsOf(t, now.Channels, b.o.Called)},
		{Title: t.Say("by_affiliate"), Rows: b.partsOf(t, now.Affiliates, nil)},
	}
	if p.Role != people.RoleAffiliate {
		v.Parts = append(v.Parts, partTable{Title: t.Say("by_agent"), Rows: b.partsOf(t, now.Agents, nil), People: true})
	}
	v.Channels = []page.Option{{Label: t.Say("all_channels")}}
	for _, one := range now.Channels {
		v.Channels = append(v.Channels, page.Option{Value: one.Name, Label: b.o.Called(one.Name)})
	}
	return b.pages.Show(c.Writer, c.Request, http.StatusOK, "figures", v)
}

// affiliates are the choice of whose figures to see; none for a person of one affiliate.
func (b *Board) affiliates(ctx context.Context, t locale.Texts, p people.Person) ([]page.Option, error) {
	all, err := b.o.Affiliates(ctx)
	list := []page.Option{{Label: t.Say("all_affiliates")}}
	for _, a := range all {
		if p.May(a.ID) {
			list = append(list, page.Option{Value: string(a.ID), Label: a.Name()})
		}
	}
	if len(list) < 3 {
		return nil, err
	}
	return list, err
}

// download writes a row for each conversation of the period.
func (b *Board) download(c *gin.Context) error {
	p, _ := b.o.Who(c.Request)
	q := b.query(c)
	question := q.question(p)
	question.Rows = true
	r, err := b.figures.Report(c.Request.Context(), question)
	if err != nil {
		return err
	}
	rows := [][]string{{"conversation", "channel", "affiliate", "began", "answered", "asked_back", "tickets", "helped", "not_helped", "replies", "agent",
		"handed_off", "first_reply_s", "closed", "outcome", "reopened", "resolution_s"}}
	for i := range r.Rows {
		row := &r.Rows[i]
		rows = append(rows, []string{row.Conversation, row.Channel, row.Affiliate, stamp(row.Began), strconv.Itoa(row.Answered), strconv.Itoa(row.AskedBack),
			strconv.Itoa(row.Tickets), strconv.Itoa(row.Helped), strconv.Itoa(row.NotHelped), strconv.Itoa(row.Replies), row.Agent, stamp(row.HandedOff),
			seconds(&row.First), stamp(row.Closed), row.Outcome, strconv.Itoa(row.Reopened), seconds(&row.Resolution)})
	}
	page.CSV(c.Writer, fmt.Sprintf("figures-%s-%s.csv", q.period.From.Format(time.DateOnly), q.period.To.AddDate(0, 0, -1).Format(time.DateOnly)), rows)
	return nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func seconds(d *figures.Durations) string {
	if d.N() == 0 {
		return ""
	}
	return strconv.Itoa(int(d.Mean().Seconds()))
}
