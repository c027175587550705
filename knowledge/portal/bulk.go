package portal

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
)

// bulk edits all chosen entries in one way. Each becomes a draft.
func (p *Portal) bulk(g *gin.Context, s scope) error {
	if err := g.Request.ParseForm(); err != nil {
		return err
	}
	ids := g.Request.PostForm["id"]
	f := filterOf(g.PostForm)
	do := g.PostForm("do")
	if do == "merge" && len(ids) == 2 {
		return see(g, s.at("/entries/merge?id="+ids[0]+"&id="+ids[1]))
	}
	change, err := bulkChange(do, g.PostForm)
	switch {
	case err != nil:
		return err
	case len(ids) == 0:
		return &told{status: http.StatusUnprocessableEntity, key: "none_chosen"}
	}
	chosen, err := p.chosen(g.Request.Context(), s, ids)
	if err != nil {
		return err
	}
	for _, i := range chosen {
		if err := p.saveItem(g.Request.Context(), s, i, change); err != nil {
			return err
		}
	}
	return see(g, s.at(fmt.Sprintf("/entries?%s&saved=%d", f.query(f.Page), len(chosen))))
}

// bulkChange is what to do to each chosen entry.
func bulkChange(do string, field func(string) string) (func(*knowledge.Edit), error) {
	typed, problems := faqfile.ReadTyped(map[string]string{"topic": field("set_topic"), "from": field("set_from"), "to": field("set_to")})
	wrong := func(fields ...string) bool {
		return slices.ContainsFunc(problems, func(p knowledge.Problem) bool { return slices.Contains(fields, p.Field) })
	}
	switch {
	case do == "topic" && !wrong("topic"):
		return func(e *knowledge.Edit) { e.Entry.Topic = typed.Topic }, nil
	case do == "dates" && !wrong("from", "to"):
		return func(e *knowledge.Edit) { e.Entry.From, e.Entry.To = typed.From, typed.To }, nil
	case do == "remove":
		return func(e *knowledge.Edit) { e.Remove = true }, nil
	case do == "restore":
		return func(e *knowledge.Edit) { e.Remove = false }, nil
	case do == "merge":
		return nil, &told{status: http.StatusUnprocessableEntity, key: "merge_two"}
	}
	return nil, &told{status: http.StatusUnprocessableEntity, key: "bulk_wrong"}
}

// chosen are the entries of some IDs, removed ones too.
func (p *Portal) chosen(ctx context.Context, s scope, ids []string) ([]item, error) {
	list, err := p.items(ctx, s)
	if err != nil {
		return nil, err
	}
	removed, err := p.removed(ctx, s, list)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(append(list, removed...), func(i item) bool { return !slices.Contains(ids, string(i.entry.ID)) })
	if len(list) < len(ids) {
		return nil, fmt.Errorf("entry: %w", knowledge.ErrNotFound)
	}
	return list, nil
}

// saveItem changes an item's draft, or makes one.
func (p *Portal) saveItem(ctx context.Context, s scope, i item, change func(*knowledge.Edit)) error {
	e := knowledge.Edit{Entry: i.entry, Base: i.published.Revision, By: s.person.Name}
	if i.edit != nil {
		e.Version, e.Remove = i.edit.Version, i.edit.Remove
	}
	change(&e)
	_, err := p.corpus.SaveEdit(ctx, s.affiliate, e)
	return err
}

// A mergePage asks which of two entries' answers stays.
type mergePage struct {
	frame
	Entries []entryView
}

func (p *Portal) showMerge(g *gin.Context, s scope) error {
	list, err := p.chosen(g.Request.Context(), s, g.QueryArray("id"))
	if err != nil {
		return err
	}
	if len(list) != 2 || list[0].entry.Locale != list[1].entry.Locale {
		return &told{status: http.StatusUnprocessableEntity, key: "merge_two"}
	}
	data := mergePage{frame: s.frame("entries")}
	for _, i := range list {
		data.Entries = append(data.Entries, s.viewItem(i, time.Now()))
	}
	return p.show(g, http.StatusOK, "merge", data)
}

// merge gives one entry the wordings of another, which is removed. Both become drafts.
func (p *Portal) merge(g *gin.Context, s scope) error {
	if err := g.Request.ParseForm(); err != nil {
		return err
	}
	ctx, keep := g.Request.Context(), g.PostForm("keep")
	list, err := p.chosen(ctx, s, g.Request.PostForm["id"])
	if err != nil {
		return err
	}
	at := slices.IndexFunc(list, func(i item) bool { return string(i.entry.ID) == keep })
	if len(list) != 2 || at < 0 || list[0].entry.Locale != list[1].entry.Locale {
		return &told{status: http.StatusUnprocessableEntity, key: "merge_two"}
	}
	kept, gone := list[at], list[1-at]
	wordings, _ := faqfile.ReadTyped(map[string]string{"question": kept.entry.Question,
		"variants": strings.Join(append(slices.Clone(kept.entry.Variants), gone.entry.Wordings()...), "\n")})
	if err := p.saveItem(ctx, s, kept, func(e *knowledge.Edit) { e.Entry.Variants, e.Remove = wordings.Variants, false }); err != nil {
		return err
	}
	if err := p.saveItem(ctx, s, gone, func(e *knowledge.Edit) { e.Remove = true }); err != nil {
		return err
	}
	return see(g, s.at("/entries?show=drafts&saved=2"))
}
