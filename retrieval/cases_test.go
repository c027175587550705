package retrieval_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval"
	"faqbot/retrieval/encoder"
)

// line is "question → key", "[locale] question → key" or "… → key/locale".
var line = regexp.MustCompile(`^(?:\[([\w-]+)\] )?(.+) → ([\w-]+)(?:/([\w-]+))?$`)

// TestCases asks the questions of testdata/<case>/queries.txt of the entries beside them, with the
// encoder that ships.
func TestCases(t *testing.T) {
	e, err := encoder.New()
	require.NoError(t, err)
	dirs, err := filepath.Glob("testdata/*")
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := newCorpus()
			c.publish("acme", readEntries(t, filepath.Join(dir, "entries.jsonl"))...)
			s := fresh(t, c, e, retrieval.SearcherOptions{})
			raw, err := os.ReadFile(filepath.Join(dir, "queries.txt"))
			require.NoError(t, err)
			for text := range strings.Lines(string(raw)) {
				text = strings.TrimSpace(text)
				if text == "" || strings.HasPrefix(text, "#") {
					continue
				}
				m := line.FindStringSubmatch(text)
				require.NotNil(t, m, "%q", text)
				q := retrieval.Query{Text: m[2], Locale: m[1], Affiliates: []knowledge.AffiliateID{"acme"}}
				res, err := s.Search(t.Context(), q)
				require.NoError(t, err)
				require.NotEmpty(t, res.Hits, "%q", text)
				got := res.Hits[0].Entry
				if got.Key != m[3] || (m[4] != "" && got.Locale != m[4]) {
					t.Errorf("%q: found %s/%s (%.2f)", text, got.Key, got.Locale, res.Hits[0].Score)
				}
			}
		})
	}
}

func readEntries(t testing.TB, name string) []knowledge.Entry {
	t.Helper()
	raw, err := os.ReadFile(name)
	require.NoError(t, err)
	var entries []knowledge.Entry
	for text := range strings.Lines(string(raw)) {
		var e knowledge.Entry
		require.NoError(t, json.Unmarshal([]byte(text), &e), "%s", text)
		entries = append(entries, e)
	}
	return entries
}

func TestScoreTellsAnswerableFromNot(t *testing.T) {
	e, err := encoder.New()
	require.NoError(t, err)
	c := newCorpus()
	c.publish("acme", readEntries(t, "testdata/shop/entries.jsonl")...)
	s := fresh(t, c, e, retrieval.SearcherOptions{})
	require.Greater(t, search(t, s, "how long does delivery take", "acme").Hits[0].Score, .9)
	require.Greater(t, search(t, s, "can i pay with paypal", "acme").Hits[0].Score, .5)
	require.Less(t, search(t, s, "who won the football match yesterday", "acme").Hits[0].Score, .2)
	require.Less(t, search(t, s, "tell me a joke", "acme").Hits[0].Score, .2)
}
