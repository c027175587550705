package faqfile

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"faqbot/knowledge/limits"
)

// An allowance is what reading may take: some of it at once, and more for each byte of the file.
type allowance struct {
	alloc, allocPerByte uint64 // bytes allocated in all, be they collected
	work, workPerByte   time.Duration
}

// allowed is what each reader may take. Its time is told by a peer in the same run, a plain table.
func allowed(f *testing.F, unpacked uint64) allowance {
	f.Helper()
	plain := each("question,answer\n", "How is number % paid?,"+strings.Repeat("By bank transfer. ", 10)+"\n", "")(1 << 18)
	Parse("a.csv", plain, Options{})
	began := threadTime()
	Parse("a.csv", plain, Options{})
	peer := max(threadTime()-began, 5*time.Millisecond)
	// 1 s per MiB is some 25 times the peer's time; twice that, since small inputs are measured badly.
	return allowance{alloc: 64<<20 + 4*unpacked, allocPerByte: 2000, work: 200 * peer, workPerByte: 50 * peer / (1 << 18)}
}

// read parses data and checks what it took beside what it gave.
func (a allowance) read(t *testing.T, name string, data []byte, o Options) {
	t.Helper()
	runtime.LockOSThread() // the time of this thread is this work's
	defer runtime.UnlockOSThread()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := threadTime()
	rows, problems := Parse(name, data, o)
	Look(name, data, o)
	took := threadTime() - began
	runtime.ReadMemStats(&after)
	require.Less(t, took, a.work+time.Duration(len(data))*a.workPerByte, "%d bytes", len(data))
	require.Less(t, after.TotalAlloc-before.TotalAlloc, a.alloc+uint64(len(data))*a.allocPerByte, "%d bytes", len(data))
	checkSound(t, rows, problems)
}

// seeds adds the hostile inputs of a reader, small, and files that were once sent.
func seeds(f *testing.F, reader string, add func(name string, data []byte)) {
	f.Helper()
	for _, h := range hostiles() {
		if h.reader == reader {
			if data := h.make(4 << 10); len(data) < 64<<10 {
				add(h.name, data)
			}
		}
	}
	files, err := filepath.Glob("testdata/uploads/*")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		if !strings.HasSuffix(file, ".want") {
			add(filepath.Base(file), data)
		}
	}
}

// FuzzTable feeds the reader of tables with anything: it must not panic, keeps its promises, and takes no
// more time and memory for a byte than it may. So do the others.
func FuzzTable(f *testing.F) {
	a := allowed(f, 0)
	seeds(f, "csv", func(_ string, data []byte) { f.Add(data, false) })
	f.Fuzz(func(t *testing.T, data []byte, trial bool) { a.read(t, "a.csv", data, Options{Trial: trial}) })
}

func FuzzJSON(f *testing.F) {
	a := allowed(f, 0)
	seeds(f, "json", func(_ string, data []byte) { f.Add(data, false) })
	f.Fuzz(func(t *testing.T, data []byte, lines bool) {
		name := "a.json"
		if lines {
			name = "a.jsonl"
		}
		a.read(t, name, data, Options{})
	})
}

func FuzzMarkdown(f *testing.F) {
	a := allowed(f, 0)
	seeds(f, "markdown", func(_ string, data []byte) { f.Add(data, uint16(1)) })
	f.Fuzz(func(t *testing.T, data []byte, times uint16) {
		// What is slow is slow when it is repeated.
		const most = 64 << 10
		n := max(1, min(int(times), most/max(1, len(data))))
		a.read(t, "a.md", []byte(strings.Repeat(string(data), n)), Options{})
	})
}

func FuzzPage(f *testing.F) {
	a := allowed(f, 0)
	seeds(f, "page", func(_ string, data []byte) { f.Add(data, uint16(1)) })
	f.Fuzz(func(t *testing.T, data []byte, times uint16) {
		const most = 64 << 10
		n := max(1, min(int(times), most/max(1, len(data))))
		a.read(t, "a.html", []byte(strings.Repeat(string(data), n)), Options{})
	})
}

func FuzzYAML(f *testing.F) {
	a := allowed(f, 0)
	seeds(f, "yaml", func(_ string, data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) { a.read(t, "a.yml", data, Options{}) })
}

// FuzzOther feeds the readers that write what they read as JSON or Markdown.
func FuzzOther(f *testing.F) {
	a := allowed(f, 0)
	names := []string{"a.xml", "a.rst", "a.js", "a.mdx"}
	for i, reader := range []string{"xml", "rst", "module", "mdx"} {
		seeds(f, reader, func(_ string, data []byte) { f.Add(data, uint8(i), uint16(1)) })
	}
	f.Fuzz(func(t *testing.T, data []byte, reader uint8, times uint16) {
		const most = 64 << 10
		n := max(1, min(int(times), most/max(1, len(data))))
		a.read(t, names[int(reader)%len(names)], []byte(strings.Repeat(string(data), n)), Options{})
	})
}

// FuzzDocument feeds the reader of text documents with the parts that it reads.
func FuzzDocument(f *testing.F) {
	a := allowed(f, limits.MaxDocument)
	f.Add(`<w:p><w:r><w:b/><w:t>q?</w:t></w:r></w:p><w:p><w:r><w:t>a</w:t></w:r></w:p>`, uint16(1))
	f.Add(`<w:tbl><w:tr><w:tc><w:p><w:hyperlink r:id="1"><w:t>a</w:t></w:hyperlink></w:p></w:tc></w:tr></w:tbl>`, uint16(100))
	f.Fuzz(func(t *testing.T, piece string, times uint16) {
		a.read(t, "a.docx", documentOf(piece, max(1, min(int(times), 1<<20/max(1, len(piece)))))(0), Options{})
	})
}

// FuzzField feeds the step that makes text of fields, with HTML and Markdown beside whatever comes.
func FuzzField(f *testing.F) {
	a := allowed(f, 0)
	f.Add("<p>a<b>b</b>", uint16(1))
	f.Add("**a** [b](https://c) \\n", uint16(9))
	f.Fuzz(func(t *testing.T, text string, times uint16) {
		n := max(1, min(int(times), 16<<10/max(1, len(text))))
		data, err := json.Marshal([]map[string]string{{"question": "q?", "answer": "<p>**a**</p>"}, {"question": "r?", "answer": strings.Repeat(text, n)}})
		require.NoError(t, err)
		a.read(t, "a.json", data, Options{})
	})
}

// FuzzWorkbook feeds the reader of workbooks with the parts that it reads, since a mutated archive is only
// refused.
func FuzzWorkbook(f *testing.F) {
	a := allowed(f, limits.MaxUnpacked)
	f.Add(sheetXML(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`), `<sst><si><t>question</t></si></sst>`, `<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>`, uint16(1))
	f.Add(sheetXML(`<row r="9223372036854775000"><c><v>1</v></c></row>`), "", "", uint16(1))
	f.Add(sheetXML(`<row><c r="XFD1" s="1"><v>46000.5</v></c></row>`), `<sst><si><r><t>a</t></r></si></sst>`, `<styleSheet><numFmts><numFmt numFmtId="200" formatCode="yyyy"/></numFmts><cellXfs><xf/><xf numFmtId="200"/></cellXfs></styleSheet>`, uint16(100))
	f.Fuzz(func(t *testing.T, sheet, shared, styles string, times uint16) {
		if before, rows, ok := strings.Cut(sheet, "<sheetData>"); ok {
			rows, after, _ := strings.Cut(rows, "</sheetData>")
			sheet = before + "<sheetData>" + strings.Repeat(rows, max(1, min(int(times), 1<<20/max(1, len(rows))))) + "</sheetData>" + after
		}
		a.read(t, "a.xlsx", zipped(map[string]string{"xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": shared, "xl/styles.xml": styles}), Options{})
	})
}

// FuzzParse feeds all readers, and the choice between them.
func FuzzParse(f *testing.F) {
	a := allowed(f, limits.MaxUnpacked)
	files, err := filepath.Glob("testdata/uploads/*")
	require.NoError(f, err)
	for _, file := range files {
		if strings.HasSuffix(file, ".want") {
			continue
		}
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(filepath.Base(file), data, len(data)%2 == 0)
	}
	f.Add("faq.xlsx", workbook(f, func(x *excelize.File) {
		require.NoError(f, x.SetSheetRow("FAQ", "A1", &[]any{"Question", "Answer", "From"}))
		require.NoError(f, x.SetSheetRow("FAQ", "A2", &[]any{"How?", "So", 46000}))
	}), false)
	for _, s := range []string{
		"", "\x00", "\xff\xfe", "\xfe\xff\x00", "\xef\xbb\xbf", "\"", "\"\"\n\"", "{", "[", "[{", `{"a":{"b":[`, `{"question":"`, "PK\x03\x04",
		"Q:\nA:", "#", "# \n#", "---\n---\n", "- - - -\n", "> # x\n> y", "q,a\n\"\"\"", "sep=,\n", "sep=\n", "sep=\"\nq\"a\n", "| q | a |\n|-|-|\n",
		"q,a\n=1+1,@x", `{"mainEntity":[{"name":"x","acceptedAnswer":{"text":"<a href='"}}]}`, `{"mainEntity":[{"name":"x","acceptedAnswer":"<a href="}]}`,
	} {
		for _, name := range []string{"a.csv", "a.json", "a.jsonl", "a.md", "a"} {
			f.Add(name, []byte(s), true)
		}
	}
	f.Fuzz(func(t *testing.T, name string, data []byte, optional bool) {
		a.read(t, name, data, Options{Trial: optional})
	})
}
