package faqfile

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"faqbot/knowledge"
)

// A wanted is what a file of testdata/kinds must be read as.
type wanted struct {
	File    string
	Count   int
	Has     []struct{ Question, Answer, Topic, Locale, ID string }
	Nowhere []string // in no question and no answer
	Told    []string // some problem speaks of it
}

// Files as people have them are read as they mean them, or refused.
func TestKinds(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/kinds/want.json")
	require.NoError(t, err)
	var list []wanted
	require.NoError(t, json.Unmarshal(data, &list))
	for _, w := range list {
		t.Run(w.File, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile("testdata/kinds/" + w.File)
			require.NoError(t, err)
			rows, problems := Parse(w.File, data, Options{})
			checkSound(t, rows, problems)
			w.check(t, rows, problems)
		})
	}
}

func (w wanted) check(t *testing.T, rows []knowledge.Row, problems []knowledge.Problem) {
	t.Helper()
	said := show(rows, problems)
	assert.Len(t, rows, w.Count, said)
	for _, has := range w.Has {
		found := false
		for _, r := range rows {
			found = found || r.Question == has.Question && strings.Contains(r.Answer, has.Answer) && (has.Topic == "" || r.Topic == has.Topic) &&
				(has.Locale == "" || r.Locale == has.Locale) && (has.ID == "" || r.Key == has.ID)
		}
		assert.True(t, found, "%v in\n%s", has, said)
	}
	var text, told strings.Builder
	for _, r := range rows {
		text.WriteString(r.Question + "\n" + r.Answer + "\n")
	}
	for _, p := range problems {
		told.WriteString(p.Text + "\n")
	}
	for _, s := range w.Nowhere {
		assert.NotContains(t, text.String(), s)
	}
	for _, s := range w.Told {
		assert.Contains(t, told.String(), s)
	}
}

// All sheets of a workbook are read, with names as topics or languages; what is hidden stays out; merged cells
// and links say what they show.
func TestWorkbookOfManySheets(t *testing.T) {
	t.Parallel()
	data := workbook(t, func(f *excelize.File) {
		put := func(sheet string, rows ...[]any) {
			_, err := f.NewSheet(sheet)
			require.NoError(t, err)
			for i, row := range rows {
				require.NoError(t, f.SetSheetRow(sheet, fmt.Sprintf("A%d", i+1), &row))
			}
		}
		put("Orders", []any{"Our orders"}, []any{}, []any{"No.", "Question", "Answer"}, []any{1, "Can I order by phone?", "Yes."}, []any{2, "Is there a minimum?", 10}, []any{3, "Is this secret?", "Very."})
		require.NoError(t, f.SetRowVisible("Orders", 6, false))
		put("Deutsch", []any{"Frage", "Antwort"}, []any{"Ist es warm?", "Ja."})
		put("Returns", []any{"Topic", "Question", "Answer"}, []any{"Post", "Can I send it?", "Yes"}, []any{nil, "Is it free?", "No."}, []any{"Shop", "Can I bring it?"})
		require.NoError(t, f.MergeCell("Returns", "A2", "A3"))
		require.NoError(t, f.SetCellHyperLink("Returns", "C2", "https://post.example/", "External"))
		require.NoError(t, f.SetCellFormula("Returns", "C4", `HYPERLINK("https://form.example/","The form")`))
		put("Old", []any{"Question", "Answer"}, []any{"Is it old?", "Yes."})
		require.NoError(t, f.SetSheetVisible("Old", false))
		put("Notes", []any{"call Bob"})
	})
	rows, problems := Parse("faq.xlsx", data, Options{})
	checkSound(t, rows, problems)
	var got []string
	for _, r := range rows {
		got = append(got, strings.Join([]string{r.Question, r.Answer, r.Topic, r.Locale}, "|"))
	}
	require.Equal(t, []string{"Can I order by phone?|Yes.|Orders|", "Is there a minimum?|10|Orders|", "Ist es warm?|Ja.||de",
		"Can I send it?|Yes (https://post.example/)|Post|", "Is it free?|No.|Post|", "Can I bring it?|The form (https://form.example/)|Shop|"}, got)
	told := show(nil, problems)
	assert.Contains(t, told, "1 hidden rows were left out")
	assert.Contains(t, told, "Old, Notes")
}

// Text documents are read by headings, bold lines and tables; deleted and hidden text is in none.
func TestDocument(t *testing.T) {
	t.Parallel()
	p := func(style, run, text string) string {
		return `<w:p><w:pPr>` + style + `</w:pPr><w:r><w:rPr>` + run + `</w:rPr><w:t xml:space="preserve">` + text + `</w:t></w:r></w:p>`
	}
	cell := func(text string) string { return `<w:tc>` + p("", "", text) + `</w:tc>` }
	for _, test := range []struct{ body, want string }{
		{p(`<w:pStyle w:val="Ueberschrift1"/>`, "", "Start") + p("", "<w:b/>", "1. How do I begin?") + p("", "", "Press &lt;Go&gt;.") + p(`<w:numPr/>`, "", "A minute") + p("", `<w:b w:val="0"/>`, "Really?") +
			`<w:del><w:r><w:t>No.</w:t></w:r></w:del>` + p("", "<w:vanish/>", "Never.") + p("", "<w:b/>", "What then?") + p("", "", "Wait."),
			"How do I begin?|Press <Go>.\n\n- A minute\nReally?|Start\nWhat then?|Wait.|Start"},
		{p("", "", "Q: Is it on?") + p("", "", "A: Yes.") + p("", "", "Q: Is it off?") + p("", "", "A: No."), "Is it on?|Yes.|\nIs it off?|No.|"},
		{p("", "", "Where do we meet?") + p("", "", "At the gate.") + p("", "", "When do we eat?") + p("", "", "At noon."), "Where do we meet?|At the gate.|\nWhen do we eat?|At noon.|"},
		{`<w:tbl><w:tr>` + cell("Frage") + cell("Antwort") + `</w:tr><w:tr>` + cell("Ist es neu?") + cell("Ja.") + `</w:tr></w:tbl>`, "Ist es neu?|Ja.|"},
		{p("", "<w:b/>", "Where is the form?") + `<w:p><w:hyperlink r:id="rId4"><w:r><w:t>Here</w:t></w:r></w:hyperlink><w:r><w:t>, and </w:t></w:r><w:hyperlink w:anchor="below"><w:r><w:t>below</w:t></w:r></w:hyperlink><w:r><w:t>.</w:t></w:r></w:p>`,
			"Where is the form?|Here (https://example.com/form), and below.|"},
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, text := range map[string]string{"word/document.xml": `<w:document><w:body>` + test.body + `</w:body></w:document>`,
			"word/styles.xml":  `<w:styles><w:style w:styleId="Ueberschrift1"><w:name w:val="heading 1"/></w:style></w:styles>`,
			"word/footer1.xml": `<w:ftr>` + p("", "", "Is this confidential?") + `</w:ftr>`,
			"word/_rels/document.xml.rels": `<Relationships><Relationship Id="rId4" Type="t/hyperlink" Target="https://example.com/form" TargetMode="External"/>
				<Relationship Id="rId5" Type="t/hyperlink" Target="https://example.com/other" TargetMode="External"/></Relationships>`,
			"word/comments.xml": ""} {
			w, err := z.Create(name)
			require.NoError(t, err)
			_, err = w.Write([]byte(text))
			require.NoError(t, err)
		}
		require.NoError(t, z.Close())
		rows, problems := Parse("faq.docx", b.Bytes(), Options{})
		checkSound(t, rows, problems)
		var got []string
		for _, r := range rows {
			got = append(got, strings.Join([]string{r.Question, r.Answer, r.Topic}, "|"))
		}
		assert.Equal(t, test.want, strings.Join(got, "\n"), show(nil, problems))
	}
}

// Whatever characters entries have, what is written is read back as it was.
func TestRoundTripOfAnything(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) // the same each time
	letters := []rune("aé漢ا🎉<>&*_`#[]()|\\\"',;:=+-@\n\t \u00a0%{}!?.n1\u0085\ufeff\u2028\u00ad\u200d💶־ﷺ")
	text := func() string {
		b := make([]rune, 1+random.IntN(30))
		for i := range b {
			b[i] = letters[random.IntN(len(letters))]
		}
		return string(b)
	}
	for range 300 {
		var entries []knowledge.Entry
		for i := range 1 + random.IntN(4) {
			e := knowledge.Entry{Key: fmt.Sprintf("k%d", i), Question: oneLine(fmt.Sprintf("q%d %s", i, text())), Answer: paragraphs("a" + text()), Topic: oneLine(text()), Variants: []string{oneLine("v " + text())},
				FollowUps: []string{oneLine("f " + text()), oneLine("g " + text())}[:1+random.IntN(2)], Slug: knowledge.Slugify("s" + text())}
			entries = append(entries, e)
		}
		for _, format := range Formats() {
			name, write := "faq"+format.Extension, format.Write
			data, err := write(entries)
			require.NoError(t, err)
			rows, problems := Parse(name, data, Options{})
			require.Empty(t, problems, "%s", data)
			require.Len(t, rows, len(entries), "%s", data)
			for i, r := range rows {
				require.Equal(t, fmt.Sprintf("%q %q %s", entries[i].Wordings(), entries[i].FollowUps, entries[i].Slug)+entries[i].Answer+entries[i].Topic, fmt.Sprintf("%q %q %s", r.Wordings(), r.FollowUps, r.Slug)+r.Answer+r.Topic, "%s", data)
			}
		}
		for _, e := range entries {
			data, err := EntryFile(e)
			require.NoError(t, err)
			require.True(t, IsEntryFile(data))
			rows, problems := Parse(e.Key+".md", data, Options{})
			require.Empty(t, problems, "%s", data)
			require.Len(t, rows, 1, "%s", data)
			require.Equal(t, e.Key+fmt.Sprintf("%q %q %s", e.Wordings(), e.FollowUps, e.Slug)+e.Answer+e.Topic, rows[0].Key+fmt.Sprintf("%q %q %s", rows[0].Wordings(), rows[0].FollowUps, rows[0].Slug)+rows[0].Answer+rows[0].Topic, "%s", data)
		}
	}
}
