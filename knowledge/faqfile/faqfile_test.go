package faqfile

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"

	"faqbot/knowledge"
	"faqbot/knowledge/limits"
	"faqbot/knowledge/plaintext"
)

var update = flag.Bool("update", false, "rewrite the .want files")

// show prints what Parse returned for a person to read.
func show(rows []knowledge.Row, problems []knowledge.Problem) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "line %d: %s\n", r.Line, r.Key)
		field := func(name, value string) {
			if value != "" {
				fmt.Fprintf(&b, "  %s: %s\n", name, strings.ReplaceAll(value, "\n", "\n    "))
			}
		}
		field("question", r.Question)
		for _, v := range r.Variants {
			field("variant", v)
		}
		field("answer", r.Answer)
		for _, m := range r.Media {
			field(m.Kind, m.Mark())
		}
		field("topic", r.Topic)
		field("locale", r.Locale)
		if !r.From.IsZero() {
			field("from", r.From.Format(time.RFC3339))
		}
		if !r.To.IsZero() {
			field("to", r.To.Format(time.RFC3339))
		}
		b.WriteString("\n")
	}
	for _, p := range problems {
		kind := "problem"
		if p.Fatal {
			kind = "fatal problem"
		}
		fmt.Fprintf(&b, "%s, line %d, field %q, key %q\n  %s\n", kind, p.Line, p.Field, p.Key, p.Text)
	}
	return b.String()
}

func TestParseFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/uploads/*")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, ".want") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			rows, problems := Parse(filepath.Base(file), data, Options{})
			checkSound(t, rows, problems)
			got := show(rows, problems)
			if *update {
				require.NoError(t, os.WriteFile(file+".want", []byte(got), 0o644))
			}
			want, err := os.ReadFile(file + ".want")
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

// checkSound checks what Parse promises of any file.
func checkSound(t *testing.T, rows []knowledge.Row, problems []knowledge.Problem) {
	t.Helper()
	seen := map[[2]string]bool{}
	clean := func(s string) {
		assert.True(t, utf8.ValidString(s) && norm.NFC.IsNormalString(s), "%q", s)
		assert.False(t, strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }), "%q", s)
	}
	for _, r := range rows {
		assert.Positive(t, r.Line)
		assert.NotEmpty(t, r.Key)
		assert.NotEmpty(t, r.Question)
		assert.LessOrEqual(t, utf8.RuneCountInString(r.Question), limits.MaxQuestion)
		assert.LessOrEqual(t, utf8.RuneCountInString(r.Answer), limits.MaxAnswer)
		assert.LessOrEqual(t, utf8.RuneCountInString(r.Key), limits.MaxKey)
		assert.LessOrEqual(t, len(r.Wordings()), limits.MaxWordings)
		assert.False(t, seen[[2]string{r.Key, r.Locale}], "key %q twice", r.Key)
		seen[[2]string{r.Key, r.Locale}] = true
		for _, s := range append([]string{r.Key, r.Question, r.Answer, r.Topic, r.Locale}, r.Variants...) {
			clean(s)
		}
	}
	fatals := 0
	for _, p := range problems {
		assert.NotEmpty(t, p.Text)
		assert.Less(t, utf8.RuneCountInString(p.Text), 400, p.Text)
		clean(p.Text)
		clean(p.Key)
		if p.Fatal {
			fatals++
		}
	}
	assert.LessOrEqual(t, fatals, 1)
	assert.Equal(t, len(rows) == 0, fatals == 1, "no rows without a fatal problem, and none with one")
}

func TestTrial(t *testing.T) {
	t.Parallel()
	rows, problems := Parse("faq.csv", []byte("id,question,answer\na,One?,\nb,Two?,yes\nc,Three?,\n"), Options{Trial: true})
	require.Len(t, rows, 3)
	require.Equal(t, []knowledge.Problem{{Line: 2, Field: "answer", Key: "a",
		Text: "2 of 3 rows have no answer, the first on line 2. They can be tried out but not published."}}, problems)
	same := []byte("id,question,answer\na,One?,yes\nb,One?,no\na,One?,again\n")
	rows, _ = Parse("faq.csv", same, Options{Trial: true})
	require.Len(t, rows, 2, "two answers to one question can be tried out, one key stays one")
	rows, _ = Parse("faq.csv", same, Options{})
	require.Len(t, rows, 1)
	rows, problems = Parse("faq.csv", []byte("id,question\na,One?\n"), Options{Trial: true})
	require.Len(t, rows, 1)
	require.Len(t, problems, 1)
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	const text = "question,answer\nWo ist das Café – Zürich?,\"Dort, “links”\"\n"
	little := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	big := unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	encode := func(data []byte, err error) []byte {
		require.NoError(t, err)
		return data
	}
	for name, data := range map[string][]byte{
		"UTF-8":                 []byte(text),
		"UTF-8 with mark":       []byte("\ufeff" + text),
		"UTF-8 decomposed":      norm.NFD.Bytes([]byte(text)),
		"UTF-16 little":         encode(little.NewEncoder().Bytes([]byte(text))),
		"UTF-16 big":            encode(big.NewEncoder().Bytes([]byte(text))),
		"UTF-16 little, bare":   encode(little.NewEncoder().Bytes([]byte(text)))[2:],
		"UTF-16 big, bare":      encode(big.NewEncoder().Bytes([]byte(text)))[2:],
		"Windows-1252":          encode(charmap.Windows1252.NewEncoder().Bytes([]byte(text))),
		"carriage returns":      bytes.ReplaceAll([]byte(text), []byte("\n"), []byte("\r\n")),
		"lone carriage returns": bytes.ReplaceAll([]byte(text), []byte("\n"), []byte("\r")),
		"zeros":                 []byte(strings.Replace(text, "Caf", "\x00C\x07af", 1)),
	} {
		t.Run(name, func(t *testing.T) {
			rows, problems := Parse("faq.csv", data, Options{})
			require.Empty(t, problems)
			require.Len(t, rows, 1)
			require.Equal(t, "Wo ist das Café – Zürich?", rows[0].Question)
			require.Equal(t, "Dort, “links”", rows[0].Answer)
		})
	}
}

// A damaged byte must not turn the other letters to rubbish.
func TestDamagedUTF8(t *testing.T) {
	t.Parallel()
	rows, problems := Parse("faq.csv", []byte("question,answer\nCafé à Zürich?,Ja\xff\n"), Options{})
	require.Len(t, rows, 1)
	require.Equal(t, "Café à Zürich?", rows[0].Question)
	require.Equal(t, "Ja", rows[0].Answer)
	require.Len(t, problems, 1)
	require.Contains(t, problems[0].Text, "line 2")
}

func TestLimits(t *testing.T) {
	t.Parallel()
	_, problems := Parse("faq.csv", bytes.Repeat([]byte("x"), limits.MaxFile+1), Options{})
	require.True(t, problems[0].Fatal)
	require.Contains(t, problems[0].Text, "5 MiB")

	var many strings.Builder
	many.WriteString("id,question,answer\n")
	for i := range limits.MaxRows {
		fmt.Fprintf(&many, "%d,Question %d?,yes\n", i, i)
	}
	rows, problems := Parse("faq.csv", []byte(many.String()), Options{})
	require.Len(t, rows, limits.MaxRows)
	require.Empty(t, problems)
	many.WriteString("x,One more?,yes\n")
	rows, problems = Parse("faq.csv", []byte(many.String()), Options{})
	require.Empty(t, rows)
	require.Len(t, problems, 1)
	require.True(t, problems[0].Fatal)
	require.Contains(t, problems[0].Text, "20000 rows")

	long := func(n int) string { return strings.Repeat("ü", n) }
	variants := []string{long(1001)}
	for i := range 1005 {
		variants = append(variants, fmt.Sprint("variant ", i))
	}
	rows, problems = Parse("faq.csv", []byte("id,question,answer,variants\n"+
		"a,"+long(1001)+",x,\nb,B?,"+long(25001)+",\n"+long(201)+",C?,x,\nd,D?,x,"+strings.Join(variants, "|")+"\n"+
		"e,"+long(1000)+","+long(25000)+",\n"), Options{})
	checkSound(t, rows, problems)
	require.Len(t, rows, 2)
	require.Len(t, rows[0].Wordings(), limits.MaxWordings)
	var keys []string
	for _, p := range problems {
		keys = append(keys, p.Field+" "+plaintext.Cut(p.Key, 3))
	}
	require.Equal(t, []string{"question a", "answer b", "id üüü", "variants d", "variants d"}, keys)
}

func TestDates(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	for s, want := range map[string][2]time.Time{
		"2026-03-31":                {day, day.AddDate(0, 0, 1)},
		"31 Mar 2026":               {day, day.AddDate(0, 0, 1)},
		"2026-03-31T10:00:00+02:00": {day.Add(8 * time.Hour), day.Add(8 * time.Hour)},
		"2026-03-31 10:00":          {day.Add(10 * time.Hour), day.Add(10 * time.Hour)},
	} {
		from, bad := readDate(s, false)
		require.Empty(t, bad)
		require.Equal(t, want[0], from, s)
		to, bad := readDate(s, true)
		require.Empty(t, bad)
		require.Equal(t, want[1], to, s)
	}
	for _, s := range []string{"31/03/2026", "2026-02-30", "1970-01-01", "0001-01-01", "soon"} {
		_, bad := readDate(s, true)
		require.NotEmpty(t, bad, s)
	}
}

// A key made from a question survives what does not matter and changes with what does.
func TestDerivedKeys(t *testing.T) {
	t.Parallel()
	require.Equal(t, KeyOf("How do I pay?"), KeyOf("how do i PAY"))
	require.NotEqual(t, KeyOf("Do you know C#?"), KeyOf("Do you know C++?"))
	require.Regexp(t, `^how-do-i-pay-[0-9a-f]{10}$`, KeyOf("How do I pay?"))
	require.Regexp(t, `^[0-9a-f]{10}$`, KeyOf("???"))
	require.Contains(t, KeyOf("返品できますか？"), "返品できますか-")
}

// workbook builds an .xlsx file with one sheet of rows after an empty one.
func workbook(t testing.TB, edit func(f *excelize.File)) []byte {
	f := excelize.NewFile()
	_, err := f.NewSheet("FAQ")
	require.NoError(t, err)
	edit(f)
	var b bytes.Buffer
	require.NoError(t, f.Write(&b))
	require.NoError(t, f.Close())
	return b.Bytes()
}

func TestWorkbook(t *testing.T) {
	t.Parallel()
	data := workbook(t, func(f *excelize.File) {
		for cell, row := range map[string][]any{
			"A1": {"Acme FAQ"},
			"A3": {"Topic", "Question", "Answer", "Valid until", "ID", "Note"},
			"A4": {"Orders", "How do I get a refund?", "Write\nto us", time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), 1001, "x"},
			"A6": {nil, "Where is my order?", "On its way", "2026-04-01T10:00:00Z", 1002, nil, "beyond the header"},
			"A7": {nil, "Not merged?", "No"},
			"A8": {nil, "No answer?"},
		} {
			require.NoError(t, f.SetSheetRow("FAQ", cell, &row))
		}
		require.NoError(t, f.MergeCell("FAQ", "A1", "E1"))
	})
	for _, name := range []string{"faq.xlsx", "faq.csv", "faq"} {
		rows, problems := Parse(name, data, Options{})
		checkSound(t, rows, problems)
		require.Len(t, rows, 3)
		require.Equal(t, knowledge.Row{Line: 4, Entry: knowledge.Entry{
			Key: "1001", Question: "How do I get a refund?", Answer: "Write\nto us", Topic: "Orders",
			To: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC),
		}}, rows[0])
		require.Equal(t, 6, rows[1].Line)
		require.Equal(t, time.Date(2026, 4, 1, 10, 0, 0, 0, time.UTC), rows[1].To)
		require.Empty(t, rows[2].Topic)
		require.Len(t, problems, 1)
		require.Equal(t, 8, problems[0].Line)
	}
}

func TestBrokenWorkbook(t *testing.T) {
	t.Parallel()
	data := workbook(t, func(f *excelize.File) {
		require.NoError(t, f.SetSheetRow("FAQ", "A1", &[]any{"Question", "Answer"}))
	})
	for name, broken := range map[string][]byte{
		"cut":            data[:len(data)/2],
		"zip only":       []byte("PK\x03\x04 and nothing"),
		"old Excel":      []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest"),
		"no rows":        data,
		"not a workbook": []byte("%PDF-1.4"),
	} {
		rows, problems := Parse("faq.xlsx", broken, Options{})
		checkSound(t, rows, problems)
		require.Len(t, problems, 1, name)
		require.True(t, problems[0].Fatal, name)
	}
}

// A workbook that unpacks to far more than it weighs is refused before it is unpacked.
func TestZipBomb(t *testing.T) {
	t.Parallel()
	data := workbook(t, func(f *excelize.File) {
		sheet, err := f.NewStreamWriter("FAQ")
		require.NoError(t, err)
		row := []any{strings.Repeat("a", 32_000)}
		for i := range 2200 {
			require.NoError(t, sheet.SetRow(fmt.Sprintf("A%d", i+1), row))
		}
		require.NoError(t, sheet.Flush())
	})
	require.Less(t, len(data), 1<<20)
	rows, problems := Parse("faq.xlsx", data, Options{})
	require.Empty(t, rows)
	require.Equal(t, fatal(tooLargeUnpacked()), problems)
}

// A row whose only cell is the last possible one makes the reader build thousands of empty ones.
func TestWideWorkbook(t *testing.T) {
	t.Parallel()
	data := workbook(t, func(f *excelize.File) {
		for i := range 100 {
			require.NoError(t, f.SetCellStr("FAQ", fmt.Sprintf("XFD%d", i+1), "x"))
		}
	})
	_, problems := Parse("faq.xlsx", data, Options{})
	require.Len(t, problems, 1)
	require.Contains(t, problems[0].Text, "more than 1000000 cells")
}

// Whatever a file holds, reading it takes time in proportion. What takes the square of it shows at
// this size already, also under the race detector.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	const size = limits.MaxFile / 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, text := range map[string]string{
		"brackets.json":   fill("["),
		"objects.json":    fill(`{"a":`),
		"pairs.json":      fill("[{"),
		"numbers.json":    "[" + fill("1,")[2:],
		"empty.json":      "[" + fill("{},")[3:],
		"entries.json":    `[{"question":"a","answer":` + fill("[")[100:],
		"lines.jsonl":     fill("x\n"),
		"objects.jsonl":   fill("{}\n"),
		"quotes.csv":      "question,answer\n" + fill("\"x,\n")[100:],
		"allquotes.csv":   "question,answer\n" + fill(`"`)[100:],
		"commas.csv":      fill(","),
		"newlines.csv":    fill("\n"),
		"wide.csv":        "question,answer" + fill(",x")[100:],
		"headers.csv":     fill("question,"),
		"quotation.md":    fill(">"),
		"lists.md":        fill("- "),
		"stars.md":        fill("*a "),
		"emphasis.md":     "# q?\n\n" + fill("*")[100:] + "a",
		"links.md":        "# q?\n\n" + fill("[")[100:],
		"images.md":       "# q?\n\n" + fill("![")[100:],
		"linked.md":       "# q?\n\n" + fill("[a](b)")[100:],
		"headings.md":     fill("# a\n"),
		"backticks.md":    "# q?\n\n" + fill("`a``")[100:],
		"autolinks.md":    "# q?\n\n" + fill("<a")[100:],
		"html.md":         "# q?\n\n<div>" + fill("<a href=x>")[100:],
		"comments.md":     "# q?\n\n" + fill("<!--")[100:],
		"references.md":   "# q?\n\n" + fill("[a]: b\n")[100:],
		"nested.md":       "# q?\n\n" + fill("- a\n  ")[100:],
		"combining.csv":   "question,answer\n" + fill("\u0301")[100:] + ",x",
		"topics.md":       fill("# a\n## b\n### c\n#### d\n##### e\n###### f\n"),
		"jsonld.json":     `[{"question":"a","acceptedAnswer":"` + fill("<a>")[200:] + `"}]`,
		"setext.md":       fill("a\n=\n"),
		"underscores.txt": fill("_a_ "),
	} {
		t.Run(name, func(t *testing.T) {
			runtime.LockOSThread() // the time of this thread is this work's
			defer runtime.UnlockOSThread()
			start := threadTime()
			rows, problems := Parse(name, []byte(text), Options{})
			took := threadTime() - start
			t.Logf("%v: %d rows, %d problems", took.Round(time.Millisecond), len(rows), len(problems))
			require.Less(t, took, 15*time.Second)
			if len(rows)+len(problems) < 1000 {
				checkSound(t, rows, problems)
			}
		})
	}
}

// Of problems that cost no row, so many are told as anybody reads.
func TestNotes(t *testing.T) {
	t.Parallel()
	rows, problems := Parse("a.csv", each("question,answer,media\n", "q%?,a,a:|b:|c:\n", "")(100<<10), Options{})
	require.Greater(t, len(rows), 3000)
	require.Len(t, problems, limits.MaxNotes+1)
	require.Contains(t, problems[limits.MaxNotes].Text, "more problems like these")
}

// What stood without a bound, one by one: what is refused says the bound, and the rest is kept.
func TestBounds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, data, want string
		rows             int
	}{
		{"a.csv", "question,answer\nq,a\nr," + strings.Repeat("a", limits.MaxCell+1) + "\n", "more than 100000 bytes", 1},
		{"a.csv", "question,answer\nq,a" + strings.Repeat(",", limits.MaxColumns) + "x\nr,b\n", "The row has 402 cells", 1},
		{"a.csv", "question,answer\n" + strings.Repeat("q,a"+strings.Repeat(",", 397)+"\n", 2600), "more than 1000000 cells", 0},
		{"a.csv", "question,answer,locale\nq,a,en\nr,b,en-" + strings.Repeat("a-", limits.MaxLocale) + "b\n", "at most 100 are possible", 1},
		{"a.csv", "question,answer,from\nq,a,2026-01-01\nr,b," + strings.Repeat("1", limits.MaxDate+1) + "\n", "at most 100 are possible", 1},
		{"a.json", `[{"question":"q","answer":"a"},{"question":"r","answer":"b"` + manyFields(limits.MaxFields) + `}]`, "more than 1000 fields", 1},
		{"a.json", `[{"question":"q","answer":"a"},{"question":"r","answer":"b","variants":[` + strings.Repeat("1,", limits.MaxValues) + `1]}]`, "more than 10000 values", 1},
		{"a.json", `[{"question":"q","answer":"a"},{"question":"r","answer":` + strings.Repeat("[", limits.MaxJSON+1) + strings.Repeat("]", limits.MaxJSON+1) + `}]`, "nested more than 100 deep", 1},
		{"a.md", "# q\n\na\n\n# r\n" + strings.Repeat("b\n", limits.MaxNodes+1), "more than 50000 lines and marks", 0},
		{"a.md", "# q\n\na\n\n# r\n" + strings.Repeat("[a](", 12_000), "too many brackets", 0},
		{"a.md", "# q\n\na\n\n" + strings.Repeat("# r\n\nb\n\n", limits.MaxLines/2), "more than 200000 lines", 0},
		{"a.docx", string(documentOf(`<w:p><w:r><w:t>a</w:t></w:r></w:p>`, limits.MaxLines/2+1)(0)), "more than 200000 lines", 0},
		{"a.docx", string(documentOf(`<w:p/>`, limits.MaxDocument/6)(0)), "larger than 8 MiB", 0},
		{"a.html", strings.Repeat("<b>", limits.MaxTags+1), "more than 60000 tags", 0},
		{"a.yml", strings.Repeat("- a\n", limits.MaxYAML+1), "more than 200000 lines and marks", 0},
		{"a.xlsx", string(sheetOf(`<row r="1048577"><c><v>1</v></c></row>`, 1)(0)), "Excel has at most 1048576 rows", 0},
		{"a.xlsx", string(sheetsOf(limits.MaxSheets*2 + 1)), "more than 1000 sheets", 0},
		{"a.xlsx", string(partsOf(110 * (limits.MaxParts + 1))), "at most 1000 are read", 0},
		{"a.xlsx", string(stylesOf(`<xf/>`, limits.MaxSettings+1)), "more than 100000 cells, styles or settings", 0},
		{"a.xlsx", string(stringsOf(`<si/>`, limits.MaxShared+1)), "more than 500000 cells, styles or settings", 0},
		{"a.xlsx", string(sharedWorkbook(1, 30_000, 300)), "more than 16 MiB of text", 0},
		{"a.xlsx", string(formatted(strings.Repeat("0", 250), 20_000)), "long number formats", 0},
	} {
		rows, problems := Parse(test.name, []byte(test.data), Options{})
		require.Len(t, rows, test.rows, test.want)
		require.NotEmpty(t, problems, test.want)
		require.Contains(t, problems[0].Text, test.want)
		require.Equal(t, test.rows == 0, problems[len(problems)-1].Fatal, test.want)
	}
	// Each row may have as many wordings as it likes, all together only so many.
	const most = limits.MaxAllWordings / limits.MaxWordings
	var b strings.Builder
	b.WriteString("question,answer,variants\n")
	for i := range most + 1 {
		fmt.Fprintf(&b, "q%d,a,", i)
		for j := range limits.MaxWordings {
			fmt.Fprintf(&b, "%d|", j)
		}
		b.WriteString("\n")
	}
	rows, problems := Parse("a.csv", []byte(b.String()), Options{})
	require.Empty(t, rows)
	require.Contains(t, problems[0].Text, "more than 100000 wordings")
}
