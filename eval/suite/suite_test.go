package suite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/eval/suite"
	"faqbot/knowledge"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const flat = `faq: faq.csv
gates: [passed >= 90%]
cases:
  - {id: "007", ask: "how do I pay?", answer: pay, tags: [money], lang: en, weight: 3, must: true}
  - {ask: "and later; by card?", context: ["how do I pay?"], answer: [pay, card], reword: [can I use a card], group: g}
  - {ask: which card, clarify: [visa, amex], answer: visa, kind: near tie}
  - {ask: who won the cup, none: true, reply: {not_contains: pay}}
  - {ask: a human please, handoff: asked_person}
  - {ask: help, handoff: true}
  - {ask: thanks, smalltalk: true}
  - {ask: stop, silence: true}
`

func TestYAML(t *testing.T) {
	dir := t.TempDir()
	s, err := suite.Read(write(t, filepath.Join(dir, "shop.yaml"), flat))
	require.NoError(t, err)
	require.Equal(t, "shop", s.Name)
	require.Equal(t, filepath.Join(dir, "faq.csv"), s.FAQ)
	require.Equal(t, []string{"passed >= 90%"}, s.Gates)
	first, second := s.Cases[0], s.Cases[1]
	require.Equal(t, "007", first.ID)
	require.Equal(t, []any{3, true, "en", []string{"money"}, 4}, []any{first.Weight, first.Must, first.Lang, first.Tags, first.Line})
	require.Equal(t, "and later; by card?", second.ID, "a case without an id is called by its question")
	require.Equal(t, []knowledge.EntryID{"pay", "card"}, second.Relevant())
	require.Equal(t, []knowledge.EntryID{"visa", "amex"}, s.Cases[2].Relevant())
	require.False(t, s.Cases[3].NoSearch())
	require.True(t, s.Cases[4].NoSearch())
	require.Equal(t, suite.AnyReason, s.Cases[5].Last().Expect.Handoff)

	s, err = suite.Read(write(t, filepath.Join(dir, "talk.yaml"), "- turns:\n    - do you ship to France?\n    - {tap: none, smalltalk: true}\n    - and to Spain?\n  answer: ship\n"))
	require.NoError(t, err)
	require.Len(t, s.Cases[0].Turns, 3)
	require.Equal(t, "do you ship to France?", s.Cases[0].Turns[0].Say)
	require.True(t, s.Cases[0].Turns[1].Expect.SmallTalk)
	require.Equal(t, []knowledge.EntryID{"ship"}, s.Cases[0].Relevant(), "what the case expects is about its last turn")
}

// What one format writes, every other reads the same.
func TestFormatsHoldTheSame(t *testing.T) {
	dir := t.TempDir()
	s, err := suite.Read(write(t, filepath.Join(dir, "shop.yaml"), flat))
	require.NoError(t, err)
	for _, ext := range suite.Extensions() {
		path := filepath.Join(dir, "again"+ext)
		if ext == ".qrels" { // has no place for what is not about answers
			require.ErrorContains(t, suite.Write(path, s), "TREC qrels cannot hold")
			continue
		}
		require.NoError(t, suite.Write(path, s), ext)
		again, err := suite.Read(path)
		require.NoError(t, err, ext)
		require.Equal(t, s.Digest(), again.Digest(), ext)
	}
	answers := s
	answers.Cases = []suite.Case{s.Cases[0], s.Cases[3]}
	path := filepath.Join(dir, "some.qrels")
	require.NoError(t, suite.Write(path, answers))
	again, err := suite.Read(path)
	require.NoError(t, err)
	require.Equal(t, []knowledge.EntryID{"pay"}, again.Cases[0].Relevant())
	require.True(t, again.Cases[1].Last().Expect.None)

	talk, err := suite.Read(write(t, filepath.Join(dir, "talk.yaml"), "- turns: [a, {tap: x}]\n  answer: b\n"))
	require.NoError(t, err)
	require.ErrorContains(t, suite.Write(filepath.Join(dir, "talk.csv"), talk), "which a table cannot hold; write YAML or JSON Lines")
	require.NoError(t, suite.Write(filepath.Join(dir, "talk.jsonl"), talk))
}

// What staff make in spreadsheets: separators of their country, cells with several entries, notes, empty rows.
func TestTables(t *testing.T) {
	s, err := suite.Read(write(t, filepath.Join(t.TempDir(), "a.csv"), "\xEF\xBB\xBFQuestion;Expected answer ID;Out of scope;Small talk;Notes\n\"wie; zahle ich\";pay;;;ask Ann\n;;;;\nMond;;x;no;\n"))
	require.NoError(t, err)
	require.Len(t, s.Cases, 2)
	require.Equal(t, "wie; zahle ich", s.Cases[0].Last().Say)
	require.Equal(t, []int{2, 4}, []int{s.Cases[0].Line, s.Cases[1].Line})
	require.True(t, s.Cases[1].Last().Expect.None)
}

// A set's own rows: other tools' fields are no matter, [] is out of scope, a string is letters.
func TestSet(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "faq.csv"), "id,question\na,b\n")
	write(t, filepath.Join(dir, "queries.jsonl"), `{"id":"1","text":"x","relevant":["a"],"rewrite":"y","tags":"BK","dialog":"d","lang":"en"}`+"\n"+`{"id":"2","text":"z","relevant":[],"kind":"ood-oos"}`)
	s, err := suite.Read(dir)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "faq.csv"), s.FAQ)
	require.Equal(t, filepath.Base(dir), s.Name)
	require.Equal(t, []string{"B", "K"}, s.Cases[0].Tags)
	require.Equal(t, "d", s.Cases[0].Group)
	require.True(t, s.Cases[1].Last().Expect.None)
	require.Equal(t, "ood-oos", s.Cases[1].Kind)
}

func TestCheck(t *testing.T) {
	s, err := suite.Read(write(t, filepath.Join(t.TempDir(), "a.yaml"), "- {ask: how can I pay, answer: pya}\n- {id: b, ask: How do I pay, answer: pay}\n- {id: c, ask: \"how can I pay?\", none: true}\n"))
	require.NoError(t, err)
	var told []string
	for _, p := range s.Check("a.yaml", []knowledge.Entry{{ID: "pay", Question: "How do I pay?"}, {ID: "ship", Question: "Do you ship?"}}) {
		told = append(told, p.String())
	}
	require.Equal(t, []string{
		`a.yaml, line 1: the FAQ has no entry "pya"; did you mean "pay"?`,
		`a.yaml, line 2: its question is a wording of the entry "pay", so it shows only that the entry can be found; use a customer's words`,
		`a.yaml, line 3: it asks the same as the case on line 1 and expects something else`,
		`a.yaml: no case expects the entry "ship"`,
	}, told)
}
