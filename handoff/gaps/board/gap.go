package board

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/bot/accounts"
	"faqbot/handoff"
	"faqbot/handoff/gaps"
	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/page"
)

const (
	maxQuestion  = 300 // characters
	maxAnswer    = 10_000
	maxWordings  = 10  // proposed with a new answer
	maxEntries   = 500 // offered for a further wording
	maxEntryName = 100 // characters of an entry's question in a list
)

// A gapPage shows one gap and the forms that answer it.
type gapPage struct {
	frame
	Gap                               gapView
	Question, Answer, Wordings, Topic page.Field
	Locale                            *page.Field // nil unless entries have languages
	Entry, Wording                    page.Field
	Replied                           bool // the answer is what a person wrote
	Problem                           *page.Problem
	Asked                             []asked
}

// Fields are those of the forms, for the list of errors.
func (p gapPage) Fields() []page.Field {
	return []page.Field{p.Question, p.Answer, p.Wordings, p.Topic, p.Entry, p.Wording}
}

// An asked question is one as a customer put it.
type asked struct {
	Words, Kind, Channel string
	At                   time.Time
}

func (b *Board) show(r request) error {
	p, _, _, err := b.page(r)
	if err != nil {
		return err
	}
	return b.pages.Show(r.Writer, r.Request, http.StatusOK, "gap", p)
}

// page is a gap's page with the forms as they begin, and what they are about.
func (b *Board) page(r request) (p gapPage, g gaps.Gap, entries []knowledge.Entry, err error) {
	ctx := r.Request.Context()
	g, questions, err := b.gaps.Get(ctx, r.Affiliate.ID, gaps.ID(r.Param("gap")))
	if err != nil {
		return p, g, nil, err
	}
	if entries, _, err = b.corpus.Published(ctx, r.Affiliate.ID); err != nil {
		return p, g, nil, err
	}
	reply, err := b.gaps.Replied(ctx, questions)
	if err != nil {
		return p, g, nil, err
	}
	p = gapPage{frame: r.Frame("gaps"), Gap: b.view(r, g, entries), Replied: reply != ""}
	var others []string
	for _, q := range questions {
		words := handoff.MaskSecrets(q.Words)
		if words == "" {
			continue
		}
		p.Asked = append(p.Asked, asked{words, r.One("gap_asked_", string(q.Kind)), accounts.Label(q.Channel), q.At})
		same := func(s string) bool { return strings.EqualFold(s, words) }
		if len(others) < maxWordings && !same(handoff.MaskSecrets(g.Question)) && !slices.ContainsFunc(others, same) {
			others = append(others, strings.Join(strings.Fields(words), " "))
		}
	}
	asked := handoff.MaskSecrets(g.Question)
	p.Question = page.Field{Name: "question", Label: r.Say("question"), Value: asked, Required: true, MaxLength: maxQuestion, Hint: r.Say("gap_question_hint")}
	p.Answer = page.Field{Name: "answer", Label: r.Say("answer"), Value: handoff.MaskSecrets(reply), Required: true, MaxLength: maxAnswer, Rows: 5}
	if p.Replied {
		p.Answer.Hint = r.Say("gap_replied")
	}
	p.Wordings = page.Field{Name: "wordings", Label: r.Say("gap_wordings"), Value: strings.Join(others, "\n"), Rows: min(6, len(others)+1), Hint: r.Say("gap_wordings_hint")}
	p.Topic = page.Field{Name: "topic", Label: r.Say("topic"), Value: topicOf(g, entries), MaxLength: 100}
	p.Locale = localeField(r, g, entries)
	p.Wording = page.Field{Name: "wording", Label: r.Say("gap_wording"), Value: asked, Required: true, Rows: 2, Hint: r.Say("gap_wording_hint")}
	p.Entry = page.Field{Name: "entry", Label: r.Say("gap_entry"), Options: entryOptions(g, entries)}
	return p, g, entries, nil
}

// topicOf is the topic of the nearest entry.
func topicOf(g gaps.Gap, entries []knowledge.Entry) string {
	id, _ := g.Tally.NearestEntry()
	for _, e := range entries {
		if e.ID == id {
			return e.Topic
		}
	}
	return ""
}

// localeField asks for the language of an answer, if entries have any: that of most questions, if there are entries in
// it.
func localeField(r request, g gaps.Gap, entries []knowledge.Entry) *page.Field {
	f := page.Field{Name: "locale", Label: r.Say("gap_locale")}
	for _, e := range entries {
		if !slices.ContainsFunc(f.Options, func(o page.Option) bool { return o.Value == e.Locale }) {
			f.Options = append(f.Options, page.Option{Value: e.Locale, Label: cmp.Or(e.Locale, "–")})
		}
	}
	if len(f.Options) == 0 || len(f.Options) == 1 && f.Options[0].Value == "" {
		return nil
	}
	most := -1
	for _, o := range f.Options {
		n := 0
		for asked, count := range g.Tally.Locales {
			if language(asked) == language(o.Value) {
				n += count
			}
		}
		if n > most {
			f.Value, most = o.Value, n
		}
	}
	return &f
}

func language(locale string) string { return strings.ToLower(strings.SplitN(locale, "-", 2)[0]) }

// entryOptions are the entries of which a question may be a wording: the one that customers chose, then those that
// were found nearest, then all others.
func entryOptions(g gaps.Gap, entries []knowledge.Entry) (list []page.Option) {
	near := func(e knowledge.Entry) int {
		n := g.Tally.Nearest[e.ID].N
		if e.ID == g.Tally.Agreed() {
			n = 1 << 30
		}
		return n
	}
	entries = slices.SortedFunc(slices.Values(entries), func(x, y knowledge.Entry) int {
		return cmp.Or(near(y)-near(x), strings.Compare(x.Question, y.Question), strings.Compare(x.Locale, y.Locale))
	})
	for _, e := range entries[:min(len(entries), maxEntries)] {
		name := []rune(e.Question)
		list = append(list, page.Option{Value: string(e.ID), Label: string(name[:min(len(name), maxEntryName)])})
	}
	return list
}

// answer makes a new entry of what was written.
func (b *Board) answer(r request) error {
	p, g, entries, err := b.page(r)
	if err != nil {
		return err
	}
	for _, f := range []*page.Field{&p.Question, &p.Answer, &p.Wordings, &p.Topic} {
		f.Value = strings.TrimSpace(strings.ReplaceAll(r.PostForm(f.Name), "\r\n", "\n"))
		if f.Value == "" && f.Required {
			f.Error = r.Say("gap_needed")
		}
		if f.MaxLength > 0 && len([]rune(f.Value)) > f.MaxLength {
			f.Error = r.Say("gap_long", "n", f.MaxLength)
		}
	}
	if wrong(p) {
		return b.pages.Show(r.Writer, r.Request, http.StatusUnprocessableEntity, "gap", p)
	}
	e := gaps.Fresh(entries, p.Question.Value)
	e.Answer, e.Topic, e.Variants = p.Answer.Value, p.Topic.Value, lines(p.Wordings.Value, e.Question)
	if p.Locale != nil {
		if given := r.PostForm("locale"); slices.ContainsFunc(p.Locale.Options, func(o page.Option) bool { return o.Value == given }) {
			p.Locale.Value = given
		}
		e.Locale = p.Locale.Value
	}
	return b.take(r, p, g, e)
}

// addWording adds what was asked to an entry.
func (b *Board) addWording(r request) error {
	p, g, entries, err := b.page(r)
	if err != nil {
		return err
	}
	p.Wording.Value, p.Entry.Value = strings.TrimSpace(r.PostForm("wording")), r.PostForm("entry")
	i := slices.IndexFunc(entries, func(e knowledge.Entry) bool { return string(e.ID) == p.Entry.Value })
	if i < 0 {
		p.Entry.Error = r.Say("gap_choose_entry")
	}
	if p.Wording.Value == "" {
		p.Wording.Error = r.Say("gap_needed")
	}
	if wrong(p) {
		return b.pages.Show(r.Writer, r.Request, http.StatusUnprocessableEntity, "gap", p)
	}
	e := entries[i]
	e.Variants = append(slices.Clone(e.Variants), lines(p.Wording.Value, e.Wordings()...)...)
	return b.take(r, p, g, e)
}

func wrong(p gapPage) bool {
	return slices.ContainsFunc(p.Fields(), func(f page.Field) bool { return f.Error != "" })
}

// lines are the lines of a text, each once, without those known and without empty ones.
func lines(text string, known ...string) (list []string) {
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(line), " ")
		same := func(s string) bool { return strings.EqualFold(s, line) }
		if line != "" && len([]rune(line)) <= maxQuestion && !slices.ContainsFunc(known, same) && !slices.ContainsFunc(list, same) && len(list) < limits.MaxAllWordings {
			list = append(list, line)
		}
	}
	return list
}

// take drafts an entry as the answer to a gap and, unless it is to stay a draft, publishes it.
func (b *Board) take(r request, p gapPage, g gaps.Gap, e knowledge.Entry) error {
	ctx := r.Request.Context()
	refuse := func(status int, problem page.Problem) error {
		p.Problem = &problem
		return b.pages.Show(r.Writer, r.Request, status, "gap", p)
	}
	u, err := b.gaps.Draft(ctx, r.Affiliate.ID, g.ID, r.Person.Name, e)
	switch {
	case errors.Is(err, gaps.ErrNothing):
		return refuse(http.StatusUnprocessableEntity, page.Problem{What: r.Say("gap_nothing"), Do: r.Say("gap_nothing_do")})
	case errors.Is(err, knowledge.ErrConflict):
		return refuse(http.StatusConflict, page.Problem{What: r.Say("gap_conflict"), Safe: r.Say("nothing_changed"), Do: r.Say("gap_conflict_do")})
	case err != nil:
		return err
	}
	if u.Fatal() || r.PostForm("do") == "draft" {
		r.Redirect(http.StatusSeeOther, r.At("/uploads/"+url.PathEscape(string(u.ID))))
		return nil
	}
	revision, err := b.gaps.Publish(ctx, r.Affiliate.ID, u, r.Person.Name)
	if errors.Is(err, knowledge.ErrOutdated) {
		return refuse(http.StatusConflict, page.Problem{What: r.Say("gap_outdated"), Safe: r.Say("nothing_changed"), Do: r.Say("gap_outdated_do")})
	}
	if err != nil {
		return err
	}
	r.Redirect(http.StatusSeeOther, r.At(fmt.Sprintf("/gaps?done=%d", revision)))
	return nil
}

// decide says that a gap needs no entry, or opens it again.
func (b *Board) decide(r request) error {
	state := gaps.State(cmp.Or(r.PostForm("state"), r.Query("state")))
	if !slices.Contains([]gaps.State{gaps.Open, gaps.OutOfScope, gaps.Ignored}, state) {
		return gaps.ErrNotFound
	}
	id := gaps.ID(r.Param("gap"))
	if err := b.gaps.Decide(r.Request.Context(), r.Affiliate.ID, id, state, r.Person.Name); err != nil {
		return err
	}
	to := r.At("/gaps")
	if state != gaps.Open {
		to += "?" + url.Values{"done": {"decided"}, "gap": {string(id)}}.Encode()
	}
	r.Redirect(http.StatusSeeOther, to)
	return nil
}

// asked leads from a conversation to the gap of its last question; one of which nothing was missed has none.
func (b *Board) asked(r request) error {
	id, err := b.gaps.Of(r.Request.Context(), r.Affiliate.ID, bot.ConversationID(r.Param("conversation")))
	if errors.Is(err, gaps.ErrNotFound) {
		r.Redirect(http.StatusSeeOther, r.At("/gaps?done=answered"))
		return nil
	}
	if err != nil {
		return err
	}
	r.Redirect(http.StatusSeeOther, r.At("/gaps/"+url.PathEscape(string(id))+"#new"))
	return nil
}
