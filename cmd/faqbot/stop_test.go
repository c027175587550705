package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/waittest"
)

// ask and import end when they are told to, in the midst of work that takes long, and publish nothing.
func TestCommandsStop(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes long")
	}
	for name, args := range map[string][]string{
		"ask":    {"ask", "--knowledge", "faq.jsonl", "How do I get paid?"},
		"import": {"import", "faq.jsonl", "--affiliate", "acme", "--publish"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var b strings.Builder
			for i := range 6_000 {
				fmt.Fprintf(&b, "{\"id\":\"%d\",\"question\":\"How is commission number %d of campaign %d paid out to me?\",\"answer\":\"By bank transfer, %d days after the sale.\"}\n", i, i, i%97, i%60)
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "faq.jsonl"), []byte(b.String()), 0o600))
			cmd := exec.Command("faqbot", args...)
			cmd.Dir = dir
			out := &syncBuffer{}
			cmd.Stdout, cmd.Stderr = out, out
			require.NoError(t, cmd.Start())
			require.Eventually(t, func() bool { return strings.Contains(out.String(), "reading ") }, waittest.Hang, 5*time.Millisecond, "it never began to make vectors")
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			select {
			case err := <-ended:
				require.Error(t, err)
			case <-time.After(waittest.Hang):
				_ = cmd.Process.Kill()
				require.Fail(t, "it goes on")
			}
			assert.Equal(t, exitCouldNot, cmd.ProcessState.ExitCode(), out.String())
			if name == "import" {
				c := config{}
				c.Database.DSN = secret(filepath.Join(dir, "faqbot.db"))
				db, err := openDB(t.Context(), c)
				require.NoError(t, err)
				defer func() { require.NoError(t, db.Close()) }()
				revisions, err := knowledge.NewCorpus(db, time.Now).Revisions(t.Context())
				require.NoError(t, err)
				assert.Equal(t, map[knowledge.AffiliateID]knowledge.Revision{"acme": 0}, revisions)
			}
		})
	}
}

// A small workbook whose row number never ends is refused; it does not keep the command from ending.
func TestCommandsEndWithAnEndlessWorkbook(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const relations = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
	const names = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	f, err := os.Create(filepath.Join(dir, "faq.xlsx"))
	require.NoError(t, err)
	z := zip.NewWriter(f)
	for name, text := range map[string]string{
		"[Content_Types].xml":        `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`,
		"_rels/.rels":                relations + `officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/_rels/workbook.xml.rels": relations + `worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook ` + names + `><sheets><sheet name="FAQ" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/worksheets/sheet1.xml":   `<worksheet ` + names + `><sheetData><row><c><v>1</v></c></row><row r="9223372036854775000"><c><v>1</v></c></row></sheetData></worksheet>`,
	} {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = w.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, errors.Join(z.Close(), f.Close()))
	for _, args := range [][]string{{"ask", "--knowledge", "faq.xlsx", "How?"}, {"import", "faq.xlsx", "--affiliate", "acme"}} {
		cmd := exec.Command("faqbot", args...)
		cmd.Dir = dir
		out := &syncBuffer{}
		cmd.Stdout, cmd.Stderr = out, out
		require.NoError(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case <-ended:
		case <-time.After(waittest.Hang):
			_ = cmd.Process.Kill()
			require.Fail(t, "it goes on")
		}
		assert.Equal(t, exitCouldNot, cmd.ProcessState.ExitCode(), out.String())
		assert.Contains(t, out.String(), "Excel has at most 1048576 rows")
	}
}
