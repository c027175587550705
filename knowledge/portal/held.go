package portal

import (
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
)

// A heldView is an entry edited by hand that a file would change, and does not.
type heldView struct {
	rowView
	ID, By string
	At     time.Time
	Gone   bool // the file lacks it
}

func (s scope) viewHeld(u knowledge.Upload, at string) (list []heldView) {
	for i, c := range u.Held {
		if i == keptShown {
			break
		}
		list = append(list, heldView{s.viewChange(c, at+"/changes/"+string(idOf(c))), string(c.Before.ID), c.Before.EditedBy, c.Before.EditedAt, c.Kind == knowledge.ChangeRetired})
	}
	return list
}

// vanished is how many published entries that came from u's file stay although it lacks them.
func vanished(u knowledge.Upload) (n int) {
	for _, e := range u.Stay {
		if e.Source == u.File && !e.ByHand() {
			n++
		}
	}
	return n
}

// take says for which entries edited by hand the file counts: one more, all of them, or none.
func (p *Portal) take(g *gin.Context, s scope) error {
	u, err := p.editable(g, s)
	if err != nil {
		return err
	}
	reading := u.Reading
	switch id := knowledge.EntryID(g.PostForm("id")); id {
	case "none":
		reading.Take = nil
	case "all":
		reading.Take = slices.Clone(reading.Take)
		for _, c := range u.Held {
			reading.Take = append(reading.Take, c.Before.ID)
		}
	default:
		if !slices.ContainsFunc(u.Held, func(c knowledge.Change) bool { return c.Before.ID == id }) {
			return knowledge.ErrNotFound
		}
		reading.Take = append(slices.Clone(reading.Take), id)
	}
	return p.seeAgain(g, s, u, reading, "")
}
