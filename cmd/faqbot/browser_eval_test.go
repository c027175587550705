package main

import (
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A report of a suite is a file: it opens without a service, asks nothing of the network, complains of nothing, fits a
// phone and a desk, and anybody can read it.
func TestEvalReportInABrowser(t *testing.T) {
	t.Parallel()
	browser := newBrowser(t)
	dir := t.TempDir()
	file, base := filepath.Join(dir, "report.html"), filepath.Join(dir, "base.json")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "suite.yaml"), []byte(`
- {id: paid, ask: when is payday, answer: payout-when, tags: [money]}
- {id: fee, ask: is it free to join, answer: rate, tags: [joining], must: true}
- {id: moon, ask: is the moon made of cheese, none: true, kind: far}
- {id: thanks, ask: thank you, smalltalk: true}
`), 0o600))
	suite := func(more ...string) int {
		return run(t.Context(), append([]string{"eval", "run", filepath.Join(dir, "suite.yaml"), "--faq", "demo/faq.jsonl"}, more...), terminal{out: io.Discard, err: io.Discard})
	}
	require.Equal(t, exitMissed, suite("--out", base))
	require.Equal(t, exitMissed, suite("--out", file, "--against", base))

	var mu sync.Mutex
	var asked, complaints []string
	chromedp.ListenTarget(browser, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			asked = append(asked, e.Request.URL)
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			complaints = append(complaints, e.Entry.Text)
		}
	})
	for _, width := range []int64{390, 1440} {
		var wide int64
		var words string
		var found []string
		require.NoError(t, chromedp.Run(browser, network.Enable(), log.Enable(), emulation.SetDeviceMetricsOverride(width, 900, 1, width < 500),
			chromedp.Navigate("file://"+file), chromedp.Text("main", &words), chromedp.Evaluate("document.documentElement.scrollWidth", &wide),
			chromedp.Evaluate(axe+`;axe.run({resultTypes:["violations"]}).then(r => r.violations.map(v => v.id + ": " + v.nodes[0].html))`, &found,
				func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) })))
		require.LessOrEqual(t, wide, width, "nothing is beyond the edge")
		require.Empty(t, found, "axe")
		for _, part := range []string{"suite: failed", "cases that must pass", "failed: fee", "Against the earlier run", "no evidence", "Decisions", "must pass: is it free to join"} {
			require.Contains(t, words, part)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	require.Empty(t, complaints)
	for _, url := range asked {
		require.Regexp(t, "^(file|data):", url)
	}
}
