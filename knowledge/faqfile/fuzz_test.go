package faqfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
)

// FuzzParse feeds Parse with anything: it must not panic, and keeps its promises.
func FuzzParse(f *testing.F) {
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
		start := time.Now()
		rows, problems := Parse(name, data, Options{Trial: optional})
		require.Less(t, time.Since(start), 5*time.Second)
		checkSound(t, rows, problems)
	})
}
