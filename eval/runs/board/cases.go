package board

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"faqbot/bot"
	"faqbot/eval"
	"faqbot/eval/runs"
	"faqbot/eval/suite"
	"faqbot/handoff"
	"faqbot/knowledge"
	"faqbot/knowledge/cases"
	"faqbot/knowledge/page"
	"faqbot/knowledge/sqldb"
)

// A casesPage lists the cases.
type casesPage struct {
	frame
	Cases    []caseView
	More     int // that are not shown
	Problems []string
	File     string // that has them
}

// A caseView is a case as pages show it.
type caseView struct {
	ID, Question, Expected, By string
	Gone                       bool // it expects an entry that is not published
	Customer                   bool // it is a customer's question
	At                         time.Time
}

func (b *Board) showCases(r request) error { return b.renderCases(r, http.StatusOK, casesPage{}) }

func (b *Board) renderCases(r request, status int, p casesPage) error {
	ctx := r.Request.Context()
	p.frame = frameOf(r, "cases")
	list, err := b.store.List(ctx, r.Affiliate.ID)
	if err != nil {
		return err
	}
	entries, _, err := b.o.Corpus.Published(ctx, r.Affiliate.ID)
	if err != nil {
		return err
	}
	s, err := runs.SuiteOf(r.Affiliate.ID, list)
	if err != nil {
		return err
	}
	questions := map[knowledge.EntryID]string{}
	for _, e := range entries {
		questions[keyOf(e)] = e.Question
	}
	for i, c := range slices.Backward(s.Cases) {
		if len(p.Cases) == mostRows {
			p.More = i + 1
			break
		}
		v := caseView{ID: c.ID, Question: cmp.Or(c.Last().Say, c.Last().Tap), By: list[i].By, At: list[i].At, Customer: list[i].Conversation != ""}
		v.Expected, v.Gone = expectation(r, c.Last().Expect, questions)
		p.Cases = append(p.Cases, v)
	}
	return b.pages.Show(r.Writer, r.Request, status, "cases", p)
}

// keyOf is what a suite calls an entry.
func keyOf(e knowledge.Entry) knowledge.EntryID {
	return knowledge.EntryID(cmp.Or(e.Key, string(e.ID)))
}

// expectation is what a case expects, in words.
func expectation(r request, e suite.Expect, questions map[knowledge.EntryID]string) (words string, gone bool) {
	named := func(ids []knowledge.EntryID, between string) string {
		var names []string
		for _, id := range ids {
			name := questions[id]
			if name == "" {
				name, gone = string(id), true
			}
			names = append(names, "“"+name+"”")
		}
		return strings.Join(names, " "+between+" ")
	}
	var list []string
	if len(e.Answer) > 0 {
		list = append(list, named(e.Answer, r.Say("eval_or")))
	}
	if len(e.Clarify) > 0 {
		list = append(list, r.Say("eval_expects_clarify", "entries", named(e.Clarify, r.Say("eval_and"))))
	}
	for _, one := range []struct {
		is  bool
		key string
	}{{e.None, "none"}, {e.Handoff != "", "handoff"}, {e.SmallTalk, "smalltalk"}, {e.Silence, "silence"}} {
		if one.is {
			list = append(list, r.One("eval_expects_", one.key))
		}
	}
	return strings.Join(list, ", "+r.Say("eval_or")+" "), gone
}

func (b *Board) removeCase(r request) error {
	if err := b.store.Remove(r.Request.Context(), r.Affiliate.ID, r.PostForm("id")); err != nil {
		return err
	}
	r.Redirect(http.StatusSeeOther, addressOf(r, "/cases?done=removed"))
	return nil
}

// download sends the cases as a suite.
func (b *Board) download(r request) error {
	list, err := b.store.List(r.Request.Context(), r.Affiliate.ID)
	if err != nil {
		return err
	}
	s, err := runs.SuiteOf(r.Affiliate.ID, list)
	if err != nil {
		return err
	}
	r.Header("Content-Type", "application/yaml")
	r.Header("Content-Disposition", `attachment; filename="suite.yaml"`)
	r.Header("Cache-Control", "no-store")
	return s.WriteYAML(r.Writer)
}

// upload takes the cases of a suite's file.
func (b *Board) upload(r request) error {
	ctx := r.Request.Context()
	file, header, err := r.Request.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return b.renderCases(r, http.StatusUnprocessableEntity, casesPage{Problems: []string{r.Say("eval_no_file")}})
	}
	if err != nil {
		return err
	}
	data, err := io.ReadAll(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	name := path.Base(strings.ReplaceAll(header.Filename, `\`, "/"))
	s, err := suite.Parse(name, data)
	if err == nil {
		err = b.check(ctx, r.Affiliate.ID, name, s)
	}
	if problems, ok := errors.AsType[suite.Problems](err); ok {
		p := casesPage{File: name}
		for _, one := range problems {
			p.Problems = append(p.Problems, one.String())
		}
		return b.renderCases(r, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	list, err := caseRows(s, r.Person.Name)
	if err == nil {
		err = b.tie(ctx, r.Affiliate.ID, s, list)
	}
	if err == nil {
		err = b.store.Add(ctx, r.Affiliate.ID, list, r.PostForm("replace") != "")
	}
	if err != nil {
		return err
	}
	r.Redirect(http.StatusSeeOther, addressOf(r, "/cases?done=uploaded"))
	return nil
}

// check refuses cases about entries that are not published.
func (b *Board) check(ctx context.Context, a knowledge.AffiliateID, name string, s suite.Suite) error {
	entries, _, err := b.o.Corpus.Published(ctx, a)
	if err != nil {
		return err
	}
	for i, e := range entries {
		entries[i].ID = keyOf(e)
	}
	problems := slices.DeleteFunc(s.Check(name, entries), func(p suite.Problem) bool { return p.Warning })
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// caseRows are the cases of a suite, to be kept. A case without an ID of its own gets one that tells nothing of its
// question, since IDs stand in logs.
func caseRows(s suite.Suite, by string) (list []cases.Case, err error) {
	s.Cases = slices.Clone(s.Cases)
	for i, c := range s.Cases {
		if c.ID == c.Last().Say {
			digest := sha256.Sum256([]byte(c.ID))
			s.Cases[i].ID = hex.EncodeToString(digest[:8])
		}
	}
	rows, err := s.EncodeCases()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	for i, c := range s.Cases {
		list = append(list, cases.Case{ID: c.ID, Body: rows[i], By: by, At: now})
	}
	return list, nil
}

// tie says of which conversations cases are: in a suite that was downloaded here, that is a case's group.
func (b *Board) tie(ctx context.Context, a knowledge.AffiliateID, s suite.Suite, list []cases.Case) error {
	ours := map[string]bool{"": false}
	for i, c := range s.Cases {
		is, seen := ours[c.Group]
		if !seen {
			conv, err := b.o.Conversations.Get(ctx, bot.ConversationID(c.Group))
			if err != nil && !errors.Is(err, bot.ErrNotFound) {
				return err
			}
			is = err == nil && conv.Affiliate == a
			ours[c.Group] = is
		}
		if is {
			list[i].Conversation = c.Group
		}
	}
	return nil
}

const (
	maxQuestion = 1000 // characters
	maxNear     = 6    // entries offered as boxes
	maxEntries  = 1000 // and in a list
	maxName     = 100  // characters of an entry's question there
)

// A casePage is the form of a new case.
type casePage struct {
	frame
	Question, Before, Expect, Near, Other page.Field
	Now                                   string // what happens now
	Conversation, Turn                    string
	Lang                                  string

	askedAt time.Time
}

// Fields are those of the form, for the list of errors.
func (p casePage) Fields() []page.Field {
	return []page.Field{p.Question, p.Before, p.Expect, p.Near, p.Other}
}

func (b *Board) newCase(r request) error {
	p, err := b.form(r, r.Query)
	if err != nil {
		return err
	}
	return b.pages.Show(r.Writer, r.Request, http.StatusOK, "case", p)
}

// form is the form of a case about a question that given names, or about a turn of a conversation. What looks like a
// card number, an IBAN or a password is masked.
func (b *Board) form(r request, given func(string) string) (p casePage, err error) {
	ctx := r.Request.Context()
	p = casePage{frame: frameOf(r, "cases"), Conversation: given("conversation"), Turn: given("turn"), Lang: given("lang")}
	question, before := given("question"), given("before")
	if p.Conversation != "" {
		asked, at, err := b.asked(ctx, r, p.Conversation, p.Turn)
		if err != nil {
			return p, err
		}
		p.askedAt = at
		question, before, p.Lang = cmp.Or(question, asked.Text), cmp.Or(before, strings.Join(asked.Context, "\n")), asked.Lang
	}
	question = handoff.MaskSecrets(strings.TrimSpace(question))
	before = handoff.MaskSecrets(before)
	bench, err := b.o.Published(ctx, r.Affiliate.ID)
	if err != nil && !errors.Is(err, runs.ErrNotReady) {
		return p, err
	}
	p.Question = page.Field{Name: "question", Label: r.Say("eval_question"), Value: question, Required: true, MaxLength: maxQuestion, Rows: 2}
	p.Before = page.Field{Name: "before", Label: r.Say("eval_before"), Value: before, Rows: 2, Hint: r.Say("eval_before_hint")}
	p.Expect = page.Field{Name: "expect", Label: r.Say("eval_expect"), Value: given("expect"), Options: []page.Option{
		{Value: "answer", Label: r.Say("eval_expect_answer")}, {Value: "clarify", Label: r.Say("eval_expect_clarify")},
		{Value: "handoff", Label: r.Say("eval_expect_handoff")}, {Value: "none", Label: r.Say("eval_expect_none")}}}
	p.Near = page.Field{Name: "near", Label: r.Say("eval_near"), Many: true, Hint: r.Say("eval_near_hint")}
	p.Other = page.Field{Name: "other", Label: r.Say("eval_other"), Options: []page.Option{{Value: "", Label: r.Say("eval_other_none")}}}
	ranked, err := b.rank(ctx, r, bench, eval.Case{Text: question, Lang: p.Lang, Context: lines(before)}, &p)
	if err != nil {
		return p, err
	}
	entries := slices.SortedFunc(slices.Values(bench.Entries), func(x, y knowledge.Entry) int { return strings.Compare(x.Question, y.Question) })
	for _, e := range entries[:min(len(entries), maxEntries)] {
		name := []rune(e.Question)
		option := page.Option{Value: string(keyOf(e)), Label: string(name[:min(len(name), maxName)])}
		if slices.Contains(ranked, e.ID) {
			p.Near.Options = append(p.Near.Options, option)
		} else {
			p.Other.Options = append(p.Other.Options, option)
		}
	}
	return p, nil
}

// rank says what happens now, and returns the entries that come nearest.
func (b *Board) rank(ctx context.Context, r request, bench runs.Bench, c eval.Case, p *casePage) (near []knowledge.EntryID, err error) {
	if bench.Asker == nil || c.Text == "" {
		return nil, nil
	}
	result, err := bench.Asker.Ask(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, one := range result.Ranked[:min(len(result.Ranked), maxNear)] {
		near = append(near, one.Entry)
	}
	p.Now = r.One("eval_now_", string(result.Outcome.Decision.Action))
	if ids := result.Outcome.Decision.Entries; len(ids) > 0 {
		var names []string
		for _, e := range bench.Entries {
			if slices.Contains(ids, e.ID) {
				names = append(names, "“"+e.Question+"”")
			}
		}
		p.Now = r.Say("eval_now_with", "action", p.Now, "entries", strings.Join(names, ", "))
	}
	return near, nil
}

// asked is the question of a turn, with what the customer said before.
func (b *Board) asked(ctx context.Context, r request, conversation, turn string) (c eval.Case, at time.Time, err error) {
	conv, err := b.o.Conversations.Get(ctx, bot.ConversationID(conversation))
	if err == nil && conv.Affiliate != r.Affiliate.ID {
		err = bot.ErrNotFound
	}
	if err != nil {
		return c, at, err
	}
	turns, err := b.o.Conversations.Turns(ctx, conv.ID)
	if err != nil {
		return c, at, err
	}
	i := slices.IndexFunc(turns, func(t bot.TurnRecord) bool { return string(t.ID) == turn })
	if i < 0 {
		return c, at, bot.ErrNotFound
	}
	return eval.Case{Text: turns[i].Trace.Query, Context: turns[i].Trace.Before, Lang: conv.Locale}, turns[i].At, nil
}

// lines are the lines of a text, without empty ones.
func lines(text string) (list []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// addCase keeps what the form says.
func (b *Board) addCase(r request) error {
	ctx := r.Request.Context()
	p, err := b.form(r, r.PostForm)
	if err != nil {
		return err
	}
	p.Near.Values, p.Other.Value = r.PostFormArray("near"), r.PostForm("other")
	known := append(slices.Clone(p.Near.Options), p.Other.Options...)
	var chosen []knowledge.EntryID
	for _, key := range append(slices.Clone(p.Near.Values), p.Other.Value) {
		if key != "" && slices.ContainsFunc(known, func(o page.Option) bool { return o.Value == key }) {
			chosen = append(chosen, knowledge.EntryID(key))
		}
	}
	var e suite.Expect
	switch p.Expect.Value {
	case "answer":
		e.Answer = chosen
	case "clarify":
		e.Clarify = chosen
	case "handoff":
		e.Handoff = suite.AnyReason
	case "none":
		e.None = true
	}
	switch {
	case !e.Named():
		p.Near.Error = r.Say("eval_choose")
	case p.Expect.Value == "clarify" && len(chosen) < 2:
		p.Near.Error = r.Say("eval_choose_two")
	}
	if p.Question.Value == "" || len([]rune(p.Question.Value)) > maxQuestion {
		p.Question.Error = r.Say("eval_no_question", "n", maxQuestion)
	}
	if p.Near.Error != "" || p.Question.Error != "" {
		return b.pages.Show(r.Writer, r.Request, http.StatusUnprocessableEntity, "case", p)
	}
	return b.keep(ctx, r, p, suite.Case{Turns: []suite.Turn{{Say: p.Question.Value, Expect: e}}, Context: lines(p.Before.Value), Lang: p.Lang, Group: p.Conversation, Weight: 1})
}

// keep stores one case. One of a turn takes the place of an earlier one of that turn.
func (b *Board) keep(ctx context.Context, r request, p casePage, c suite.Case) error {
	at := p.askedAt
	if c.ID = p.Turn; p.Conversation == "" {
		at = time.Now()
		c.ID = sqldb.NewID(at)
	}
	rows, err := suite.Suite{Cases: []suite.Case{c}}.EncodeCases()
	if err != nil {
		return fmt.Errorf("keep a case: %w", err)
	}
	if err := b.store.Add(ctx, r.Affiliate.ID, []cases.Case{{ID: c.ID, Conversation: p.Conversation, Body: rows[0], By: r.Person.Name, At: at}}, false); err != nil {
		return err
	}
	r.Redirect(http.StatusSeeOther, addressOf(r, "/cases?done=added"))
	return nil
}
