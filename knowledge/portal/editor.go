package portal

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/page"
)

// An editorPage edits one entry.
type editorPage struct {
	frame
	At, ID   string // where the form goes, and the entry
	New      bool   // nobody has saved it yet
	Live     bool   // it is published
	Removed  bool   // it was published once
	Draft    string // as in an entryView
	By       string
	When     time.Time
	Base     string
	Version  string
	Page     string // names this open page
	Question string
	From     string
	Locale   string
	Key      string // of a published entry, which keeps it
	Fields   map[string]page.Field
	Errors   []page.Field
	Notes    []string
	Topics   []string
	Asked    []string // questions that may be suggested
	Next     []page.Field
	Slug     page.Field
	Media    []mediaChoice
	Takes    bool // files are taken
	Siblings []entryView
	Conflict *conflict
	othersPart
	Shown []ChannelView
}

// A mediaChoice is a file or link that can be taken out.
type mediaChoice struct {
	mediaView
	Mark string
	Ask  string // the name of what is asked about it, "" if nothing is: "picture_shows", "recording_says"
	Alt  string // the answer
}

// A conflict is what somebody else saved, compared with what was typed.
type conflict struct {
	Who              string
	When             time.Time
	Question, Answer []segment
}

// find returns the entry that the address names; removed says that it is neither published nor drafted.
func (p *Portal) find(ctx context.Context, s scope, id string) (i item, all []item, removed bool, err error) {
	if all, err = p.items(ctx, s); err != nil {
		return i, nil, false, err
	}
	is := func(i item) bool { return string(i.entry.ID) == id }
	if at := slices.IndexFunc(all, is); at >= 0 {
		return all[at], all, false, nil
	}
	gone, err := p.removed(ctx, s, all)
	if at := slices.IndexFunc(gone, is); err == nil && at >= 0 {
		return gone[at], all, true, nil
	}
	return i, all, false, cmp.Or(err, fmt.Errorf("entry: %w", knowledge.ErrNotFound))
}

func (p *Portal) showEditor(g *gin.Context, s scope) error {
	i, all, removed, err := p.find(g.Request.Context(), s, g.Param("entry"))
	if err != nil {
		return err
	}
	data := p.editor(s, i, all)
	data.Removed = removed
	if g.Query("saved") != "" {
		data.Toast = &page.Toast{Words: s.Say("draft_saved")}
	}
	return p.show(g, http.StatusOK, "editor", data)
}

// showNew begins an entry: an empty one, a copy of another, or another's in one more language.
func (p *Portal) showNew(g *gin.Context, s scope) error {
	var i item
	var all []item
	var err error
	if from := cmp.Or(g.Query("from"), g.Query("like")); from != "" {
		i, all, _, err = p.find(g.Request.Context(), s, from)
	} else {
		all, err = p.items(g.Request.Context(), s)
	}
	if err != nil {
		return err
	}
	e := i.entry
	e.ID, e.Slug, e.Source, e.EditedBy, e.EditedAt = knowledge.EntryID(rand.Text()), "", "", "", time.Time{}
	switch {
	case g.Query("like") != "":
		e.Locale, e.Variants = first(g.Query("locale"), 40), nil
	case g.Query("from") != "":
		e.Question = s.Say("copy_of", "question", e.Question)
		e.Key = faqfile.KeyOf(e.Question)
	default:
		e.Question = first(g.Query("question"), queryMost)
		e.Key = faqfile.KeyOf(e.Question)
	}
	data := p.editor(s, item{entry: e}, all)
	data.New = true
	if g.Query("like") != "" { // the two are one entry in two languages because they have one key
		f := data.Fields["id"]
		f.Value = e.Key
		data.Fields["id"] = f
	}
	return p.show(g, http.StatusOK, "editor", data)
}

// editor is the page of an item among all.
func (p *Portal) editor(s scope, i item, all []item) editorPage {
	e := i.entry
	data := editorPage{frame: s.frame("entries"), At: s.at("/entries/" + string(e.ID)), ID: string(e.ID), Live: i.published.ID != "", Draft: i.draft(),
		Base: strconv.FormatInt(int64(i.published.Revision), 10), Page: rand.Text(), Question: e.Question, From: s.origin(i.published), Locale: e.Locale, Takes: p.o.Media != nil}
	if i.edit != nil {
		data.Version, data.By, data.When = i.edit.Version, i.edit.By, i.edit.At
	}
	if data.Live {
		data.Key = e.Key
	}
	typed := typedOf(e)
	known, _ := followUps(all, e, typed[followUpsField]) // what was removed is not suggested any more
	typed[followUpsField] = strings.Join(known, "\n")
	data.fill(s, all, typed, nil, e)
	for _, other := range all {
		if t := other.entry.Topic; t != "" && !slices.Contains(data.Topics, t) && len(data.Topics) < topicsMost {
			data.Topics = append(data.Topics, t)
		}
		if other.entry.Locale == e.Locale && other.entry.ID != e.ID && len(data.Asked) < askedMost {
			data.Asked = append(data.Asked, other.entry.Question)
		}
		if other.entry.Key == e.Key && other.entry.ID != e.ID {
			data.Siblings = append(data.Siblings, s.viewItem(other, time.Now()))
		}
	}
	slices.Sort(data.Topics)
	data.With = p.editors.others(s.affiliate, e.ID, s.person.Name)
	p.editors.note(s.affiliate, e.ID, s.person.Name)
	data.Shown = p.shown(e)
	return data
}

// askedMost bounds the questions that are offered to be suggested; others can be typed.
const askedMost = 1000

// topicsMost bounds the topics that are offered.
const topicsMost = 200

// fill puts what was typed, and what is wrong with it, into the form. e is what could be read of it.
func (data *editorPage) fill(s scope, all []item, typed map[string]string, problems []knowledge.Problem, e knowledge.Entry) {
	data.Fields = s.fields(typed, problems, data.Live || data.Removed)
	data.Errors, data.Notes, data.Media = nil, nil, nil
	wrong := ""
	data.Slug = page.Field{Name: "slug", Label: s.Say("slug"), Hint: s.Say("slug_hint"), Value: typed["slug"], MaxLength: limits.MaxSlug, Autocomplete: "off"}
	for _, pr := range problems {
		if pr.Field == followUpsField {
			wrong = pr.Text
		}
		if pr.Field == "" {
			data.Notes = append(data.Notes, pr.Text)
		}
	}
	data.Next = s.followUpFields(all, e, typed[followUpsField], wrong)
	for _, f := range data.Next {
		if f.Error != "" {
			data.Errors = append(data.Errors, f)
		}
	}
	for _, name := range faqfile.Mendable() {
		if f := data.Fields[name]; f.Error != "" {
			data.Errors = append(data.Errors, f)
		}
	}
	ask := map[string]string{"photo": "picture_shows", "audio": "recording_says", "video": "recording_says"}
	for k, v := range s.viewMedia(e.Media, e.Media) {
		data.Media = append(data.Media, mediaChoice{v, e.Media[k].Mark(), ask[e.Media[k].Kind], e.Media[k].Alt})
	}
}

// saveEntry does what the editor's form asks for.
func (p *Portal) saveEntry(g *gin.Context, s scope) error {
	id := knowledge.EntryID(g.Param("entry"))
	if !regexp.MustCompile(`^[A-Z2-7]{26}$`).MatchString(string(id)) {
		return fmt.Errorf("entry: %w", knowledge.ErrNotFound)
	}
	sh, err := p.receiveSheet(g.Request, s)
	if wrong, ok := errors.AsType[*errFile](err); ok {
		return &told{status: http.StatusUnprocessableEntity, key: "file_refused", why: wrong.words}
	}
	if err != nil {
		return err
	}
	ctx := g.Request.Context()
	switch sh.do {
	case "discard", "keep":
		err := p.corpus.DropEdit(ctx, s.affiliate, knowledge.EditRef{Entry: id, Version: sh.version})
		if errors.Is(err, knowledge.ErrConflict) {
			return p.editAgain(g, s, id, sh, nil, knowledge.Entry{}, true)
		}
		if err != nil {
			return err
		}
		return see(g, s.at("/entries"))
	case "remove", "restore":
		return p.removeEntry(g, s, id, sh.do == "remove")
	}
	e, problems, err := p.readSheet(ctx, s, sh, id)
	if err != nil {
		return err
	}
	if sh.do == "review" {
		problems = append(problems, s.missing(e)...)
	}
	wrong := slices.ContainsFunc(problems, func(pr knowledge.Problem) bool { return pr.Field != "" })
	if wrong && sh.do != "autosave" {
		return p.editAgain(g, s, id, sh, problems, e, false)
	}
	saved := knowledge.Edit{}
	if !wrong {
		saved, err = p.save(ctx, s, e, sh)
	}
	switch {
	case sh.do == "autosave":
		return p.autosaved(g, s, e, saved, problems, err)
	case errors.Is(err, knowledge.ErrConflict):
		return p.editAgain(g, s, id, sh, nil, e, true)
	case errors.Is(err, knowledge.ErrIDTaken):
		return p.editAgain(g, s, id, sh, []knowledge.Problem{{Field: "id", Text: s.Say("id_taken")}}, e, false)
	case err != nil:
		return err
	case sh.do == "review":
		return p.reviewEdits(g, s, id)
	case saved.Version == "" && sh.base == "0":
		return see(g, s.at("/entries"))
	}
	return see(g, s.at("/entries/"+string(id)+"?saved=1"))
}

// save stores what was typed as a draft. A key that was made from the question gets a number if another entry has it.
func (p *Portal) save(ctx context.Context, s scope, e knowledge.Entry, sh sheet) (knowledge.Edit, error) {
	base, err := strconv.ParseInt(sh.base, 10, 64)
	if err != nil {
		return knowledge.Edit{}, fmt.Errorf("entry: %w", knowledge.ErrNotFound)
	}
	edit := knowledge.Edit{Entry: e, Base: knowledge.Revision(base), Version: sh.version, Editor: sh.page, By: s.person.Name}
	saved, err := p.corpus.SaveEdit(ctx, s.affiliate, edit)
	for n := 2; errors.Is(err, knowledge.ErrIDTaken) && sh.typed["id"] == "" && n < 100; n++ {
		edit.Entry.Key = fmt.Sprintf("%s-%d", e.Key, n)
		saved, err = p.corpus.SaveEdit(ctx, s.affiliate, edit)
	}
	return saved, err
}

// missing says what an entry lacks that is to be published.
func (s scope) missing(e knowledge.Entry) (problems []knowledge.Problem) {
	if e.Question == "" {
		problems = append(problems, knowledge.Problem{Field: "question", Text: s.Say("question_missing")})
	}
	if e.Answer == "" {
		problems = append(problems, knowledge.Problem{Field: "answer", Text: s.Say("answer_missing")})
	}
	return problems
}

// editAgain shows the form with what was typed, and why it was not saved. Saved once more, it replaces what somebody
// else saved meanwhile.
func (p *Portal) editAgain(g *gin.Context, s scope, id knowledge.EntryID, sh sheet, problems []knowledge.Problem, e knowledge.Entry, moved bool) error {
	ctx := g.Request.Context()
	i, all, removed, err := p.find(ctx, s, string(id))
	if errors.Is(err, knowledge.ErrNotFound) {
		i, err = item{entry: knowledge.Entry{ID: id}}, nil
	}
	if err != nil {
		return err
	}
	data := p.editor(s, i, all)
	data.Removed, data.Page = removed, sh.page
	status := http.StatusUnprocessableEntity
	if moved {
		status = http.StatusConflict
		data.Conflict = &conflict{Who: data.By, When: data.When, Question: diff(i.entry.Question, e.Question), Answer: diff(i.entry.Answer, e.Answer)}
	} else {
		data.Base, data.Version = sh.base, sh.version
	}
	data.fill(s, all, sh.typed, problems, e)
	data.Shown = p.shown(e)
	return p.show(g, status, "editor", data)
}

// removeEntry proposes to remove an entry, or drafts one that was removed anew.
func (p *Portal) removeEntry(g *gin.Context, s scope, id knowledge.EntryID, remove bool) error {
	i, _, _, err := p.find(g.Request.Context(), s, string(id))
	if err != nil {
		return err
	}
	if err := p.saveItem(g.Request.Context(), s, i, func(e *knowledge.Edit) { e.Remove = remove }); err != nil {
		return err
	}
	if i.published.ID == "" && remove {
		return see(g, s.at("/entries"))
	}
	return p.reviewEdits(g, s, id)
}

// A savedPart is what the page hears of an automatic save.
type savedPart struct {
	Saved   bool
	When    time.Time
	Version string
	Wrong   []string
	Who     string // who saved or published it meanwhile
	Moved   bool
	Shown   []ChannelView
}

// autosaved tells the page what became of what was typed.
func (p *Portal) autosaved(g *gin.Context, s scope, e knowledge.Entry, saved knowledge.Edit, problems []knowledge.Problem, err error) error {
	part := savedPart{Saved: saved.Version != "", When: saved.At, Version: saved.Version, Shown: p.shown(e)}
	for _, pr := range problems {
		if pr.Field != "" {
			part.Wrong = append(part.Wrong, pr.Text)
		}
	}
	switch {
	case errors.Is(err, knowledge.ErrConflict):
		part.Moved = true
	case errors.Is(err, knowledge.ErrIDTaken):
		part.Wrong = append(part.Wrong, s.Say("id_taken"))
	case err != nil:
		return err
	}
	return p.pages.Part(g.Writer, g.Request, "editor", "saved", part)
}

// reviewAll makes an upload of all drafts.
func (p *Portal) reviewAll(g *gin.Context, s scope) error { return p.reviewEdits(g, s) }

// reviewEdits makes an upload of the drafts of some entries, or of all, and shows what it would change.
func (p *Portal) reviewEdits(g *gin.Context, s scope, only ...knowledge.EntryID) error {
	u, err := p.corpus.ProposeEdits(g.Request.Context(), s.affiliate, s.person.Name, only...)
	if err != nil {
		return err
	}
	return see(g, s.at("/uploads/"+string(u.ID)))
}

// othersPart tells who else has the entry open.
type othersPart struct {
	With  []string
	Moved bool
}

func (p *Portal) others(g *gin.Context, s scope) error {
	id := knowledge.EntryID(g.Param("entry"))
	edit, err := p.corpus.Edit(g.Request.Context(), s.affiliate, id)
	if err != nil && !errors.Is(err, knowledge.ErrNotFound) {
		return err
	}
	part := othersPart{With: p.editors.others(s.affiliate, id, s.person.Name)}
	p.editors.note(s.affiliate, id, s.person.Name)
	part.Moved = edit.Version != "" && edit.Version != g.Query("version") && !strings.HasPrefix(edit.Version, g.Query("page")+".")
	return p.pages.Part(g.Writer, g.Request, "editor", "others", part)
}
