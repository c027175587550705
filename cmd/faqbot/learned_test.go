package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/sqldb"
	"faqbot/retrieval"
	"faqbot/retrieval/learn"
)

// What was learned of an affiliate's customers is used on the command line as it is in the service, and told.
func TestAskUsesWhatWasLearned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dsn, faq := filepath.Join(dir, "faqbot.db"), filepath.Join(dir, "faq.csv")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "faqbot.toml"), fmt.Appendf(nil, "[database]\ndsn = %q\n", dsn), 0o600))
	require.NoError(t, os.WriteFile(faq, []byte("id,question,answer\na,When do I get paid?,Monthly.\nb,How do I join?,With the form.\n"), 0o600))
	said := func(args ...string) string {
		t.Helper()
		out := &bytes.Buffer{}
		require.Equal(t, exitDone, run(t.Context(), append([]string{"--config", filepath.Join(dir, "faqbot.toml")}, args...), terminal{out: out, err: out}), out.String())
		return out.String()
	}
	said("import", faq, "--affiliate", "acme", "--publish")
	const asked = "when is my money there"
	require.NotContains(t, said("ask", "--affiliate", "acme", "--explain", asked), "own customers")

	db, err := sqldb.Open(t.Context(), dsn)
	require.NoError(t, err)
	learner := learn.New(db)
	for i := range 20 {
		require.NoError(t, learner.Add(t.Context(), learn.Label{Turn: fmt.Sprint("t", i), Affiliate: "acme", Chosen: learn.Page, Verdict: learn.Wrong, By: "ann", At: time.Now(),
			Case: learn.Case{Evidence: retrieval.Evidence{Sure: 2, Plain: 2, Entries: 2, Wordings: 1, Nearest: .5}}}))
	}
	require.NoError(t, db.Close())
	now := said("ask", "--affiliate", "acme", "--explain", asked)
	require.Contains(t, now, "version 20")
	require.Contains(t, now, "-2.5", "as far as it goes")
	require.NotContains(t, now, "Monthly.", "it is not likely enough any more")
}
