package portal

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/page"
)

// perPage is how many rows of a table one page shows, and firstProblems how many problems stand
// above the changes before one has to ask for all.
const (
	perPage       = 200
	firstProblems = 20
	keptShown     = 20
)

// What may be done with an upload.
const (
	stateDraft     = "draft"
	stateEmpty     = "empty" // nothing would change
	stateFatal     = "fatal"
	stateOutdated  = "outdated"
	stateDiscarded = "discarded"
	statePublished = "published"
)

// A previewPage shows what an upload would change.
type previewPage struct {
	frame
	At        string // its address
	Upload    string // its ID
	File, By  string
	Sent      time.Time
	State     string
	Published knowledge.Revision

	Added, Edited, Retired, Unchanged, Changes, ProblemCount int
	Kept                                                     int
	KeptNames                                                []string
	KeptMore                                                 int
	Stays                                                    bool // the file adds and updates
	Unread                                                   bool // those are kept because a row could not be read
	Vanished                                                 int  // of those, how many came from this file
	Held                                                     []heldView
	HeldCount, Taken                                         int  // entries edited by hand that stay; for which the file counts
	Edits                                                    bool // it is no file but edits made here
	Findings                                                 []findingView
	FindingCount                                             int
	Working                                                  bool // more findings may come
	Broken                                                   Broken
	BrokenMore                                               int    // cases that are not shown
	Tests                                                    string // the address of the cases
	RemovesMost                                              bool   // the number must be typed
	Miscounted                                               bool   // and was not

	Tabs     []tab
	Problems []problemView
	More     string // the address of all problems, if not all are here
	Mendable bool   // something can be typed
	Mended   []mendedRow
	Rows     []rowView
	Pager    pager
	Columns  *columnsView
	Choose   bool // the columns can be chosen
}

// BrokenCount is how many test cases the upload would break.
func (p previewPage) BrokenCount() int { return len(p.Broken.Cases) + max(0, p.BrokenMore) }

// A tab is one way to filter.
type tab struct {
	Href, Label string
	Count       int
	Current     bool
}

// A pager leads through a long table.
type pager struct {
	First, Last, All int // rows, from 1
	Prev, Next       string
}

func (p *Portal) showPreview(g *gin.Context, s scope) error {
	u, err := p.stored(g, s)
	if err != nil {
		return err
	}
	return p.preview(g, s, u, http.StatusOK)
}

// preview shows u, filtered by the query.
func (p *Portal) preview(g *gin.Context, s scope, u knowledge.Upload, status int) error {
	data := previewPage{frame: s.frame("upload"), At: s.at("/uploads/" + string(u.ID)), Upload: string(u.ID), File: u.File, By: u.By, Sent: u.At,
		State: stateOf(u, s.revision), Published: u.Published, Unchanged: u.Unchanged, Kept: u.Kept,
		Changes: len(u.Changes), ProblemCount: len(u.Problems), HeldCount: len(u.Held), Taken: len(u.Reading.Take), Edits: u.File == "", Vanished: vanished(u)}
	count(&data, u)
	data.Held = s.viewHeld(u, data.At)
	if data.Edits {
		data.Section = "entries"
	}
	data.Stays, data.Unread, data.RemovesMost, data.Miscounted = u.Reading.Absent == knowledge.AbsentStay, u.Unread(), u.RemovesMost(), g.Query("miscounted") != ""
	kind := g.Query("kind")
	data.Tabs = s.tabs(data, kind)
	open := data.State == stateDraft || data.State == stateEmpty || data.State == stateFatal
	problems := u.Problems
	var changes []knowledge.Change
	for _, c := range u.Changes {
		if kind == "" || kind == string(c.Kind) {
			changes = append(changes, c)
		}
	}
	link := func(n int) string {
		return data.At + "?" + url.Values{"kind": {kind}, "page": {strconv.Itoa(n)}}.Encode()
	}
	n := number(g.Query("page"))
	if data.State == stateDraft && kind == "" && n == 1 {
		findings, working, err := p.uploadFindings(g.Request.Context(), s, u, &data)
		if err != nil {
			return err
		}
		data.Findings, data.FindingCount, data.Working = findings[:min(len(findings), previewMost)], len(findings), working || data.Broken.Working
	}
	switch {
	case kind == "problems":
		problems, data.Pager = cutPage(problems, n, link)
		changes = nil
	case kind != "" || n > 1:
		problems = nil
	case len(problems) > firstProblems:
		problems, data.More = problems[:firstProblems], data.At+"?kind=problems"
	}
	if kind != "problems" {
		changes, data.Pager = cutPage(changes, n, link)
	}
	for _, pr := range problems {
		v := s.viewProblem(pr, open)
		data.Mendable = data.Mendable || v.Mendable
		data.Problems = append(data.Problems, v)
	}
	for _, c := range changes {
		v := s.viewChange(c, data.At+"/changes/"+string(idOf(c)))
		v.Media = s.viewOf(c)
		data.Rows = append(data.Rows, v)
	}
	data.Mended = s.viewMended(u.Reading.Mends)
	if err := p.offerColumns(g, s, &data, u, open); err != nil {
		return err
	}
	data.Toast = s.previewToast(g)
	return p.show(g, status, "preview", data)
}

// offerColumns asks which column is which where the file could not be read without.
func (p *Portal) offerColumns(g *gin.Context, s scope, data *previewPage, u knowledge.Upload, open bool) error {
	if !open || data.Edits {
		return nil
	}
	file, err := p.corpus.File(g.Request.Context(), u.Affiliate, u.Digest)
	if err != nil {
		return nil // it is too old to be read again
	}
	if data.State != stateFatal {
		data.Choose = len(u.Reading.Columns) > 0 || guessed(u)
		return nil
	}
	end, ok := p.turns.begin(workReading, u.Affiliate)
	if !ok {
		data.Choose = true // later, on a page of its own
		return nil
	}
	defer end()
	table, ok, err := p.o.Files.Look(g.Request.Context(), u.File, file, faqfile.Options{Reading: u.Reading})
	switch {
	case errors.Is(err, faqfile.ErrBusy):
		data.Choose = true
	case err != nil:
		return err
	case ok:
		data.Columns = s.viewColumns(table, data.At)
	}
	return nil
}

// guessed reports whether the columns were not told by the file, so that they may be wrong.
func guessed(u knowledge.Upload) bool {
	return slices.ContainsFunc(u.Problems, func(p knowledge.Problem) bool { return p.Row == 0 && p.Line == 0 })
}

func stateOf(u knowledge.Upload, now knowledge.Revision) string {
	switch {
	case u.Published != 0:
		return statePublished
	case u.Discarded:
		return stateDiscarded
	case u.Base != now:
		return stateOutdated
	case u.Fatal():
		return stateFatal
	case len(u.Changes) == 0:
		return stateEmpty
	}
	return stateDraft
}

func count(data *previewPage, u knowledge.Upload) {
	for _, c := range u.Changes {
		switch c.Kind {
		case knowledge.ChangeAdded:
			data.Added++
		case knowledge.ChangeEdited:
			data.Edited++
		case knowledge.ChangeRetired:
			data.Retired++
		}
	}
	for i, e := range u.Stay {
		if i == keptShown {
			data.KeptMore = len(u.Stay) - i
			break
		}
		data.KeptNames = append(data.KeptNames, clip(e.Question))
	}
}

// tabs are the kinds that there are any of.
func (s scope) tabs(data previewPage, kind string) []tab {
	list := []tab{{data.At, s.Say("tab_all"), data.Changes + data.ProblemCount, kind == ""}}
	for _, t := range []tab{{"problems", s.Say("tab_problems"), data.ProblemCount, false}, {"added", s.Say("tab_added"), data.Added, false},
		{"edited", s.Say("tab_edited"), data.Edited, false}, {"retired", s.Say("tab_retired"), data.Retired, false}} {
		if t.Count > 0 || kind == t.Href {
			list = append(list, tab{data.At + "?kind=" + t.Href, t.Label, t.Count, kind == t.Href})
		}
	}
	if len(list) <= 2 {
		return nil
	}
	return list
}

func (s scope) previewToast(g *gin.Context) *page.Toast {
	if n := number(g.Query("mended")); g.Query("mended") != "" {
		return &page.Toast{Words: s.Count("mended_read", n)}
	}
	return nil
}

// number is a page's number, 1 if it is none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 1_000_000 {
		return 1
	}
	return n
}

// cutPage returns the n-th page of list.
func cutPage[T any](list []T, n int, link func(int) string) ([]T, pager) {
	start := min((n-1)*perPage, len(list))
	end := min(start+perPage, len(list))
	pg := pager{First: start + 1, Last: end, All: len(list)}
	if n > 1 && len(list) > 0 {
		pg.Prev = link(n - 1)
	}
	if end < len(list) {
		pg.Next = link(n + 1)
	}
	return list[start:end], pg
}
