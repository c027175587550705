package faqfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"faqbot/knowledge"
)

// brief prints rows and problems on a line each.
func brief(rows []knowledge.Row, problems []knowledge.Problem) (list []string) {
	for _, r := range rows {
		list = append(list, fmt.Sprintf("%s: %s: %s", r.Key, r.Question, r.Answer))
	}
	for _, p := range problems {
		list = append(list, fmt.Sprintf("! row %d %s: %.24s", p.Row, p.Field, p.Text))
	}
	return list
}

func TestMend(t *testing.T) {
	t.Parallel()
	const csv = "id,question,answer,to\na,One?,1,\nb,Two?,,\nb2,,2,\nc,Three?,3,someday\na,Four?,4,\nd,Five?,5,x,y,z\n"
	rows, problems := Parse("faq.csv", []byte(csv), Options{})
	assert.Equal(t, []string{"a: One?: 1", "! row 2 answer: The answer is missing. W", "! row 3 question: The question is missing.",
		`! row 4 to: "someday" is not a date `, `! row 5 id: The id "a" is on line 2 `, "! row 6 : The row has 6 cells, but"}, brief(rows, problems))
	assert.Equal(t, map[string]string{"id": "c", "question": "Three?", "answer": "3", "to": "someday"}, problems[2].Given)
	for _, p := range problems {
		assert.True(t, p.Lost)
	}
	o := Options{Reading: knowledge.Reading{Mends: []knowledge.Fix{
		{Row: 2, Field: "answer", Value: "wrong"}, {Row: 2, Field: "answer", Value: "2"}, {Row: 3, Drop: true}, {Row: 4, Field: "to", Value: "2026-03-31"},
		{Row: 5, Field: "id", Value: "a4"}, {Row: 6, Field: "answer", Value: "five"}, {Row: 6, Field: "to"}, {Row: 99, Field: "answer", Value: "?"}, {Row: 1, Field: "no such", Value: "?"},
	}}}
	rows, problems = Parse("faq.csv", []byte(csv), o)
	assert.Equal(t, []string{"a: One?: 1", "b: Two?: 2", "c: Three?: 3", "a4: Four?: 4", "d: Five?: five"}, brief(rows, problems))

	// Rows of one line, and ones that cannot be read at all.
	const json = `[{"id":"a","question":"One?","answer":"1"},{"id":"b","question":"Two?"},{"id":"c" "question":"Three?"}]`
	rows, problems = Parse("faq.json", []byte(json), Options{Reading: knowledge.Reading{Mends: []knowledge.Fix{
		{Row: 2, Field: "answer", Value: "2"}, {Row: 3, Field: "question", Value: "Three?"}, {Row: 3, Field: "answer", Value: "3"}}}})
	require.Empty(t, problems)
	assert.Len(t, rows, 3)
}

func TestLookAndColumns(t *testing.T) {
	t.Parallel()
	book := excelize.NewFile()
	require.NoError(t, book.SetSheetRow("Sheet1", "A1", &[]any{"Our questions"}))
	require.NoError(t, book.SetSheetRow("Sheet1", "A3", &[]any{"Nr", "Was Kunden wissen wollen", "Was wir sagen", ""}))
	require.NoError(t, book.SetSheetRow("Sheet1", "A4", &[]any{1, "Eins?", "1", "x"}))
	workbook, err := book.WriteToBuffer()
	require.NoError(t, err)
	for _, test := range []struct {
		name, data     string
		keys           string
		headless, none bool
		columns        map[string]string
		want           string
	}{
		{name: "a.csv", data: "Kunde fragt;Wir sagen;Gruppe\nEins?;1;x\n", keys: "Kunde fragt|Wir sagen|Gruppe",
			columns: map[string]string{"Kunde fragt": "question", "Wir sagen": "answer", "Gruppe": "topic"}, want: "Eins?: 1"},
		{name: "a.csv", data: "x,,x\nEins?,1,\n", keys: "x|#2|#3", columns: map[string]string{"x": "question", "#2": "answer"}, want: "Eins?: 1"},
		{name: "a.csv", data: "1,Eins?,eins,x\n2,Zwei?,zwei,y\n", keys: "#1|#2|#3|#4", headless: true,
			columns: map[string]string{"#1": "id", "#2": "question", "#3": "answer"}, want: "2: Zwei?: zwei"},
		{name: "a.xlsx", data: workbook.String(), keys: "Nr|Was Kunden wissen wollen|Was wir sagen|#4",
			columns: map[string]string{"Was Kunden wissen wollen": "question", "Was wir sagen": "answer"}, want: "Eins?: 1"},
		{name: "a.json", data: `{"list":[{"was":"Eins?","dann":"1"},{"was":"Zwei?","dann":"2","extra":3}]}`, keys: "was|dann|extra",
			columns: map[string]string{"was": "question", "dann": "answer"}, want: "Zwei?: 2"},
		{name: "a.csv", data: "question,answer\nOne?,1\n", keys: "question|answer", columns: map[string]string{"question": "answer", "answer": "question"}, want: "1: One?"},
		{name: "a.md", data: "# One?\n1\n", none: true},
		{name: "a.txt", data: "Dear all,", none: true},
		{name: "a.pdf", data: "%PDF-1.4", none: true},
		{name: "a.xlsx", data: "PK\x03\x04junk", none: true},
	} {
		table, ok := Look(test.name, []byte(test.data), Options{})
		require.Equal(t, !test.none, ok, test.data)
		if test.none {
			continue
		}
		var keys []string
		for _, c := range table.Columns {
			keys = append(keys, c.Key)
			assert.LessOrEqual(t, len(c.Samples), samples)
		}
		assert.Equal(t, test.keys, strings.Join(keys, "|"))
		assert.Equal(t, test.headless, table.Headless)
		rows, problems := Parse(test.name, []byte(test.data), Options{Reading: knowledge.Reading{Columns: test.columns, Headless: test.headless}})
		assert.Contains(t, strings.Join(brief(rows, problems), "\n"), test.want)
		again, ok := Look(test.name, []byte(test.data), Options{Reading: knowledge.Reading{Columns: test.columns}})
		assert.True(t, ok)
		for _, c := range again.Columns {
			assert.Equal(t, test.columns[c.Key], c.Field)
		}
	}
}

// Where no name is known, likely columns are offered, and none that is called internal.
func TestLookOffersLikelyColumns(t *testing.T) {
	t.Parallel()
	table, ok := Look("a.csv", []byte("Nr,Kunde,Wir,Interne Notiz\n1,Wie viel?,Fünf Euro.,"+strings.Repeat("nicht sagen ", 9)+"\n2,Wann?,Morgen früh um acht.,x\n"), Options{})
	require.True(t, ok)
	var fields []string
	for _, c := range table.Columns {
		fields = append(fields, c.Field)
	}
	assert.Equal(t, []string{"id", "question", "answer", ""}, fields)
}

// What is written is read back as it was, also what a spreadsheet might run.
func TestWriteAndReadBack(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC)
	var many []string
	for i := range 900 {
		many = append(many, fmt.Sprintf("%d %s \"?\"", i, strings.Repeat("wie", 40)))
	}
	var entries []knowledge.Entry
	for i, s := range []string{"=1+1", "+1", "-1", "@x", "'=1", "''-x", "'plain'", "'", "＝1", "a,b;\"c\"|d\te", "<b>&amp;</b>", "- one\n- two\n\nthree", "[\"a\"]", "ünï 日本 🎉", "|cmd"} {
		e := knowledge.Entry{Key: "k" + oneLine(s), Question: fmt.Sprintf("%s %d?", oneLine(s), i), Answer: s, Topic: oneLine(s), Variants: []string{"v" + oneLine(s), "a;b|c", "=x"}}
		entries = append(entries, e)
	}
	entries = append(entries, knowledge.Entry{Key: "-key", Question: "Many?", Answer: "yes", Variants: many, Locale: "pt-BR", From: noon, To: noon.AddDate(1, 0, 0)},
		knowledge.Entry{Key: "-key", Question: "Many?", Answer: "yes", Locale: "en"})
	for _, format := range Formats() {
		name, write := "faq"+format.Extension, format.Write
		for n := range len(entries) + 1 {
			some := entries[len(entries)-n:]
			if n == 0 {
				continue
			}
			data, err := write(some)
			require.NoError(t, err)
			rows, problems := Parse(name, data, Options{})
			require.Empty(t, problems, name)
			require.Len(t, rows, n)
			for i, r := range rows {
				require.Equal(t, fmt.Sprintf("%.600s", fmt.Sprint(some[i])), fmt.Sprintf("%.600s", fmt.Sprint(r.Entry)), name)
				require.Equal(t, len(some[i].Variants), len(r.Variants), name)
				require.True(t, slices.Equal(some[i].Variants, r.Variants), name)
			}
		}
	}
	data, err := CSV(entries)
	require.NoError(t, err)
	c := newCSV(strings.TrimPrefix(string(data), "\ufeff"), ',')
	for _, r := range c.records(1000) {
		for _, cell := range r.cells {
			assert.False(t, cell != "" && strings.ContainsAny(cell[:1], "=+-@"), cell)
		}
	}
	// An apostrophe in anybody else's file is one.
	rows, _ := Parse("x.csv", []byte("question,answer\nWhat?,'-5%' is a code\n"), Options{})
	assert.Equal(t, "'-5%' is a code", rows[0].Answer)
}
