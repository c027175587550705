package suite_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"faqbot/eval/suite"
)

// Suites with one planted error each. The error names the file and the line, and says what to do.
func TestBrokenSuites(t *testing.T) {
	for _, c := range []struct {
		file, text string
		line       int
		says       string
	}{
		{"a.yaml", "", 1, "a suite is {faq: FILE"},
		{"a.yaml", "cases:\n  - ask: x\n   answer: y\n", 3, "this is not YAML"},
		{"a.yaml", "cases:\n  - {ask: x, anser: y}\n", 2, `did you mean "answer"?`},
		{"a.yaml", "cases:\n  - ask: x\n    answer: y\n    colour: blue\n", 4, `called "note"`},
		{"a.yaml", "cases:\n  - answer: y\n", 2, `the question is missing; write it as "ask"`},
		{"a.yaml", "cases:\n  - ask: x\n", 2, "write answer, clarify, none, handoff, smalltalk or silence"},
		{"a.yaml", "cases:\n  - {ask: x, answer: y, none: true}\n", 2, "keep one"},
		{"a.yaml", "cases:\n  - {ask: x, answer: []}\n", 2, `write "none: true"`},
		{"a.yaml", "cases:\n  - {ask: x, answer: y, text: z}\n", 2, "given twice, or under two names; keep one"},
		{"a.yaml", "cases:\n  - {id: 1, ask: x, answer: y}\n  - {id: 1, ask: z, answer: y}\n", 3, "on line 2 already; give each case an id of its own"},
		{"a.yaml", "cases:\n  - {ask: x, handoff: bored}\n", 2, "asked_person, urgent"},
		{"a.yaml", "cases:\n  - {ask: x, none: maybe}\n", 2, `"none" is true or false`},
		{"a.yaml", "cases:\n  - {ask: x, answer: y, weight: 0}\n", 2, "from 1 to 1000"},
		{"a.yaml", "cases:\n  - {ask: x, answer: y, reply: {has: z}}\n", 2, "there are contains, not_contains, matches, not_matches"},
		{"a.yaml", "cases:\n  - {ask: x, answer: y, reply: {matches: '('}}\n", 2, "no regular expression"},
		{"a.yaml", "cases:\n  - ask: x\n    turns: [{ask: y}]\n    answer: z\n", 2, "move the question into turns"},
		{"a.yaml", "cases:\n  - turns:\n      - {ask: x, tap: y}\n    answer: z\n", 3, `a turn has either "ask"`},
		{"a.yaml", "cases:\n  - turns:\n      - {ask: x, weight: 2}\n    answer: z\n", 3, "it has ask or tap"},
		{"a.yaml", "cases:\n  - turns: []\n    answer: z\n", 2, "with at least one"},
		{"a.yaml", "case:\n  - {ask: x, answer: y}\n", 1, "it has name, faq, gates and cases"},
		{"a.yaml", "cases: {ask: x}\n", 1, `each case after "- "`},
		{"a.yaml", "cases:\n  - just words\n", 2, "a case is fields like"},
		{"a.yaml", "cases:\n  - ask: [x, y]\n    answer: z\n", 2, `"ask" is one text, not a list`},
		{"a.yaml", "cases: []\n", 0, "it has no cases"},
		{"a.jsonl", `{"ask":"x","answer":"y"}` + "\n" + `{"ask":"x"` + "\n", 2, "this is not JSON"},
		{"a.jsonl", `{"ask":"x","answer":"y"} {"ask":"z"}`, 1, "one JSON object a line"},
		{"a.jsonl", `{"ask":"x","answer":"y","tags":["a",""]}`, 1, "remove it or fill it in"},
		{"a.jsonl", "\n" + `["x"]`, 2, "a case is fields like"},
		{"queries.jsonl", `{"id":"1","text":"x","relevant":["a"],"rewrite":"any"}` + "\n" + `{"id":"2","relevant":[]}`, 2, "the question is missing"},
		{"a.csv", "question,answr\nx,y\n", 1, `did you mean "answer"?`},
		{"a.csv", "words,answer\nx,y\n", 1, `no column is called "question"`},
		{"a.csv", "question,answer\nx,y\nz,\n", 3, "it is not said what is expected"},
		{"a.csv", "question,answer\nx,y,z\n", 2, "beyond the columns"},
		{"a.csv", "question,answer\nx,\"y\nz,a\n", 2, "write each quote in it twice"},
		{"a.csv", "question,text,answer\nx,y,z\n", 1, "there twice, or under two names"},
		{"a.csv", "question,none\nx,perhaps\n", 2, `"none" is true or false`},
		{"a.csv", "question,answer\nx,y\n\xff\xfe,y\n", 3, "save the file as UTF-8"},
		{"a.tsv", "question\tanswer\nx\ty\nx\ty\n", 3, "on line 2 already"},
		{"a.qrels", "1 0 a 1\n1 0 a\n", 2, "four words"},
		{"a.xlsx", "no workbook", 0, "save it as XLSX, or as CSV"},
		{"book.xlsx", "frage,answer\nx,y\n", 1, `no sheet has a column "question"`},
		{"book.xlsx", "question,answer,weight\nx,y,2\nz,y,many\n", 3, "from 1 to 1000"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, c.file)
		data := []byte(c.text)
		if c.file == "book.xlsx" {
			data = book(t, c.text)
		}
		require.NoError(t, os.WriteFile(path, data, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.topics.tsv"), []byte("1\tx\n"), 0o600))
		_, err := suite.Read(path)
		problems, ok := errors.AsType[suite.Problems](err)
		require.True(t, ok, "%s %q: %v", c.file, c.text, err)
		require.Equal(t, path, problems[0].File)
		require.Equal(t, c.line, problems[0].Line, "%s %q: %s", c.file, c.text, problems[0].Text)
		require.Contains(t, err.Error(), c.says, "%s %q", c.file, c.text)
	}
}

// Several errors are told at once.
func TestAllErrorsAreTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	require.NoError(t, os.WriteFile(path, []byte("cases:\n  - {ask: x, anser: y}\n  - {ask: y}\n  - {ask: z, none: 7}\n"), 0o600))
	_, err := suite.Read(path)
	for _, line := range []string{"line 2", "line 3", "line 4"} {
		require.ErrorContains(t, err, line)
	}
}

// book is a workbook with rows of comma-separated text.
func book(t *testing.T, text string) []byte {
	t.Helper()
	f := excelize.NewFile()
	for i, row := range strings.Split(strings.TrimSpace(text), "\n") {
		for k, words := range strings.Split(row, ",") {
			name, err := excelize.CoordinatesToCellName(k+1, i+1)
			require.NoError(t, err)
			require.NoError(t, f.SetCellValue("Sheet1", name, words))
		}
	}
	var b bytes.Buffer
	require.NoError(t, f.Write(&b))
	return b.Bytes()
}
