package start

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"faqbot/bot/accounts"
	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/page"
)

// Steps, in their order.
const (
	stepName    = "name"
	stepFAQ     = "faq"
	stepTry     = "try"
	stepPage    = "page"
	stepNetwork = "network"
)

const (
	stateDone    = "done"
	stateSkipped = "skipped"
)

// answers is how many questions a form asks for, and maxText the most characters of one field of it.
const (
	answers = 3
	maxText = 10_000
)

// A stepsPage is an affiliate's start: what is done, and the next step.
type stepsPage struct {
	Affiliate string
	At        string // the address of this start
	Portal    string // of the affiliate's entries
	Chat      string // where a chat is added, or the one there is
	HasChat   bool
	Steps     []step
	Now       string // the step that is open, "" if all are done
	Pairs     []pair
	Writing   bool       // the form for them is open
	Text      page.Field // pasted
	Problem   *page.Problem
}

type step struct {
	Name, Label, Words, State string
	Number                    int
}

// A pair is one question and its answer, to fill in.
type pair struct {
	Question, Answer page.Field
}

// begin leads to the start of the only affiliate, or asks for a name or a choice.
func (s *Start) begin(r request) error {
	return s.showBegin(r, http.StatusOK, r.nameField())
}

func (s *Start) showBegin(r request, status int, name page.Field) error {
	list := slices.DeleteFunc(slices.Clone(r.all), knowledge.Affiliate.Archived)
	name.Autofocus = len(list) == 0
	p := listPage{Name: name, May: r.mayAdd()}
	for _, a := range list {
		p.Affiliates = append(p.Affiliates, affiliateRow{Affiliate: a, Start: at(a.ID, "")})
	}
	return s.pages.Show(r.Writer, r.Request, status, "begin", p)
}

func (s *Start) name(r request) error {
	name := r.nameField()
	name.Value = strings.TrimSpace(r.PostForm("name"))
	wrong, err := s.addNamed(r, name.Value)
	if err != nil {
		return err
	}
	if name.Error = wrong; wrong != "" {
		return s.showBegin(r, http.StatusUnprocessableEntity, name)
	}
	return see(r, at(knowledge.AffiliateID(name.Value), ""))
}

func (s *Start) steps(r request) error {
	return s.showSteps(r, http.StatusOK, newPairs(r, nil), page.Field{}, nil)
}

// newPairs are the fields of the form that asks for a few answers.
func newPairs(r request, given url.Values) (list []pair) {
	for i := range answers {
		q, a := fmt.Sprintf("question%d", i+1), fmt.Sprintf("answer%d", i+1)
		list = append(list, pair{
			page.Field{Name: q, Label: r.Say("question_n", "n", i+1), Value: given.Get(q), MaxLength: 300, Required: i == 0, Placeholder: r.One("example_", strconv.Itoa(i+1))},
			page.Field{Name: a, Label: r.Say("answer_n", "n", i+1), Value: given.Get(a), MaxLength: maxText, Required: i == 0, Rows: 2}})
	}
	return list
}

// showSteps shows an affiliate's start; the step that the address asks for is open, else the first that is not done.
func (s *Start) showSteps(r request, status int, pairs []pair, text page.Field, problem *page.Problem) error {
	if r.affiliate.Archived() {
		return knowledge.ErrNotFound
	}
	marks, err := s.marks(r.Request.Context(), r.affiliate.ID)
	if err != nil {
		return err
	}
	p := stepsPage{Affiliate: r.affiliate.Name(), At: at(r.affiliate.ID, ""), Portal: "/partners/" + url.PathEscape(string(r.affiliate.ID)),
		Chat: "/channels/add/" + chatNetwork() + "?" + url.Values{"affiliate": {string(r.affiliate.ID)}}.Encode(), Pairs: pairs, Problem: problem,
		Text: page.Field{Name: "text", Label: r.Say("paste_label"), Hint: r.Say("paste_hint"), Value: text.Value, Error: text.Error, Rows: 8, Required: true}}
	p.Writing = slices.ContainsFunc(pairs, func(p pair) bool { return p.Question.Error != "" || p.Answer.Error != "" }) || problem != nil && text.Value == ""
	done := map[string]bool{stepName: true, stepFAQ: r.affiliate.Revision > 0}
	reports, err := s.o.Accounts.Reports(r.Request.Context())
	if err != nil {
		return err
	}
	for _, a := range reports {
		if !slices.Contains(a.Settings.Affiliates, string(r.affiliate.ID)) && !slices.Contains(a.Settings.Affiliates, string(knowledge.Everyone)) {
			continue
		}
		if n, _ := accounts.NetworkOf(a.Settings.Channel); n.OnPages == nil {
			done[stepNetwork] = true
		} else {
			done[stepPage], p.HasChat = true, true
			p.Chat = "/channels/" + a.Settings.Channel + "/" + url.PathEscape(a.Settings.ID)
		}
	}
	for i, name := range []string{stepName, stepFAQ, stepTry, stepPage, stepNetwork} {
		one := step{Name: name, Label: r.One("step_", name), Words: r.One("step_words_", name), State: marks[name], Number: i + 1}
		if done[name] {
			one.State = stateDone
		}
		if one.State == "" && p.Now == "" {
			p.Now = name
		}
		p.Steps = append(p.Steps, one)
	}
	if asked := r.Query("step"); slices.ContainsFunc(p.Steps, func(s step) bool { return s.Name == asked && s.Name != stepName }) {
		p.Now = asked
	}
	return s.pages.Show(r.Writer, r.Request, status, "steps", p)
}

// chatNetwork is the name of the network whose chats stand on pages.
func chatNetwork() string {
	for _, n := range accounts.Networks() {
		if n.OnPages != nil {
			return n.Name
		}
	}
	return ""
}

// mark calls a step done, or skips it, or takes that back.
func (s *Start) mark(r request) error {
	name, state := r.Param("step"), r.PostForm("state")
	if !slices.Contains([]string{stepFAQ, stepTry, stepPage, stepNetwork}, name) || state != "" && state != stateDone && state != stateSkipped {
		return knowledge.ErrNotFound
	}
	if err := s.setMark(r.Request.Context(), r.affiliate.ID, name, state); err != nil {
		return err
	}
	return see(r, at(r.affiliate.ID, ""))
}

// paste reads a pasted FAQ as a text file, and leads to what it would change.
func (s *Start) paste(r request) error {
	text := page.Field{Value: strings.TrimSpace(r.PostForm("text"))}
	if text.Value == "" {
		text.Error = r.Say("paste_empty")
		return s.showSteps(r, http.StatusUnprocessableEntity, newPairs(r, nil), text, nil)
	}
	u, problem, err := s.propose(r, "pasted.txt", []byte(text.Value+"\n"))
	if err != nil {
		return err
	}
	if problem != nil {
		return s.showSteps(r, http.StatusUnprocessableEntity, newPairs(r, nil), text, problem)
	}
	return see(r, "/partners/"+url.PathEscape(string(r.affiliate.ID))+"/uploads/"+url.PathEscape(string(u.ID)))
}

// write publishes a few questions with their answers.
func (s *Start) write(r request) error {
	if err := r.Request.ParseForm(); err != nil {
		return fmt.Errorf("read a form: %w", err)
	}
	pairs := newPairs(r, r.Request.PostForm)
	rows, wrong := [][]string{{"question", "answer"}}, false
	for i := range pairs {
		q, a := strings.TrimSpace(pairs[i].Question.Value), strings.TrimSpace(pairs[i].Answer.Value)
		switch {
		case q == "" && a == "" && i > 0:
			continue
		case q == "":
			pairs[i].Question.Error, wrong = r.Say("write_needed"), true
		case a == "":
			pairs[i].Answer.Error, wrong = r.Say("write_needed"), true
		}
		rows = append(rows, []string{q, a})
	}
	if wrong {
		return s.showSteps(r, http.StatusUnprocessableEntity, pairs, page.Field{}, nil)
	}
	var data bytes.Buffer
	if err := csv.NewWriter(&data).WriteAll(rows); err != nil {
		return fmt.Errorf("write answers: %w", err)
	}
	u, problem, err := s.propose(r, "first answers.csv", data.Bytes())
	if err != nil {
		return err
	}
	if problem == nil && !u.Fatal() {
		return s.publish(r, u)
	}
	if problem == nil {
		problem = &page.Problem{What: u.Problems[0].Text, Safe: r.Say("nothing_changed")}
	}
	return s.showSteps(r, http.StatusUnprocessableEntity, pairs, page.Field{}, problem)
}

// propose stores what a file would change; entries that it lacks stay.
func (s *Start) propose(r request, name string, data []byte) (u knowledge.Upload, problem *page.Problem, err error) {
	ctx := r.Request.Context()
	reading := knowledge.Reading{Absent: knowledge.AbsentStay}
	digest, err := s.corpus.KeepFile(ctx, r.affiliate.ID, data)
	if errors.Is(err, knowledge.ErrUploads) {
		return u, &page.Problem{What: r.Say("too_many", "why", errors.Unwrap(err)), Safe: r.Say("nothing_changed")}, nil
	}
	if err != nil {
		return u, nil, err
	}
	rows, problems, err := s.o.Files.Parse(ctx, name, data, faqfile.Options{Reading: reading})
	if errors.Is(err, faqfile.ErrBusy) {
		return u, &page.Problem{What: r.Say("busy"), Safe: r.Say("nothing_changed"), Do: r.Say("busy_do")}, nil
	}
	if err != nil {
		return u, nil, err
	}
	u, err = s.corpus.Preview(ctx, knowledge.Upload{Affiliate: r.affiliate.ID, File: name, Digest: digest, By: r.person.Name, Problems: problems, Reading: reading}, rows)
	return u, nil, err
}

// publish publishes an upload and goes on with the start.
func (s *Start) publish(r request, u knowledge.Upload) error {
	ctx := r.Request.Context()
	if err := knowledge.PrepareChanges(ctx, s.o.Prepare, u.Changes); err != nil {
		return err
	}
	if _, err := s.corpus.Publish(ctx, u.ID, r.person.Name); err != nil {
		return err
	}
	s.o.Published()
	return see(r, at(r.affiliate.ID, ""))
}
