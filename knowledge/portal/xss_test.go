package portal

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
)

// zipBomb is a small workbook that unpacks to far more than any.
func zipBomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"} {
		w, err := z.Create(name)
		require.NoError(t, err)
		chunk := bytes.Repeat([]byte("<a>"), 1<<18)
		for range 100 {
			_, err = w.Write(chunk)
			require.NoError(t, err)
		}
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

// What somebody writes into a file stays text on every page that shows it.
func TestStoredWordsStayText(t *testing.T) {
	onBoth(t, func(s *site) {
		evil := func(field string) string {
			return `<script>x("` + field + `")</script><img src=x onerror=y("` + field + `")>"' onfocus=z javascript:alert(1)`
		}
		fields := []string{"id", "question", "answer", "topic", "variants"}
		row := map[string]any{}
		for _, f := range fields {
			row[f] = evil(f)
		}
		row["variants"] = []string{evil("variants")}
		lost := map[string]any{"id": "lost" + evil("lost-id"), "question": "Lost " + evil("lost-question") + "?", "answer": "x", "to": evil("to")}
		bad := map[string]any{"id": "bad", "question": evil("bad-question"), "locale": evil("locale"), "answer": "y"}
		list, err := json.Marshal([]any{row, lost, bad})
		require.NoError(t, err)
		name := `<b>"'evil.json`
		at := s.preview("shop-one", name, string(list))
		pages := []string{at, at + "?kind=problems", "/partners/shop-one", at + "/columns", "/partners/shop-one/try"}
		check := func(path string) {
			w := s.get("ann", path)
			require.Equal(t, http.StatusOK, w.Code, path)
			clean(t, path, w.Body.String())
		}
		for _, p := range pages {
			check(p)
		}
		// Seen in its text, so the pages do show it.
		assert.Contains(t, s.read("ann", at), "&lt;script&gt;")
		odd := s.preview("shop-one", "o.csv", "\"<script>x('header')</script>\",\"<img src=x onerror=y>\"\n<script>x('cell')</script>,b\n")
		check(odd)
		check(odd + "/columns")

		entries, err := s.corpus.Upload(t.Context(), knowledge.UploadID(at[strings.LastIndexByte(at, '/')+1:]))
		require.NoError(t, err)
		check(at + "/changes/" + string(entries.Changes[0].After.ID))
		s.sent("ann", at+"/publish", nil)
		row["question"], row["answer"], row["topic"] = evil("q2"), "before "+evil("a2"), evil("t2")
		list, err = json.Marshal([]any{row})
		require.NoError(t, err)
		again := s.preview("shop-one", name, string(list))
		for _, p := range []string{again, "/partners/shop-one/entries", "/partners/shop-one/entries?q=" + url.QueryEscape(evil("q")), "/partners/shop-one/history?done=1",
			"/partners/shop-one/history", "/partners/shop-one/history/0", "/partners/shop-one?discarded=" + url.QueryEscape(evil("id"))} {
			check(p)
		}
		id := string(entries.Changes[0].After.ID)
		for _, p := range []string{entriesAt + "/" + id, entriesAt + "/new?from=" + id, entriesAt + "/new?like=" + id + "&locale=" + url.QueryEscape(evil("l")), entriesAt + "/new?question=" + url.QueryEscape(evil("q")),
			entriesAt + "/check", entriesAt + "?topic=" + url.QueryEscape(evil("t")) + "&show=" + url.QueryEscape(evil("s"))} {
			check(p)
		}
		w := s.write("ann", entriesAt+"/"+id, "save", "question", evil("typed"), "answer", evil("typed"), "from", evil("from"), "link", evil("link"))
		clean(t, "typed", w.Body.String())
		s.sent("ann", again+"/discard", nil)
		check("/partners/shop-one?discarded=" + again[strings.LastIndexByte(again, '/')+1:])
		w = s.post("ann", "/partners/shop-one/try", url.Values{"text": {evil("text")}})
		clean(t, "try", w.Body.String())
		w = s.get("ann", at+"/file")
		assert.Contains(t, w.Header().Get("Content-Disposition"), "attachment")
		assert.Equal(t, "application/octet-stream", w.Header().Get("Content-Type"))
		assert.Contains(t, w.Header().Get("Content-Security-Policy"), "sandbox")
	})
}

func clean(t *testing.T, path, html string) {
	t.Helper()
	for _, bad := range []string{"<script>x", "<img src=x", "<b>\"", "\" onfocus=z", "' onfocus=z", `href="javascript`, "style="} {
		assert.NotContains(t, strings.ReplaceAll(html, "&#34;", ""), bad, path)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	show := func(d []segment) string {
		var b strings.Builder
		for _, s := range d {
			switch s.Op {
			case "ins":
				b.WriteString("[+" + s.Text + "]")
			case "del":
				b.WriteString("[-" + s.Text + "]")
			default:
				b.WriteString(s.Text)
			}
		}
		return b.String()
	}
	for _, test := range [][3]string{
		{"cookie lasts 30 days", "cookie lasts 60 days", "cookie lasts [-30][+60] days"},
		{"", "new", "[+new]"},
		{"old", "", "[-old]"},
		{"same", "same", "same"},
		{"a b c d", "a x c y d", "a [-b][+x] c[+ y] d"},
		{"Write to us.", "Fill in the form.", "[-Write to us][+Fill in the form]."},
		{"返金は可能", "返金は不可能", "返金は[+不]可能"},
	} {
		d := diff(test[0], test[1])
		assert.Equal(t, test[2], show(d))
		var before, after string
		for _, s := range d {
			if s.Op != "ins" {
				before += s.Text
			}
			if s.Op != "del" {
				after += s.Text
			}
		}
		assert.Equal(t, test[0], before)
		assert.Equal(t, test[1], after)
	}
	long := strings.Repeat("word other ", 5000)
	assert.LessOrEqual(t, len(diff(long+"a"+long, strings.Repeat("x ", 5000))), 3)
	d, isCut := shorten(diff(long+"old "+long, long+"new "+long))
	assert.True(t, isCut)
	assert.Contains(t, show(d), "[-old][+new]")
	assert.Less(t, len(show(d)), 1000)
}
