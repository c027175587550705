package crawl

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
)

// Pages as sites have them: all pairs are found, as they are read there, and nothing of what surrounds them. A page
// without an FAQ gives none, with the reason.
func TestPagesAsSitesHaveThem(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/pages.txtar")
	require.NoError(t, err)
	pages, want := map[string]http.HandlerFunc{}, map[string]string{}
	for _, f := range archive.Files {
		name, kind, _ := strings.Cut(f.Name, ".")
		if kind == "html" {
			pages["/"+name] = text("text/html", string(f.Data))
		} else {
			want["/"+name] = string(f.Data)
		}
	}
	require.Len(t, want, len(pages))
	require.GreaterOrEqual(t, len(pages), 20)
	s := newSite(t, pages)
	c, files := s.crawler(), faqfile.NewPool()
	for path, pairs := range want {
		t.Run(path[1:], func(t *testing.T) {
			faq, err := c.Read(t.Context(), files, s.URL+path, false)
			require.NoError(t, err)
			var got []string
			for _, r := range faq.Rows {
				got = append(got, strings.ReplaceAll(strings.ReplaceAll(r.Question+" => "+r.Answer, "\n", `\n`), s.URL, "SITE"))
			}
			require.Equal(t, strings.TrimSpace(pairs), strings.Join(got, "\n"), "%v", faq.Problems)
			require.Equal(t, pairs == "", fatal(faq))
		})
	}
}

func fatal(faq FAQ) bool {
	for _, p := range faq.Problems {
		if p.Fatal {
			return true
		}
	}
	return false
}

func has(faq FAQ, words ...string) *knowledge.Problem {
	for i, p := range faq.Problems {
		all := true
		for _, w := range words {
			all = all && strings.Contains(p.Text, w)
		}
		if all {
			return &faq.Problems[i]
		}
	}
	return nil
}

// Topic pages are one FAQ. Each problem names its page; a page that fails for now costs no published entry.
func TestTopics(t *testing.T) {
	s := newSite(t, map[string]http.HandlerFunc{
		"/help/":       webpage(`<h1>Help</h1><a href="money">Money</a> <a href="links">Links</a> <a href="drawn">App</a> <a href="broken">Broken</a> <a href="gone">Gone</a>`),
		"/help/money":  webpage(`<h2>When do you pay?</h2><p>On the 15th.</p><h2>Is there a minimum?</h2><p>50 euros.</p>`),
		"/help/links":  webpage(`<h2>When do you pay?</h2><p>On the 15th.</p><h2>Is there a minimum?</h2><p>70 euros.</p><h2>Where are my links?</h2><p>Under Tools.</p>`),
		"/help/drawn":  webpage(`<script src="/app.js"></script>`),
		"/help/broken": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
	})
	faq, err := s.crawler().Read(t.Context(), faqfile.NewPool(), s.URL+"/help/", true)
	require.NoError(t, err)
	var got []string
	for _, r := range faq.Rows {
		got = append(got, r.Question+" "+r.Answer)
	}
	require.Equal(t, []string{"When do you pay? On the 15th.", "Is there a minimum? 50 euros.", "Where are my links? Under Tools."}, got)
	require.Equal(t, "127.0.0.1-help.jsonl", faq.File)
	require.False(t, fatal(faq))
	require.NotNil(t, has(faq, "/help/links", "minimum"), "%v", faq.Problems)
	require.NotNil(t, has(faq, "No questions were found on "+s.URL+"/help/."), "%v", faq.Problems)
	require.NotNil(t, has(faq, "/help/drawn", "script"), "%v", faq.Problems)
	require.Positive(t, has(faq, "/help/broken", "502").Line, "nothing is retired for it")
	require.Zero(t, has(faq, "/help/gone", "404").Line)

	rows, problems, err := faqfile.NewPool().Parse(t.Context(), faq.File, faq.Data, faqfile.Options{})
	require.NoError(t, err)
	require.Len(t, rows, 3, "the file says the same when it is read again: %v", problems)

	faq, err = s.crawler().Read(t.Context(), faqfile.NewPool(), s.URL+"/help/", false)
	require.NoError(t, err)
	require.Empty(t, faq.Rows)
	require.True(t, fatal(faq))
	require.NotNil(t, has(faq, "/help/", "No questions were found on the page"))
}
