package kits_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/faqfile"
	"faqbot/knowledge/kits"
	"faqbot/knowledge/lint"
	"faqbot/knowledge/locale"
)

// Each kit is read without a problem, says nothing twice, and asks for nothing that no answer has; its suite asks thirty
// questions of it. One that nobody filled in has no blank that a customer could read.
func TestKits(t *testing.T) {
	t.Parallel()
	asked, blank := regexp.MustCompile(`(?m)^  - \{ask: `), regexp.MustCompile(`\{[a-z_]+\}`)
	for _, name := range kits.Names() {
		keys := map[string]int{}
		for _, in := range locale.Shipped() {
			what := name + "." + in
			k, err := kits.Open(name, in)
			require.NoError(t, err)
			require.GreaterOrEqual(t, k.Entries(), 15, what)
			require.LessOrEqual(t, k.Entries(), 25, what)
			values := map[string]string{}
			for _, b := range k.Blanks {
				require.NotEmpty(t, b.Example, "%s: %s", what, b.Name)
				require.Positive(t, b.Answers)
				values[b.Name] = b.Example
			}
			data, err := k.Fill(values)
			require.NoError(t, err)
			rows, problems := faqfile.Parse(what+".csv", data, faqfile.Options{})
			require.Empty(t, problems, what)
			require.Len(t, rows, k.Entries(), what)
			var entries []knowledge.Entry
			for _, r := range rows {
				r.ID = knowledge.EntryID(r.Key)
				keys[r.Key]++
				require.Equal(t, in, r.Locale)
				require.GreaterOrEqual(t, len(r.Variants), 3, "%s: %s", what, r.Key)
				require.NotRegexp(t, blank, r.Answer)
				entries = append(entries, r.Entry)
			}
			require.Empty(t, lint.Find(entries, nil), what)
			suite, err := os.ReadFile("suites/" + what + ".yaml")
			require.NoError(t, err)
			require.Len(t, asked.FindAll(suite, -1), 30, what)
			data, err = k.Fill(nil)
			require.NoError(t, err)
			rows, _ = faqfile.Parse(what+".csv", data, faqfile.Options{})
			require.NotEmpty(t, rows, what)
			require.Less(t, len(rows), k.Entries(), what)
			require.NotRegexp(t, blank, string(data), what)
		}
		for key, n := range keys {
			require.Len(t, locale.Shipped(), n, "%s in every language", key)
		}
	}
	_, err := kits.Open("none", "en")
	require.ErrorIs(t, err, kits.ErrUnknown)
	_, err = kits.Open("newsletter", "../en")
	require.ErrorIs(t, err, kits.ErrUnknown)
}
