package page_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/page"
	"faqbot/knowledge/page/pagetest"
)

const everyPart = `{{define "title"}}Parts <1>{{end}}{{define "body"}}wide{{end}}{{define "head"}}<link rel="stylesheet" href="/x.css">{{end}}
{{define "main"}}{{with .Data}}<h1>Parts</h1>{{template "shared" .}}
{{template "empty" (empty "Nothing" "Words" "/go" "Go")}}{{template "empty" (empty "Nothing" "")}}
{{template "problem" (problem .Evil "safe" "do" "id1")}}{{template "toast" (toast "Done." "/undo" "Undo")}}{{template "toast" (toast "Done.")}}
{{template "errors" .Fields}}{{range .Fields}}{{template "field" .}}{{end}}{{template "field" (field "q" "Question" .Evil "Wrong.")}}
{{t "page_signed_in" "who" (bold .Evil)}} {{t "page_menu" "who" .Evil}} {{icon "check"}} {{when .At}} {{percent 0.826}} {{percent 0.999}} {{percent 0.001}}
{{end}}{{end}}`

const evil = `"><script>alert(1)</script>`

func newPages(t *testing.T, chrome func(*http.Request) page.Chrome) *page.Pages {
	t.Helper()
	pages, err := page.New(fstest.MapFS{
		"parts.html": {Data: []byte(everyPart)},
		"_own.html":  {Data: []byte(`{{define "shared"}}<p>shared</p>{{end}}`)},
	}, page.Options{Chrome: chrome})
	require.NoError(t, err)
	return pages
}

func partsData() any {
	return map[string]any{"Evil": evil, "At": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "Fields": []page.Field{
		{Name: "a", Label: "A", Value: evil, Hint: "hint", Error: "wrong", Required: true, MaxLength: 5, Placeholder: evil, Autocomplete: "off", Autofocus: true},
		{Name: "b", Label: "B", Value: "two", Options: []page.Option{{Value: "one"}, {Value: "two", Label: "Two"}}},
		{Name: "c", Label: "C", Value: "</textarea>" + evil, Rows: 3},
		{Name: "d", Label: "D", Type: "password"},
	}}
}

func TestLayoutIsWellFormed(t *testing.T) {
	pages := newPages(t, func(*http.Request) page.Chrome {
		return page.Chrome{Who: evil, Lang: "ar", Links: []page.Link{{Href: "javascript:alert(1)", Label: evil}, {Href: "/a", Label: "A", Current: true}}}
	})
	w := httptest.NewRecorder()
	require.NoError(t, pages.Show(w, httptest.NewRequest("GET", "/x", nil), http.StatusTeapot, "parts", partsData()))
	require.Equal(t, http.StatusTeapot, w.Code)
	require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	body := w.Body.String()
	pagetest.Check(t, body)
	for _, want := range []string{`<html lang="en">`, `data-words="{&#34;cancel&#34;:&#34;Cancel&#34;`, `<body class="wide" `, `<title>Parts &lt;1> · faqbot</title>`, `<a href="/a" aria-current="page">`,
		`aria-describedby="a-hint a-error"`, `aria-invalid="true"`, `<option value="two" selected>Two`, `href="#a"`, `<link rel="stylesheet" href="/x.css">`,
		`<time datetime="2026-01-02T03:04:05Z">2 Jan 2026 03:04 UTC</time>`, "83\u00a0%", "99\u00a0%", "under 1\u00a0%"} {
		require.Contains(t, body, want)
	}
	require.Contains(t, body, `Signed in as <b>&#34;&gt;&lt;script&gt;alert(1)`)
	require.NotContains(t, body, "<script>alert")
	require.NotContains(t, body, `href="javascript:`)
}

func TestFailShowsAPage(t *testing.T) {
	w := httptest.NewRecorder()
	require.NoError(t, newPages(t, nil).Fail(w, httptest.NewRequest("GET", "/x", nil), 404, "Not here", page.Problem{What: evil, ID: "q1"}))
	require.Equal(t, 404, w.Code)
	pagetest.Check(t, w.Body.String())
	require.Contains(t, w.Body.String(), "<h1>Not here</h1>")
	require.NotContains(t, w.Body.String(), "<script>alert")
}

func TestBrokenPagesWriteNothing(t *testing.T) {
	pages, err := page.New(fstest.MapFS{"p.html": {Data: []byte(`{{define "title"}}t{{end}}{{define "main"}}{{.Data.None}}{{end}}`)}}, page.Options{})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	require.Error(t, pages.Show(w, httptest.NewRequest("GET", "/", nil), 200, "p", struct{}{}))
	require.Error(t, pages.Show(w, httptest.NewRequest("GET", "/", nil), 200, "unknown", nil))
	require.Empty(t, w.Body.String())
	require.Empty(t, w.Header())
	_, err = page.New(fstest.MapFS{"p.html": {Data: []byte(`{{define`)}}, page.Options{})
	require.Error(t, err)
}

func TestPartRendersAlone(t *testing.T) {
	w := httptest.NewRecorder()
	require.NoError(t, newPages(t, nil).Part(w, httptest.NewRequest("GET", "/", nil), "parts", "shared", nil))
	require.Equal(t, "<p>shared</p>", w.Body.String())
}

func get(t *testing.T, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.URL.Path = path
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	shared(t).ServeHTTP(w, r)
	return w
}

func shared(t *testing.T) *page.AssetSet {
	t.Helper()
	s, err := page.Assets()
	require.NoError(t, err)
	return s
}

func TestAssets(t *testing.T) {
	for name, kind := range map[string]string{"faqbot.css": "text/css; charset=utf-8", "faqbot.js": "text/javascript; charset=utf-8",
		"icons.svg": "image/svg+xml", "faqbot.svg": "image/svg+xml", "vendor/htmx.min.js": "text/javascript; charset=utf-8"} {
		w := get(t, shared(t).Address(name))
		require.Equal(t, 200, w.Code, name)
		require.Equal(t, kind, w.Header().Get("Content-Type"))
		require.Equal(t, "public, max-age=31536000, immutable", w.Header().Get("Cache-Control"))
		packed := get(t, shared(t).Address(name), "Accept-Encoding", "br, gzip;q=0.8")
		require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
		z, err := gzip.NewReader(packed.Body)
		require.NoError(t, err)
		data, err := io.ReadAll(z)
		require.NoError(t, err)
		require.Equal(t, w.Body.String(), string(data))
	}
	require.Empty(t, get(t, shared(t).Address("faqbot.css"), "Accept-Encoding", "gzip;q=0").Header().Get("Content-Encoding"))
	tag := get(t, shared(t).Address("live.js")).Header().Get("ETag")
	require.Equal(t, 304, get(t, shared(t).Address("live.js"), "If-None-Match", tag).Code)
}

func TestAssetsRefuse(t *testing.T) {
	css := shared(t).Address("faqbot.css")
	hash := strings.Split(css, "/")[2]
	for _, path := range []string{
		"/assets", "/assets/", "/assets/" + hash, "/assets/" + hash + "/", "/assets/000000000000/faqbot.css", "/assets/" + hash + "/none.js",
		"/assets/" + hash + "/vendor/", "/assets/" + hash + "/../page.go", "/assets/" + hash + "/../../page.go", "/assets/" + hash + "//faqbot.css",
		"/assets/" + hash + "/./faqbot.css", "/assets/" + hash + "/faqbot.css/", css + "\x00", shared(t).Address("nothing.css"), shared(t).Address("../page.go"), shared(t).Address("vendor/README.md"),
	} {
		w := get(t, path)
		require.Equal(t, 404, w.Code, path)
		require.Empty(t, w.Header().Get("Cache-Control"))
	}
	w := httptest.NewRecorder()
	shared(t).ServeHTTP(w, httptest.NewRequest("POST", css, nil))
	require.Equal(t, 405, w.Code)
}

// A package's own files have addresses of their own, which change with any of them, so that a module is
// never given an older one that it imports. The shared files are found beside them.
func TestOwnAssets(t *testing.T) {
	set := func(script string) *page.AssetSet {
		s, err := page.NewAssetSet("/own/", fstest.MapFS{"own.js": {Data: []byte("import './part.js'")}, "part.js": {Data: []byte(script)}})
		require.NoError(t, err)
		return s
	}
	own := set("1")
	require.NotEqual(t, own.Address("own.js"), set("2").Address("own.js"))
	pages, err := page.New(fstest.MapFS{"p.html": {Data: []byte(`{{define "title"}}t{{end}}{{define "main"}}{{asset "own.js"}} {{asset "faqbot.js"}}{{end}}`)}}, page.Options{Assets: own})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	require.NoError(t, pages.Part(w, httptest.NewRequest("GET", "/", nil), "p", "main", nil))
	require.Equal(t, own.Address("own.js")+" "+shared(t).Address("faqbot.js"), w.Body.String())
}

func TestSecure(t *testing.T) {
	w := httptest.NewRecorder()
	page.Secure(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
		require.Contains(t, policy, want)
	}
	require.NotContains(t, policy, "unsafe")
	require.NotContains(t, policy, "http")
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "same-origin", w.Header().Get("Referrer-Policy"))
	require.Equal(t, "same-origin", w.Header().Get("Cross-Origin-Opener-Policy"))
}

func TestBudgets(t *testing.T) {
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("assets", name))
		require.NoError(t, err)
		return data
	}
	size := func(name string) int {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		require.NoError(t, err)
		_, err = z.Write(read(name))
		require.NoError(t, err)
		require.NoError(t, z.Close())
		return b.Len()
	}
	css, own := size("faqbot.css"), size("faqbot.js")
	all := own + size("vendor/htmx.min.js") + size("../live/live.js")
	t.Logf("CSS %d bytes raw, %d gzip; own script %d gzip; all script %d gzip", len(read("faqbot.css")), css, own, all)
	require.LessOrEqual(t, len(read("faqbot.css")), 30_000)
	require.LessOrEqual(t, css, 8_000)
	require.LessOrEqual(t, own, 8_000)
	require.LessOrEqual(t, all, 30_000)
}

// The style sheet keeps its own rules: logical properties, no importance, nothing from elsewhere.
func TestStyleSheet(t *testing.T) {
	data, err := os.ReadFile("assets/faqbot.css")
	require.NoError(t, err)
	for _, bad := range []string{"!important", "url(", "@import", "margin-left", "margin-right", "padding-left", "padding-right", "text-align: left", "text-align: right", "float:"} {
		require.NotContains(t, string(data), bad)
	}
	require.Empty(t, regexp.MustCompile(`(?m)[{;]\s*(left|right|top|bottom|width|height):`).FindAllString(string(data), -1))
}

func TestVendoredFilesAreThoseNamed(t *testing.T) {
	notes, err := os.ReadFile("assets/vendor/README.md")
	require.NoError(t, err)
	files, err := fs.Glob(os.DirFS("assets/vendor"), "*.js")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join("assets/vendor", name))
		require.NoError(t, err)
		sum := sha256.Sum256(data)
		require.Contains(t, string(notes), hex.EncodeToString(sum[:]), name)
	}
}

// Every icon that a template or the notes name is in the sprite.
func TestIcons(t *testing.T) {
	sprite, err := os.ReadFile("assets/icons.svg")
	require.NoError(t, err)
	notes, err := os.ReadFile("README.md")
	require.NoError(t, err)
	list := regexp.MustCompile("from the sprite: `([a-z ]+)`").FindSubmatch(notes)
	require.NotNil(t, list)
	names := strings.Fields(string(list[1]))
	require.Len(t, names, bytes.Count(sprite, []byte("<symbol ")))
	for _, name := range names {
		require.Contains(t, string(sprite), `<symbol id="`+name+`"`)
	}
}
