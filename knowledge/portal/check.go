package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"faqbot/knowledge"
	"faqbot/knowledge/guard"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/lint"
	"faqbot/knowledge/page"
)

// checks look at entries in the background, once for each revision or upload, one after another: comparing wordings takes
// a core for seconds.
type checks struct {
	queue chan *check

	mu    sync.Mutex
	kept  map[string]*check
	order []string // of kept, the oldest first
}

// A check is what was found in some entries.
type check struct {
	entries []knowledge.Entry
	compare bool
	asked   knowledge.AffiliateID // whose customers' words are looked at, "" for nobody's
	done    chan struct{}         // closed when found is set
	found   []lint.Finding
}

const (
	checksKept    = 100                    // results that are kept
	checksWaiting = 20                     // checks that wait for their turn
	checkWait     = 300 * time.Millisecond // that a page waits for one that just began
	// checkMost is how many wordings of an upload are compared before they are published: the encoder reads 1,000 of
	// them a second.
	checkMost   = 5_000
	previewMost = 20 // findings shown above a preview's changes
)

// Run looks at entries in the background, until ctx ends.
func (p *Portal) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case c := <-p.checks.queue:
			if err := guard.Run(func() error { return p.lint(ctx, c) }); err != nil && ctx.Err() == nil {
				guard.Log(p.o.Log, "entries could not be checked", err)
			}
			c.entries = nil
			close(c.done)
		}
	}
}

// findIn returns what is wrong with entries, which key names. done is false while that is being found out.
func (p *Portal) findIn(key string, entries []knowledge.Entry, compare bool, asked knowledge.AffiliateID) (found []lint.Finding, done bool) {
	c := p.checks.begin(key, entries, compare, asked)
	if c == nil {
		return nil, false
	}
	select {
	case <-c.done:
		return c.found, true
	case <-time.After(checkWait):
		return nil, false
	}
}

// begin returns the check of that key, and queues it unless that was done before; nil if too many wait.
func (cs *checks) begin(key string, entries []knowledge.Entry, compare bool, asked knowledge.AffiliateID) *check {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if c := cs.kept[key]; c != nil {
		return c
	}
	c := &check{entries: entries, compare: compare, asked: asked, done: make(chan struct{})}
	select {
	case cs.queue <- c:
	default:
		return nil
	}
	if len(cs.order) >= checksKept {
		delete(cs.kept, cs.order[0])
		cs.order = cs.order[1:]
	}
	cs.kept[key], cs.order = c, append(cs.order, key)
	return c
}

// lint finds what is wrong with a check's entries.
func (p *Portal) lint(ctx context.Context, c *check) error {
	unsaid, err := p.unsaid(ctx, c.asked, c.entries)
	if err != nil {
		return err
	}
	c.found = append(lint.Find(c.entries, p.cut), unsaid...)
	if p.o.Compare == nil || !c.compare {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, limits.MaxIndexing)
	defer cancel()
	nearer, err := p.o.Compare(ctx, c.entries)
	c.found = append(c.found, nearer...)
	return err
}

// cut names the channels that cut an entry's answer, "" if none does.
func (p *Portal) cut(e knowledge.Entry) string {
	var names []string
	for _, c := range p.shown(e) {
		words := 0
		for _, m := range c.Messages {
			if m.Text != "" {
				words++
			}
		}
		if words > 1 {
			names = append(names, c.Names...)
		}
	}
	return strings.Join(names, ", ")
}

// A findingView is a finding and what can be done about it.
type findingView struct {
	Kind, Title          string
	ID, Other            string
	Question, OtherWords string
	Words                string
	Why                  string // a link is dead
	Href, OtherHref      string
	Fix                  bool // there is something to press: the entries are here
	Merge, Add, Move     string
	Brand                string // where the bot says that links are affiliate links, "" for nowhere
	Digest               string
	Ignore               string // where to say that it stays as it is, "" for nowhere
}

// IsNearer reports whether a wording belongs to the other entry.
func (f findingView) IsNearer() bool { return f.Kind == string(lint.Nearer) }

// findingsOf are the findings about entries, which hold all that they are about, without those for which skip is true.
func (s scope) findingsOf(found []lint.Finding, entries []knowledge.Entry, here map[knowledge.EntryID]bool, skip func(knowledge.EntryID) bool) (list []findingView) {
	byID := make(map[knowledge.EntryID]knowledge.Entry, len(entries))
	for _, e := range entries {
		byID[e.ID] = e
	}
	for _, f := range found {
		if skip(f.Entry) || f.Other != "" && skip(f.Other) {
			continue
		}
		v := findingView{Kind: string(f.Kind), Title: s.One("lint_", string(f.Kind)), ID: string(f.Entry), Other: string(f.Other), Question: clip(byID[f.Entry].Question), OtherWords: clip(byID[f.Other].Question), Words: f.Words, Why: s.why(f),
			Digest: f.Digest(), Fix: here[f.Entry] && (f.Other == "" || here[f.Other])}
		if v.Fix {
			v.Href, v.OtherHref = s.at("/entries/"+v.ID), s.at("/entries/"+v.Other)
			v.Merge = s.at("/entries/merge?id=" + v.ID + "&id=" + v.Other)
			v.Move = s.at("/entries/move")
			v.Brand = s.at("/brand")
			v.Add = s.at("/entries/new?like=" + v.ID + "&locale=" + f.Words)
		}
		list = append(list, v)
	}
	return list
}

// A checkPage lists what is wrong with what is published.
type checkPage struct {
	frame
	At      string
	Working bool // more may be found
	Nothing bool
	Drafted int // findings left out because somebody drafted the entry
	Ignored int // and because somebody leaves them as they are
	Groups  []findingGroup
}

// A findingGroup is the findings of a kind.
type findingGroup struct {
	Title, Words string
	Findings     []findingView
}

// publishedFindings returns what is wrong with what is published.
func (p *Portal) publishedFindings(ctx context.Context, s scope, live []knowledge.Entry) (found []lint.Finding, done bool, err error) {
	inTexts, done := p.findIn(fmt.Sprintf("%s\x00%d %s", s.affiliate, s.revision, time.Now().Format(time.DateOnly)), live, true, s.affiliate) // customers' words are others each day
	dead, known := p.deadLinks(live)
	found, err = p.withoutDisclosed(ctx, s, append(dead, inTexts...))
	return found, done && known, err
}

// unsaid are an affiliate's published entries in words that no customer uses.
func (p *Portal) unsaid(ctx context.Context, affiliate knowledge.AffiliateID, live []knowledge.Entry) ([]lint.Finding, error) {
	if p.o.Asked == nil || affiliate == "" {
		return nil, nil
	}
	since := time.Now().AddDate(0, 0, -usedDays)
	asked, err := p.o.Asked(ctx, affiliate, since)
	if err != nil {
		return nil, err
	}
	used, err := p.corpus.Usage(ctx, affiliate, since)
	if err != nil {
		return nil, err
	}
	return lint.Unsaid(live, asked, func(id knowledge.EntryID) bool { return used[id].Answers > 0 }), nil
}

func (p *Portal) showCheck(g *gin.Context, s scope) error {
	ctx := g.Request.Context()
	live, _, err := p.corpus.Published(ctx, s.affiliate)
	if err != nil {
		return err
	}
	edits, err := p.corpus.Edits(ctx, s.affiliate)
	if err != nil {
		return err
	}
	found, done, err := p.publishedFindings(ctx, s, live)
	if err != nil {
		return err
	}
	here := map[knowledge.EntryID]bool{}
	for _, e := range live {
		here[e.ID] = true
	}
	all := len(found)
	if found, err = p.heeded(ctx, s, found); err != nil {
		return err
	}
	views := s.findingsOf(found, live, here, drafted(edits))
	for i := range views {
		views[i].Ignore = s.at("/entries/check/ignore")
	}
	data := checkPage{frame: s.frame("entries"), At: s.at("/entries/check"), Working: !done, Nothing: done && len(found) == 0,
		Drafted: len(found) - len(views), Ignored: all - len(found)}
	if digest := g.Query("ignored"); digest != "" {
		data.Toast = &page.Toast{Words: s.Say("ignored"), Action: s.Say("undo"), Undo: s.at("/entries/check/recall?finding=" + url.QueryEscape(digest))}
	}
	for _, kind := range lint.Kinds() {
		group := findingGroup{Title: s.One("lint_", string(kind)), Words: s.One("lint_words_", string(kind))}
		for _, v := range views {
			if v.Kind == string(kind) {
				group.Findings = append(group.Findings, v)
			}
		}
		if len(group.Findings) > 0 {
			data.Groups = append(data.Groups, group)
		}
	}
	return p.show(g, http.StatusOK, "check", data)
}

// heeded are the findings that nobody leaves as they are.
func (p *Portal) heeded(ctx context.Context, s scope, found []lint.Finding) ([]lint.Finding, error) {
	ignored, err := p.corpus.IgnoredFindings(ctx, s.affiliate)
	return slices.DeleteFunc(slices.Clone(found), func(f lint.Finding) bool { return ignored[f.Digest()] }), err
}

// withoutDisclosed are the findings without affiliate links, if the bot says of all links what they are.
func (p *Portal) withoutDisclosed(ctx context.Context, s scope, found []lint.Finding) ([]lint.Finding, error) {
	if p.o.Brands == nil {
		return found, nil
	}
	b, err := p.o.Brands.Latest(ctx, s.affiliate)
	if err != nil || !b.SaysLinks {
		return found, err
	}
	return slices.DeleteFunc(slices.Clone(found), func(f lint.Finding) bool { return f.Kind == lint.Undisclosed }), nil
}

// ignore leaves a finding about what is published as it is.
func (p *Portal) ignore(g *gin.Context, s scope) error {
	ctx, digest := g.Request.Context(), g.PostForm("finding")
	live, _, err := p.corpus.Published(ctx, s.affiliate)
	if err != nil {
		return err
	}
	found, _, err := p.publishedFindings(ctx, s, live)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(found, func(f lint.Finding) bool { return f.Digest() == digest }) {
		return fmt.Errorf("finding: %w", knowledge.ErrNotFound)
	}
	if err := p.corpus.IgnoreFinding(ctx, s.affiliate, digest, s.person.Name); err != nil {
		return err
	}
	return see(g, s.at("/entries/check?ignored="+digest))
}

// recall undoes ignore, for one finding or for all.
func (p *Portal) recall(g *gin.Context, s scope) error {
	if err := p.corpus.RecallFindings(g.Request.Context(), s.affiliate, g.Query("finding")); err != nil {
		return err
	}
	return see(g, s.at("/entries/check"))
}

// drafted reports whether somebody drafted an entry.
func drafted(edits []knowledge.Edit) func(knowledge.EntryID) bool {
	return func(id knowledge.EntryID) bool {
		return slices.ContainsFunc(edits, func(e knowledge.Edit) bool { return e.Entry.ID == id })
	}
}

// uploadFindings are what would be wrong with the entries that an upload changes. It puts the test cases that the upload
// would break into data.
func (p *Portal) uploadFindings(ctx context.Context, s scope, u knowledge.Upload, data *previewPage) (list []findingView, working bool, err error) {
	live, err := p.corpus.At(ctx, s.affiliate, u.Base)
	if err != nil || len(u.Changes) == 0 {
		return nil, false, err
	}
	after := knowledge.After(live, u.Changes)
	if p.o.Broken != nil {
		if data.Broken, err = p.o.Broken(ctx, Trial{Affiliate: s.affiliate, Entries: after, Draft: u.ID}); err != nil {
			return nil, false, err
		}
		data.Tests = p.o.Tests(s.affiliate) + "/cases"
		data.BrokenMore = len(data.Broken.Cases) - previewMost
		data.Broken.Cases = data.Broken.Cases[:min(len(data.Broken.Cases), previewMost)]
	}
	wordings := 0
	for _, e := range after {
		wordings += 1 + len(e.Variants)
	}
	found, done := p.findIn("upload "+string(u.ID), after, wordings <= checkMost, "")
	dead, _ := p.deadLinks(knowledge.AfterAll(u.Changes)) // those known; nobody waits for the others
	if found, err = p.withoutDisclosed(ctx, s, append(dead, found...)); err != nil {
		return nil, false, err
	}
	changed, here := map[knowledge.EntryID]bool{}, map[knowledge.EntryID]bool{}
	for _, e := range live {
		here[e.ID] = true
	}
	for _, c := range u.Changes {
		changed[idOf(c)] = true
		here[idOf(c)] = here[idOf(c)] || len(u.Edits) > 0
	}
	if found, err = p.heeded(ctx, s, found); err != nil {
		return nil, false, err
	}
	found = slices.DeleteFunc(found, func(f lint.Finding) bool { return !changed[f.Entry] && !changed[f.Other] })
	return s.findingsOf(found, after, here, func(knowledge.EntryID) bool { return false }), !done, nil
}

// Broken is what an upload would do to the affiliate's test cases.
type Broken struct {
	Working bool // it is being found out
	Asked   int  // cases; 0 if there are none, or the upload is too large to be asked
	Cases   []BrokenCase
}

// A BrokenCase passes now and would fail. Before and After are what comes of it, in words.
type BrokenCase struct{ Question, Before, After string }

// moveWording takes a wording out of an entry, and gives it to another if one is named. Both become drafts.
func (p *Portal) moveWording(g *gin.Context, s scope) error {
	ctx, words := g.Request.Context(), g.PostForm("words")
	ids := []string{g.PostForm("from")}
	if to := g.PostForm("to"); to != "" {
		ids = append(ids, to)
	}
	list, err := p.chosen(ctx, s, ids)
	if err != nil {
		return err
	}
	for _, i := range list {
		change := func(e *knowledge.Edit) {
			e.Entry.Variants = slices.DeleteFunc(slices.Clone(e.Entry.Variants), func(w string) bool { return w == words })
		}
		if string(i.entry.ID) != ids[0] {
			change = func(e *knowledge.Edit) {
				if !slices.Contains(e.Entry.Wordings(), words) && len(e.Entry.Variants)+1 < limits.MaxWordings {
					e.Entry.Variants = append(slices.Clone(e.Entry.Variants), words)
				}
			}
		} else if !slices.Contains(i.entry.Variants, words) {
			return fmt.Errorf("wording: %w", knowledge.ErrNotFound)
		}
		if err := p.saveItem(ctx, s, i, change); err != nil {
			return err
		}
	}
	return see(g, s.at("/entries/check"))
}

// countFindings is how many findings there are of what is published, 0 while that is being found out.
func (p *Portal) countFindings(ctx context.Context, s scope, items []item) (n int, err error) {
	var live []knowledge.Entry
	draft := map[knowledge.EntryID]bool{}
	for _, i := range items {
		if i.published.ID != "" {
			live = append(live, i.published)
		}
		draft[i.entry.ID] = i.edit != nil
	}
	if len(live) == 0 {
		return 0, nil
	}
	found, _, err := p.publishedFindings(ctx, s, live)
	if err != nil {
		return 0, err
	}
	if found, err = p.heeded(ctx, s, found); err != nil {
		return 0, err
	}
	for _, f := range found {
		if !draft[f.Entry] && !draft[f.Other] {
			n++
		}
	}
	return n, nil
}
