package measure_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/eval"
	"faqbot/eval/measure"
	"faqbot/eval/report"
	"faqbot/eval/subject"
	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// A fake answers by the words that it is told; "fail" is an error, and a tap chooses.
type fake struct {
	replies map[string]subject.Reply
	asked   *atomic.Int64
	failing bool
}

func (f fake) Name() string                     { return "fake" }
func (f fake) Close() error                     { return nil }
func (f fake) Open(suite.Case) subject.Dialogue { return f }

func (f fake) Say(_ context.Context, t suite.Turn) (subject.Reply, error) {
	f.asked.Add(1)
	if t.Tap != "" {
		return answer(t.Tap, .9), nil
	}
	if t.Say == "break" && f.failing {
		return subject.Reply{}, errors.New("no answer today")
	}
	return f.replies[t.Say], nil
}

func answer(id string, p float64) subject.Reply {
	return subject.Reply{Action: bot.ActionAnswer, Entries: []knowledge.EntryID{knowledge.EntryID(id)}, Ranked: []subject.Ranked{{Entry: knowledge.EntryID(id), Probability: p}}, Texts: []string{"The answer " + id}}
}

func menu(p float64, ids ...knowledge.EntryID) subject.Reply {
	r := subject.Reply{Action: bot.ActionClarify, Entries: ids, Texts: []string{"Which?"}}
	for i, id := range ids {
		r.Ranked = append(r.Ranked, subject.Ranked{Entry: id, Probability: p / float64(i+1)})
	}
	return r
}

func replies() map[string]subject.Reply {
	return map[string]subject.Reply{
		"right": answer("a", .9), "wrong": answer("b", .8), "menu": menu(.4, "b", "a"), "lost": menu(.3, "c"), "again": answer("a", .7),
		"nothing": {Action: bot.ActionClarify, Texts: []string{"In other words?"}}, "person": {Action: bot.ActionHandoff, Reason: bot.ReasonAskedPerson, Texts: []string{"A person comes"}},
		"hi": {Action: bot.ActionAnswer, Texts: []string{"Hello"}}, "quiet": {Action: bot.ActionIgnore}, "break": answer("a", .6),
	}
}

func read(t *testing.T, text string) suite.Suite {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cases.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	s, err := suite.Read(path)
	require.NoError(t, err)
	return s
}

func run(t *testing.T, s suite.Suite, change func(*measure.Run)) *measure.Report {
	t.Helper()
	r := measure.Run{Suite: s, Subject: fake{replies: replies(), asked: &atomic.Int64{}}, Workers: 1,
		Entries: []knowledge.Entry{{ID: "a", Question: "A?", Topic: "money"}, {ID: "b", Question: "B?"}, {ID: "c", Question: "C?", Variants: []string{"b"}}}}
	if change != nil {
		change(&r)
	}
	got, err := r.Do(t.Context())
	require.NoError(t, err)
	return got
}

func TestExpectations(t *testing.T) {
	for _, c := range []struct {
		fields string
		fails  string // "" if it passes
	}{
		{"ask: right, answer: a", ""},
		{"ask: right, answer: [c, a]", ""},
		{"ask: wrong, answer: a", "expected the answer a, got the answer b"},
		{"ask: menu, answer: a", "expected the answer a, got a menu with b, a"},
		{"ask: menu, clarify: [a, b]", ""},
		{"ask: menu, clarify: [a, c]", "expected a menu with a and c"},
		{"ask: menu, clarify: [a, c], answer: b", "or a menu"},
		{"ask: right, clarify: [b, c], answer: a", ""},
		{"ask: nothing, none: true", ""},
		{"ask: menu, none: true", ""},
		{"ask: hi, none: true", ""},
		{"ask: right, none: true", "expected no entry as the answer"},
		{"ask: person, handoff: true", ""},
		{"ask: person, handoff: asked_person", ""},
		{"ask: person, handoff: urgent", "expected a handoff (urgent), got a handoff (asked_person)"},
		{"ask: hi, smalltalk: true", ""},
		{"ask: right, smalltalk: true", "expected small talk"},
		{"ask: quiet, silence: true", ""},
		{"ask: hi, silence: true", "expected silence, got small talk"},
		{"ask: right, answer: a, reply: {contains: the ANSWER, not_contains: price, matches: 'er a$', not_matches: '^a'}", ""},
		{"ask: right, answer: a, reply: {not_contains: answer}", `not_contains "answer"`},
		{"ask: right, answer: a, reply: {matches: '^answer'}", "matches"},
		{"turns: [{ask: hi, smalltalk: true}, {ask: menu}, {tap: a}], answer: a", ""},
		{"turns: [{ask: right, smalltalk: true}, {ask: right}], answer: a", "turn 1: expected small talk"},
	} {
		row := run(t, read(t, "- {"+c.fields+"}\n"), nil).Cases[0]
		require.Equal(t, c.fails == "", row.Passed, c.fields)
		require.Contains(t, strings.Join(row.Failures, "; "), c.fails, c.fields)
	}
}

const mixed = `- {id: right, ask: right, answer: a, tags: [x], must: true}
- {id: wrong, ask: wrong, answer: a, tags: [x, y], weight: 2}
- {id: menu, ask: menu, answer: a}
- {id: reworded, ask: lost, answer: a, reword: [nothing, again]}
- {id: lost, ask: lost, answer: a}
- {id: out, ask: nothing, none: true, kind: far}
- {id: person, ask: person, handoff: true}
`

func TestReport(t *testing.T) {
	r := run(t, read(t, mixed), nil)
	require.Equal(t, 4, r.Failed)
	effort := map[string]int{}
	for _, row := range r.Cases {
		effort[row.ID] = row.Effort
	}
	require.Equal(t, map[string]int{"right": 0, "wrong": eval.NoAnswer, "menu": 1, "reworded": 2, "lost": eval.NoAnswer, "out": eval.NoAnswer, "person": eval.NoAnswer}, effort)
	figures := map[string]float64{}
	for _, f := range r.Figures {
		figures[f.Name] = f.Value
	}
	require.InDelta(t, 3./8, figures["passed"], 1e-12, "a weight of 2 counts twice")
	require.InDelta(t, 3./6, figures["resolved"], 1e-12)
	require.InDelta(t, 3./3, figures["effort"], 1e-12)
	require.InDelta(t, 1./6, figures["acc"], 1e-12, "small talk, and requests for a person, are not about search")
	require.Equal(t, []measure.Confusion{{Expected: "a", Given: "b", Cases: 1}}, r.Findings.Confused)
	require.Equal(t, [][]knowledge.EntryID{{"b", "c"}}, r.Findings.Duplicates)
	require.Equal(t, []measure.Gate{{"cases that must pass", true, "all pass"}}, r.Gates[len(r.Gates)-1:])
	var sliced []string
	for _, s := range r.Slices {
		sliced = append(sliced, fmt.Sprintf("%s %s %d", s.By, s.Name, s.Queries))
	}
	require.Subset(t, sliced, []string{"tag x 2", "tag y 1"})
}

func TestGates(t *testing.T) {
	s := read(t, mixed)
	for gate, passes := range map[string]bool{"passed >= 5%": true, "passed >= .3": false, "passed <= 1": true, "overanswered <= 0": true, "passed not worse": true} {
		r := run(t, s, func(r *measure.Run) { r.Gates = []string{gate} })
		require.Equal(t, passes, r.Passed(), "%s: %v", gate, r.Gates)
	}
	require.Contains(t, run(t, s, func(r *measure.Run) { r.Gates = []string{"passed >= .3"} }).Gates[0].Why, "with this many cases it may be beyond the limit")
	for gate, says := range map[string]string{"passed > 1": "is none; write like", "speed >= 1": "is about no figure; figures are passed"} {
		_, err := measure.Run{Suite: s, Gates: []string{gate}}.Do(t.Context())
		require.ErrorContains(t, err, says)
	}
	require.False(t, run(t, read(t, "- {ask: wrong, answer: a}\n"), nil).Passed(), "without gates all cases must pass")
	must := run(t, read(t, "- {ask: wrong, answer: a, must: true}\n- {ask: right, answer: a}\n"), func(r *measure.Run) { r.Gates = []string{"coverage >= 0"} })
	require.False(t, must.Passed())
	require.Contains(t, must.Gates[1].Why, "failed: wrong")
}

// many are cases of which the second half may be answered otherwise.
func many(t *testing.T) suite.Suite {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "- {id: c%d, ask: %s, answer: a}\n", i, []string{"right", "menu"}[i/30])
	}
	return read(t, b.String())
}

func TestCompare(t *testing.T) {
	s := many(t)
	before := run(t, s, nil)
	better := replies()
	better["menu"] = answer("a", .95)
	now := run(t, s, func(r *measure.Run) {
		r.Against, r.Subject = before, fake{replies: better, asked: &atomic.Int64{}}
	})
	c := now.Against
	require.Equal(t, []int{60, 0, 30, 0, 0}, []int{c.Cases, c.Unpaired, len(c.Fixed), len(c.Broken), len(c.Changed)})
	require.Equal(t, measure.Change{ID: "c30", Question: "menu", Before: "a menu with b, a", After: "the answer a", Expected: "a"}, c.Fixed[0])
	verdicts := map[string]string{}
	for _, f := range c.Figures {
		verdicts[f.Name] = f.Verdict
	}
	require.Equal(t, "better", verdicts["passed"])
	require.Equal(t, "better", verdicts["AURC"], "less is better")
	require.Equal(t, "no evidence", verdicts["wrong"])
	require.True(t, now.Passed())
	worse := run(t, s, func(r *measure.Run) { r.Against = now })
	require.False(t, worse.Passed())
	require.Contains(t, worse.Against.Worse(), "passed")
	require.Len(t, worse.Against.Broken, 30)
}

// The report does not depend on the number of workers or on interruptions, and what was asked is not asked again.
func TestInterruptedRunGoesOn(t *testing.T) {
	s := read(t, mixed+"- {id: broken, ask: break, answer: a}\n")
	path := filepath.Join(t.TempDir(), "report.json.partial")
	journal := measure.NewFileJournal(path)
	whole := run(t, s, func(r *measure.Run) { r.Workers = 2 })
	asked := &atomic.Int64{}
	failing := measure.Run{Suite: s, Workers: 1, Journal: journal, Subject: fake{replies: replies(), asked: asked, failing: true},
		Entries: []knowledge.Entry{{ID: "a", Question: "A?", Topic: "money"}, {ID: "b", Question: "B?"}, {ID: "c", Question: "C?", Variants: []string{"b"}}}}
	_, err := failing.Do(t.Context())
	require.ErrorContains(t, err, `case "broken": no answer today`)
	require.Contains(t, journal.Kept(), "7 finished cases are kept in "+path)

	torn, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = torn.WriteString(`{"row":{"id":"bro`) // a process was killed while it wrote
	require.NoError(t, err)
	require.NoError(t, torn.Close())
	before := asked.Load()
	failing.Subject = fake{replies: replies(), asked: asked}
	r, err := failing.Do(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(1), asked.Load()-before)
	require.Equal(t, canonical(t, whole), canonical(t, r))
	require.NoError(t, journal.Remove())
	require.NoFileExists(t, path)

	require.NoError(t, os.WriteFile(path, []byte("\"another run\"\n{}\n"), 0o600))
	before = asked.Load()
	_, err = failing.Do(t.Context())
	require.NoError(t, err)
	require.Greater(t, asked.Load()-before, int64(8), "another run's cases are no use")
}

// canonical is a report without its timings.
func canonical(t *testing.T, r *measure.Report) string {
	t.Helper()
	untimed := *r
	untimed.Timings = measure.Timings{}
	var b bytes.Buffer
	require.NoError(t, report.JSON(&b, &untimed))
	var again measure.Report
	require.NoError(t, json.Unmarshal(b.Bytes(), &again))
	require.Len(t, again.Cases, len(r.Cases))
	return b.String()
}
