package board

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"faqbot/bot/accounts"
	"faqbot/handoff"
	"faqbot/handoff/gaps"
	"faqbot/knowledge"
)

// perPage is how many gaps a page lists.
const perPage = 25

// A listPage lists gaps of one state.
type listPage struct {
	frame
	State        string
	Tabs         []tab
	Gaps         []gapView
	Newer, Older string // addresses of the pages beside this one
}

type tab struct {
	Href, Label string
	N           int
	More        bool // than N
	Current     bool
}

// A gapView is a gap as pages show it.
type gapView struct {
	ID, Path, Question string
	Open               bool
	Customers          int
	Kinds              []string // "6 handed off"
	Trend              string
	Rising             bool
	Channels, Locales  string
	Nearest            string // the question of the nearest entry, "" if there is none
	Probability        float64
	Agreed             string // the question of the entry that customers choose
	Answer             string // the question of the entry that answers it
	Answered           int
	Missed             bool // it was answered, and customers still do not get it
	Draft              string
	LastAt             time.Time
	By                 string
}

func (b *Board) list(r request) error {
	ctx := r.Request.Context()
	state := gaps.State(r.Query("state"))
	if !slices.Contains(gaps.States(), state) {
		state = gaps.Open
	}
	counts, err := b.gaps.Counts(ctx, r.Affiliate.ID)
	if err != nil {
		return err
	}
	data := listPage{frame: r.Frame("gaps"), State: string(state)}
	data.Toast = doneToast(r)
	for _, s := range gaps.States() {
		data.Tabs = append(data.Tabs, tab{listAt(r, s, 0), r.One("gap_state_", string(s)), counts[s], counts[s] == gaps.MaxCount, s == state})
	}
	number, _ := strconv.Atoi(r.Query("page")) // what is no number is the first page
	number = max(0, number)
	list, err := b.gaps.List(ctx, r.Affiliate.ID, state, number*perPage, perPage)
	if err != nil {
		return err
	}
	if number > 0 {
		data.Newer = listAt(r, state, number-1)
	}
	if (number+1)*perPage < counts[state] {
		data.Older = listAt(r, state, number+1)
	}
	entries, _, err := b.corpus.Published(ctx, r.Affiliate.ID)
	if err != nil {
		return err
	}
	for _, g := range list {
		data.Gaps = append(data.Gaps, b.view(r, g, entries))
	}
	return b.pages.Show(r.Writer, r.Request, http.StatusOK, "list", data)
}

func listAt(r request, state gaps.State, number int) string {
	q := url.Values{}
	if state != gaps.Open {
		q.Set("state", string(state))
	}
	if number > 0 {
		q.Set("page", strconv.Itoa(number))
	}
	if len(q) == 0 {
		return r.At("/gaps")
	}
	return r.At("/gaps?" + q.Encode())
}

// view is a gap as pages show it; entries are those published.
func (b *Board) view(r request, g gaps.Gap, entries []knowledge.Entry) gapView {
	question := func(id knowledge.EntryID) string {
		if i := slices.IndexFunc(entries, func(e knowledge.Entry) bool { return e.ID == id }); i >= 0 {
			return entries[i].Question
		}
		return ""
	}
	v := gapView{ID: string(g.ID), Path: r.At("/gaps/" + url.PathEscape(string(g.ID))), Question: handoff.MaskSecrets(g.Question), Open: g.State == gaps.Open,
		Customers: g.Size, Channels: shares(g.Tally.Channels, accounts.Label), Locales: shares(g.Tally.Locales, func(l string) string { return l }),
		Answer: question(g.Entry), Answered: g.Answered, Missed: g.State == gaps.Open && g.Entry != "", LastAt: g.LastAt, By: g.DecidedBy}
	if v.Question == "" {
		v.Question = r.Say("gap_no_words")
	}
	if g.Draft != "" {
		v.Draft = r.At("/uploads/" + url.PathEscape(string(g.Draft)))
	}
	for _, k := range []gaps.Kind{gaps.HandedOff, gaps.NoHelp, gaps.NoneChosen, gaps.Unanswered, gaps.AskedBack} {
		if n := g.Tally.Kinds[k]; n > 0 {
			v.Kinds = append(v.Kinds, r.Say("gap_kind_"+string(k), "n", n))
		}
	}
	week, before := g.Tally.Trend(b.o.Now())
	v.Trend, v.Rising = r.Say("gap_trend", "week", week, "before", before), week > before
	if id, p := g.Tally.NearestEntry(); id != "" {
		v.Nearest, v.Probability = question(id), p
	}
	if id := g.Tally.Agreed(); id != "" {
		v.Agreed = question(id)
	}
	return v
}

// shares are the names in a count, the most frequent first.
func shares(counts map[string]int, label func(string) string) string {
	names := slices.SortedFunc(maps.Keys(counts), func(x, y string) int { return cmp.Or(counts[y]-counts[x], strings.Compare(x, y)) })
	var list []string
	for _, name := range names {
		if name != "" {
			list = append(list, label(name)+" "+strconv.Itoa(counts[name]))
		}
	}
	return strings.Join(list, ", ")
}
