package portal

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/page"
)

// An entriesPage lists what is published, and what is edited and not published yet.
type entriesPage struct {
	frame
	Revision knowledge.Revision
	All      int // entries published or drafted
	Found    int
	filter
	Topics, Locales, Shows, Sorts []page.Option
	Filtered                      bool
	Removed                       bool // those that were removed are shown
	Entries                       []entryView
	Pager                         pager
	Drafts                        int
	AllHref                       string // the same list with all of the page chosen, or none
	AllChosen                     bool
	Findings                      int // of what is published, as far as it was looked at
}

type entryView struct {
	ID, Href                string
	Question, Answer, More  string // More is the whole answer where Answer is cut
	Key, Topic, Locale      string
	Variants                []string
	Holds                   string
	Over, Waiting           bool // its time is over, or has not come
	VariantsMore, VariantsN int
	Media                   []mediaView
	Draft                   string // "added", "edited", "removed"; "" for none
	Answers, NoHelp         int    // in the last usedDays
	Unused                  bool
	From                    string // where it comes from, in words
	At                      time.Time
}

const (
	queryMost    = 200 // characters
	variantsMost = 100 // wordings shown of an entry
	usedDays     = 90
)

// A filter is which entries to list, and in what order.
type filter struct {
	Query, Topic, Locale, Show, Sort string
	Page                             int
}

func filterOf(get func(string) string) filter {
	return filter{Query: first(strings.TrimSpace(get("q")), queryMost), Topic: get("topic"), Locale: get("locale"), Show: get("show"), Sort: get("sort"), Page: number(get("page"))}
}

// query is f as an address has it.
func (f filter) query(page int) string {
	v := url.Values{}
	for key, value := range map[string]string{"q": f.Query, "topic": f.Topic, "locale": f.Locale, "show": f.Show, "sort": f.Sort} {
		if value != "" {
			v.Set(key, value)
		}
	}
	if page > 1 {
		v.Set("page", strconv.Itoa(page))
	}
	return v.Encode()
}

// An item is an entry as it is published, or as somebody wants it.
type item struct {
	entry     knowledge.Entry
	published knowledge.Entry // zero if it is not
	edit      *knowledge.Edit
	usage     knowledge.Usage
}

// draft says what publishing the item's edit would do.
func (i item) draft() string {
	switch {
	case i.edit == nil:
		return ""
	case i.edit.Remove:
		return "removed"
	case i.published.ID == "":
		return "added"
	}
	return "edited"
}

// items are all entries that are published or drafted.
func (p *Portal) items(ctx context.Context, s scope) ([]item, error) {
	live, _, err := p.corpus.Published(ctx, s.affiliate)
	if err != nil {
		return nil, err
	}
	edits, err := p.corpus.Edits(ctx, s.affiliate)
	if err != nil {
		return nil, err
	}
	list := make([]item, 0, len(live)+len(edits))
	at := make(map[knowledge.EntryID]int, len(live))
	for _, e := range live {
		at[e.ID] = len(list)
		list = append(list, item{entry: e, published: e})
	}
	for _, e := range edits {
		i, known := at[e.Entry.ID]
		if !known {
			i = len(list)
			list = append(list, item{})
		}
		list[i].entry, list[i].edit = e.Entry, &e
	}
	return list, nil
}

// removed are the entries that are neither published nor drafted any more.
func (p *Portal) removed(ctx context.Context, s scope, drafted []item) ([]item, error) {
	entries, err := p.corpus.Removed(ctx, s.affiliate)
	var list []item
	for _, e := range entries {
		if !slices.ContainsFunc(drafted, func(i item) bool { return i.edit != nil && i.entry.ID == e.ID }) {
			list = append(list, item{entry: e})
		}
	}
	return list, err
}

func (p *Portal) showEntries(g *gin.Context, s scope) error {
	list, err := p.items(g.Request.Context(), s)
	if err != nil {
		return err
	}
	used, err := p.corpus.Usage(g.Request.Context(), s.affiliate, time.Now().AddDate(0, 0, -usedDays))
	if err != nil {
		return err
	}
	for k, i := range list {
		list[k].usage = used[i.entry.ID]
	}
	data := entriesPage{frame: s.frame("entries"), Revision: s.revision, All: len(list), filter: filterOf(g.Query)}
	for _, i := range list {
		if i.edit != nil {
			data.Drafts++
		}
	}
	if data.Findings, err = p.countFindings(g.Request.Context(), s, list); err != nil {
		return err
	}
	if data.Removed = data.Show == "removed"; data.Removed {
		if list, err = p.removed(g.Request.Context(), s, list); err != nil {
			return err
		}
	}
	data.Topics, data.Locales = s.choices(list, "all_topics", func(e knowledge.Entry) string { return e.Topic }), s.choices(list, "all_languages", func(e knowledge.Entry) string { return e.Locale })
	for _, v := range []string{"", "drafts", "byhand", "used", "unused", "nohelp", "over", "removed"} {
		data.Shows = append(data.Shows, page.Option{Value: v, Label: s.One("show_", v)})
	}
	for _, v := range []string{"", "edited", "used", "nohelp", "question"} {
		data.Sorts = append(data.Sorts, page.Option{Value: v, Label: s.One("sort_", v)})
	}
	data.Filtered = data.query(1) != "" && data.query(1) != (filter{Sort: data.Sort}).query(1)
	list = data.choose(list)
	data.Found = len(list)
	shown, pg := cutPage(list, data.Page, func(n int) string { return s.at("/entries?" + data.query(n)) })
	data.Pager = pg
	data.AllHref = s.at("/entries?" + data.query(data.Page))
	if data.AllChosen = g.Query("all") != ""; !data.AllChosen {
		data.AllHref += "&all=1"
	}
	now := time.Now()
	for _, i := range shown {
		data.Entries = append(data.Entries, s.viewItem(i, now))
	}
	if g.Query("saved") != "" {
		data.Toast = &page.Toast{Words: s.Count("drafts_saved", number(g.Query("saved")))}
	}
	return p.show(g, http.StatusOK, "entries", data)
}

// choices are the values of a field, each once; nil if there are fewer than two.
func (s scope) choices(items []item, all string, field func(knowledge.Entry) string) []page.Option {
	var values []string
	for _, i := range items {
		if v := field(i.entry); v != "" {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	if values = slices.Compact(values); len(values) < 2 {
		return nil
	}
	list := []page.Option{{Value: "", Label: s.Say(all)}}
	for _, v := range values {
		list = append(list, page.Option{Value: v, Label: first(v, 80)})
	}
	return list
}

// choose returns the items that f asks for, in its order.
func (f filter) choose(items []item) []item {
	sought := strings.Fields(strings.ToLower(f.Query))
	now := time.Now()
	var found []item
	for _, i := range items {
		e := i.entry
		if f.Topic != "" && e.Topic != f.Topic || f.Locale != "" && e.Locale != f.Locale || !f.shows(i, now) {
			continue
		}
		text := strings.ToLower(strings.Join(append(e.Wordings(), e.Answer, e.Key, e.Topic), "\n"))
		if !slices.ContainsFunc(sought, func(word string) bool { return !strings.Contains(text, word) }) {
			found = append(found, i)
		}
	}
	edited := func(i item) (time.Time, knowledge.Revision) {
		if i.edit != nil {
			return i.edit.At, 0
		}
		return time.Time{}, i.entry.Revision
	}
	slices.SortFunc(found, func(a, b item) int {
		by := 0
		switch f.Sort {
		case "edited":
			at, ar := edited(a)
			bt, br := edited(b)
			by = cmp.Or(bt.Compare(at), cmp.Compare(br, ar))
		case "used":
			by = cmp.Compare(b.usage.Answers, a.usage.Answers)
		case "nohelp":
			by = cmp.Compare(b.usage.NoHelp, a.usage.NoHelp)
		case "question":
		default:
			by = cmp.Compare(a.entry.Topic, b.entry.Topic)
		}
		return cmp.Or(by, cmp.Compare(a.entry.Question, b.entry.Question), cmp.Compare(a.entry.ID, b.entry.ID))
	})
	return found
}

// shows reports whether an item is of the kind that f shows.
func (f filter) shows(i item, now time.Time) bool {
	switch f.Show {
	case "drafts":
		return i.edit != nil
	case "byhand":
		return i.entry.ByHand()
	case "used":
		return i.usage.Answers > 0
	case "unused":
		return i.published.ID != "" && i.usage.Answers == 0
	case "nohelp":
		return i.usage.NoHelp > 0
	case "over":
		return !i.entry.To.IsZero() && !now.Before(i.entry.To)
	}
	return true
}

func (s scope) viewItem(i item, now time.Time) entryView {
	e := i.entry
	v := entryView{ID: string(e.ID), Href: s.at("/entries/" + string(e.ID)), Question: e.Question, Answer: clip(e.Answer), Key: e.Key, Topic: e.Topic, Locale: e.Locale,
		Holds: s.holds(e), Over: !e.To.IsZero() && !now.Before(e.To), Waiting: now.Before(e.From), VariantsN: len(e.Variants), Draft: i.draft(),
		Variants: e.Variants[:min(len(e.Variants), variantsMost)], Media: s.viewMedia(e.Media, e.Media),
		Answers: i.usage.Answers, NoHelp: i.usage.NoHelp, Unused: i.published.ID != "" && i.usage.Answers == 0}
	v.VariantsMore = v.VariantsN - len(v.Variants)
	if v.Answer != e.Answer {
		v.More = e.Answer
	}
	v.From, v.At = s.origin(e), e.EditedAt
	return v
}

// origin says where an entry comes from.
func (s scope) origin(e knowledge.Entry) string {
	switch {
	case e.ByHand() && e.Source != "":
		return s.Say("edited_from", "who", e.EditedBy, "file", e.Source)
	case e.ByHand():
		return s.Say("written_by", "who", e.EditedBy)
	case e.Source != "":
		return s.Say("comes_from", "file", e.Source)
	}
	return ""
}

// first returns the first n characters of s.
func first(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
