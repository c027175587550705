package signin

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge/page"
	"faqbot/knowledge/people"
)

// An auditView is what the page of the audit shows.
type auditView struct {
	Tab      string
	Notes    []people.Note
	By, What []page.Option // to choose from
	Filter   people.NoteFilter
	From, To string // dates, the last one included
	Older    string // the address of older lines, "" if there are none
	Newest   string // the address of the newest, "" if these are
	CSV      string
	Problem  *page.Problem
}

const (
	// auditPage is how many lines one page of the audit has.
	auditPage = 50
	// auditMost is how many lines are written into one file.
	auditMost = 100_000
)

// auditFilter is what the address asks for. wrong reports whether one of its dates is none.
func auditFilter(c *gin.Context) (f people.NoteFilter, wrong bool) {
	f = people.NoteFilter{By: people.PersonID(c.Query("by")), Action: people.Action(c.Query("what"))}
	for key, to := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		if text := c.Query(key); text != "" {
			day, err := time.Parse(time.DateOnly, text)
			wrong = wrong || err != nil
			*to = day
		}
	}
	if !f.To.IsZero() {
		f.To = f.To.AddDate(0, 0, 1)
	}
	return f, wrong
}

// auditAt is the address of something of the audit with the filter of c, and before if it is not "".
func auditAt(c *gin.Context, path, before string) string {
	v := url.Values{}
	for _, key := range []string{"by", "what", "from", "to"} {
		if value := c.Query(key); value != "" {
			v.Set(key, value)
		}
	}
	if before != "" {
		v.Set("before", before)
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

func (d *Door) showAudit(c *gin.Context) {
	ctx, t := c.Request.Context(), d.texts(c)
	filter, wrong := auditFilter(c)
	v := auditView{Tab: "audit", Filter: filter, From: c.Query("from"), To: c.Query("to"), CSV: auditAt(c, "/people/audit.csv", "")}
	status := http.StatusOK
	if wrong {
		status, v.Problem = http.StatusUnprocessableEntity, &page.Problem{What: t.Say("wrong_date"), Do: t.Say("wrong_date_do")}
	}
	notes, err := d.dir.Notes(ctx, filter, c.Query("before"), auditPage+1)
	if err == nil {
		v.By, v.What, err = d.auditChoices(c)
	}
	if err != nil {
		d.fail(c, err)
		return
	}
	if c.Query("before") != "" {
		v.Newest = auditAt(c, "/people/audit", "")
	}
	if v.Notes = notes; len(notes) > auditPage {
		v.Notes = notes[:auditPage]
		v.Older = auditAt(c, "/people/audit", v.Notes[auditPage-1].ID)
	}
	d.show(c, d.pages.Show(c.Writer, c.Request, status, "audit", v))
}

// auditChoices are who did something, and what was ever done.
func (d *Door) auditChoices(c *gin.Context) (by, what []page.Option, err error) {
	t := d.texts(c)
	by, what = []page.Option{{Label: t.Say("audit_everybody")}}, []page.Option{{Label: t.Say("audit_everything")}}
	who, done, err := d.dir.Noted(c.Request.Context())
	for _, p := range who {
		by = append(by, page.Option{Value: string(p.ID), Label: p.Name})
	}
	for _, action := range done {
		what = append(what, page.Option{Value: string(action), Label: string(action)})
	}
	return by, what, err
}

// exportAudit writes the lines that a filter selects, the newest first.
func (d *Door) exportAudit(c *gin.Context) {
	filter, _ := auditFilter(c)
	notes, err := d.dir.Notes(c.Request.Context(), filter, "", auditMost)
	if err != nil {
		d.fail(c, err)
		return
	}
	rows := [][]string{{"at", "by", "action", "object"}}
	for _, n := range notes {
		rows = append(rows, []string{n.At.UTC().Format(time.RFC3339), n.ByName, string(n.Action), n.Object})
	}
	page.CSV(c.Writer, "audit.csv", rows)
}
