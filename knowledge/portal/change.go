package portal

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
)

// A rowView is a change in a table.
type rowView struct {
	Href, Kind, Key  string
	Question, Answer []segment
	Cut              bool // there is more than is shown
	Else             []difference
	Media            []mediaView
}

// A difference is a field that changed besides question and answer.
type difference struct {
	Label string
	Diff  []segment
}

// idOf names a change within its upload.
func idOf(c knowledge.Change) knowledge.EntryID {
	if c.Kind == knowledge.ChangeRetired {
		return c.Before.ID
	}
	return c.After.ID
}

// viewChange is c, short enough for a table.
func (s scope) viewChange(c knowledge.Change, href string) rowView {
	v := s.viewWhole(c)
	v.Href = href
	var cuts [3]bool
	v.Question, cuts[0] = shorten(v.Question)
	v.Answer, cuts[1] = shorten(v.Answer)
	for i, d := range v.Else {
		var isCut bool
		v.Else[i].Diff, isCut = shorten(d.Diff)
		cuts[2] = cuts[2] || isCut
	}
	v.Cut = cuts[0] || cuts[1] || cuts[2]
	return v
}

// viewWhole is c with all that changes.
func (s scope) viewWhole(c knowledge.Change) rowView {
	v := rowView{Kind: string(c.Kind), Key: c.After.Key}
	one := func(e knowledge.Entry) {
		v.Key, v.Question, v.Answer = e.Key, []segment{{"", e.Question}}, []segment{{"", e.Answer}}
	}
	switch c.Kind {
	case knowledge.ChangeAdded:
		one(c.After)
	case knowledge.ChangeRetired:
		one(c.Before)
		return v
	default:
		v.Question, v.Answer = diff(c.Before.Question, c.After.Question), diff(c.Before.Answer, c.After.Answer)
	}
	add := func(label, before, after string) {
		switch {
		case before == after:
		case c.Kind == knowledge.ChangeAdded:
			v.Else = append(v.Else, difference{label, []segment{{"", after}}})
		default:
			v.Else = append(v.Else, difference{label, diff(before, after)})
		}
	}
	add(s.Say("topic"), c.Before.Topic, c.After.Topic)
	add(s.Say("field_locale"), c.Before.Locale, c.After.Locale)
	if c.Kind == knowledge.ChangeAdded {
		add(s.Say("field_variants"), "", strings.Join(c.After.Variants, " · "))
	} else if d := s.diffLists(c.Before.Variants, c.After.Variants); len(d) > 0 {
		v.Else = append(v.Else, difference{s.Say("field_variants"), d})
	}
	add(s.Say("suggested_after"), strings.Join(c.Before.FollowUps, " · "), strings.Join(c.After.FollowUps, " · "))
	if c.Kind == knowledge.ChangeEdited {
		add(s.Say("slug"), c.Before.Slug, c.After.Slug)
	}
	add(s.Say("holds"), s.holds(c.Before), s.holds(c.After))
	return v
}

// diffLists says which wordings came and which went, but not that they only changed places.
func (s scope) diffLists(before, after []string) []segment {
	var d []segment
	say := func(op string, list, other []string) {
		for _, wording := range list {
			if !slices.Contains(other, wording) {
				if len(d) > 0 {
					d = append(d, segment{"", " · "})
				}
				d = append(d, segment{op, wording})
			}
		}
	}
	say("del", before, after)
	say("ins", after, before)
	if len(d) == 0 && !slices.Equal(before, after) {
		return []segment{{"", s.Say("other_order")}}
	}
	return d
}

// holds says when an answer holds, "" if always. A time of midnight is a day.
func (s scope) holds(e knowledge.Entry) string {
	day := func(t time.Time, end bool) string {
		t = t.UTC()
		if t.Equal(t.Truncate(24 * time.Hour)) {
			if end {
				t = t.AddDate(0, 0, -1) // said as people do: the day it still holds on
			}
			return t.Format("2 Jan 2006")
		}
		return t.Format("2 Jan 2006 15:04 UTC")
	}
	var said []string
	if !e.From.IsZero() {
		said = append(said, s.Say("holds_from", "day", day(e.From, false)))
	}
	if !e.To.IsZero() {
		said = append(said, s.Say("holds_until", "day", day(e.To, true)))
	}
	return strings.Join(said, " ")
}

// A changePage shows one change whole.
type changePage struct {
	frame
	rowView
	File, Back string
}

func (p *Portal) showChange(g *gin.Context, s scope) error {
	u, err := p.stored(g, s)
	if err != nil {
		return err
	}
	for _, c := range append(u.Changes, u.Held...) {
		if string(idOf(c)) == g.Param("change") {
			v := s.viewWhole(c)
			v.Media = s.viewOf(c)
			return p.show(g, http.StatusOK, "change", changePage{s.frame("upload"), v, u.File, s.at("/uploads/" + string(u.ID))})
		}
	}
	return fmt.Errorf("change: %w", knowledge.ErrNotFound)
}
