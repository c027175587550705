package portal

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/page"
)

// A historyPage lists what was published.
type historyPage struct {
	frame
	Revisions []revisionView
	Pager     pager
}

type revisionView struct {
	Revision               knowledge.Revision
	At                     time.Time
	By, File, Href, Upload string
	Added, Edited, Retired int
	RollBack               bool
	To                     knowledge.Revision
	Current                bool
}

func (p *Portal) showHistory(g *gin.Context, s scope) error {
	publishes, err := p.corpus.History(g.Request.Context(), s.affiliate)
	if err != nil {
		return err
	}
	data := historyPage{frame: s.frame("history")}
	if len(publishes) > 0 {
		data.Toast = doneToast(g, s, publishes[0])
	}
	shown, pg := cutPage(publishes, number(g.Query("page")), func(n int) string { return s.at(fmt.Sprintf("/history?page=%d", n)) })
	data.Pager = pg
	for _, pub := range shown {
		v := revisionView{Revision: pub.Revision, At: pub.At, By: pub.By, File: pub.File, Href: s.at(fmt.Sprintf("/history/%d", pub.Revision)),
			Added: pub.Added, Edited: pub.Edited, Retired: pub.Retired, RollBack: pub.RollBack, To: pub.To, Current: pub.Revision == s.revision}
		if pub.Upload != "" {
			v.Upload = s.at("/uploads/" + string(pub.Upload))
		}
		data.Revisions = append(data.Revisions, v)
	}
	return p.show(g, http.StatusOK, "history", data)
}

// doneToast says what the last action published, and offers to undo it. After another publish it
// says nothing.
func doneToast(g *gin.Context, s scope, last knowledge.Publish) *page.Toast {
	if g.Query("done") != strconv.FormatInt(int64(last.Revision), 10) {
		return nil
	}
	n := last.Added + last.Edited + last.Retired
	words := s.Count("published", n, "affiliate", s.affiliate)
	switch {
	case last.RollBack && last.To == 0:
		words = s.Say("took_back_of", "affiliate", s.affiliate)
	case last.RollBack:
		words = s.Say("rolled_back_of", "affiliate", s.affiliate, "n", last.To)
	}
	return &page.Toast{Words: words, Action: s.Say("undo"),
		Undo: s.at(fmt.Sprintf("/history/%d/roll-back?from=%d", last.Revision-1, last.Revision))}
}

// revisionOf is the revision that the address names.
func revisionOf(g *gin.Context, s scope) (knowledge.Revision, error) {
	n, err := strconv.ParseInt(g.Param("revision"), 10, 64)
	if err != nil || n < 0 || knowledge.Revision(n) > s.revision {
		return 0, fmt.Errorf("revision: %w", knowledge.ErrNotFound)
	}
	return knowledge.Revision(n), nil
}

// A rollBackPage shows what going back to a revision would change, and asks.
type rollBackPage struct {
	frame
	Revision, Now                   knowledge.Revision
	Added, Edited, Retired, Changes int
	Moved                           bool // somebody published between looking and deciding
	Rows                            []rowView
	Pager                           pager
}

func (p *Portal) showRollBack(g *gin.Context, s scope) error {
	to, err := revisionOf(g, s)
	if err != nil {
		return err
	}
	return p.rollBackForm(g, s, to, http.StatusOK)
}

func (p *Portal) rollBackForm(g *gin.Context, s scope, to knowledge.Revision, status int) error {
	changes, err := p.corpus.Difference(g.Request.Context(), s.affiliate, s.revision, to)
	if err != nil {
		return err
	}
	data := rollBackPage{frame: s.frame("history"), Revision: to, Now: s.revision, Changes: len(changes), Moved: status == http.StatusConflict}
	for _, c := range changes {
		switch c.Kind {
		case knowledge.ChangeAdded:
			data.Added++
		case knowledge.ChangeEdited:
			data.Edited++
		case knowledge.ChangeRetired:
			data.Retired++
		}
	}
	shown, pg := cutPage(changes, number(g.Query("page")), func(n int) string { return s.at(fmt.Sprintf("/history/%d?page=%d", to, n)) })
	data.Pager = pg
	for _, c := range shown {
		v := s.viewChange(c, "")
		v.Media = s.viewOf(c)
		data.Rows = append(data.Rows, v)
	}
	return p.show(g, status, "rollback", data)
}

func (p *Portal) rollBack(g *gin.Context, s scope) error {
	to, err := revisionOf(g, s)
	if err != nil {
		return err
	}
	from, err := strconv.ParseInt(g.Query("from"), 10, 64)
	if err != nil {
		return fmt.Errorf("roll back: %w", knowledge.ErrNotFound)
	}
	end, ok := p.turns.begin(workPublishing, s.affiliate)
	if !ok {
		return errTurn(workPublishing)
	}
	defer end()
	changes, err := p.corpus.Difference(g.Request.Context(), s.affiliate, s.revision, to)
	if err != nil {
		return err
	}
	if err := p.prepare(g.Request.Context(), s, changes); err != nil {
		return err
	}
	revision, err := p.corpus.RollBackFrom(g.Request.Context(), s.affiliate, knowledge.Revision(from), to, s.person.Name)
	if errors.Is(err, knowledge.ErrOutdated) {
		if s, err = p.scope(g, s.person); err != nil {
			return err
		}
		return p.rollBackForm(g, s, to, http.StatusConflict)
	}
	if err != nil {
		return err
	}
	p.o.Published()
	return see(g, s.at(fmt.Sprintf("/history?done=%d", revision)))
}

// download hands out the entries of a revision.
func (p *Portal) download(g *gin.Context, s scope) error {
	at, err := revisionOf(g, s)
	if err != nil {
		return err
	}
	entries, err := p.corpus.At(g.Request.Context(), s.affiliate, at)
	if err != nil {
		return err
	}
	return sendEntries(g, fmt.Sprintf("%s-revision-%d", s.affiliate, at), g.Param("file"), entries)
}
