package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge"
	"faqbot/knowledge/waittest"
	"faqbot/retrieval"
)

// entries is how many entries TestPublishWhileSearching publishes: -entries 10000 is the real thing.
var entries = flag.Int("entries", 300, "entries in TestPublishWhileSearching")

// manyEntries writes a FAQ of n entries of an affiliate, in words of its own, and returns its path.
func manyEntries(t *testing.T, dir, affiliate, answer string, n int) string {
	t.Helper()
	random := rand.New(rand.NewPCG(7, uint64(len(affiliate))))
	words := strings.Fields("payout commission cookie refund voucher tracking account banner invoice tax merchant network referral " +
		"coupon statement threshold currency bonus contract report click order return shipping price catalogue feed link")
	asks := []string{"How do I change my %s for the %s?", "When does the %s of a %s end?", "Why is my %s without a %s?", "Where do I see the %s and its %s?"}
	path := filepath.Join(dir, affiliate+".jsonl")
	f, err := os.Create(path)
	require.NoError(t, err)
	out := json.NewEncoder(f)
	for i := range n {
		q := fmt.Sprintf(asks[random.IntN(len(asks))], words[random.IntN(len(words))], words[random.IntN(len(words))])
		require.NoError(t, out.Encode(map[string]any{"id": fmt.Sprint(affiliate, i), "question": fmt.Sprintf("%s (number %d)", q, i), "answer": fmt.Sprint(affiliate, " ", answer, " ", i)}))
	}
	require.NoError(t, f.Close())
	return path
}

// While affiliates publish, every search finds something, and nobody finds another's entry; what was
// published is live within 2 s.
func TestPublishWhileSearching(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes long")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "faqbot.toml")
	require.NoError(t, os.WriteFile(config, []byte("[database]\ndsn = '"+filepath.Join(dir, "faqbot.db")+"'\n"), 0o600))
	publish := func(affiliate, answer string) time.Duration {
		began := time.Now()
		cmd := exec.CommandContext(t.Context(), "faqbot", "import", "--config", config, manyEntries(t, dir, affiliate, answer, *entries), "--affiliate", affiliate, "--publish")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return time.Since(began)
	}
	t.Logf("first publish of %d entries, vectors included: %v", *entries, publish("one", "first").Round(time.Millisecond))
	publish("two", "first")

	c, err := loadConfig(config)
	require.NoError(t, err)
	log := logrus.New()
	log.SetOutput(t.Output())
	s, err := newService(t.Context(), c, log, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.close()) }()
	require.NoError(t, s.searcher.Refresh(t.Context()))

	var searches atomic.Int64
	stop := make(chan struct{})
	var g errgroup.Group
	for client := range 8 {
		affiliate := knowledge.AffiliateID([]string{"one", "two"}[client%2])
		g.Go(func() error {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return nil
				default:
				}
				r, err := s.searcher.Search(t.Context(), retrieval.Query{Text: fmt.Sprintf("how do I change my payout (number %d)", i%*entries), Affiliates: []knowledge.AffiliateID{affiliate}})
				if err != nil {
					return err
				}
				if len(r.Hits) == 0 {
					return fmt.Errorf("search %d of %s found nothing", i, affiliate)
				}
				for _, h := range r.Hits {
					if h.Entry.Affiliate != affiliate || !strings.HasPrefix(h.Entry.Answer, string(affiliate)+" ") {
						return fmt.Errorf("%s found an entry of %s", affiliate, h.Entry.Affiliate)
					}
				}
				searches.Add(1)
			}
		})
	}
	running, end := context.WithCancel(t.Context())
	g.Go(func() error { _ = s.searcher.Run(running); return nil }) // its error is that running ended
	for _, affiliate := range []string{"one", "two", "one"} {
		answer := fmt.Sprint("edited ", searches.Load())
		publish(affiliate, answer)
		published := time.Now()
		for {
			r, err := s.searcher.Search(t.Context(), retrieval.Query{Text: "payout", Affiliates: []knowledge.AffiliateID{knowledge.AffiliateID(affiliate)}, Limit: 1})
			require.NoError(t, err)
			if strings.Contains(r.Hits[0].Entry.Answer, answer) {
				break
			}
			require.Less(t, time.Since(published), waittest.Hang, "never live")
		}
		t.Logf("%s: live %v after the publishing command ended; %d searches so far", affiliate, time.Since(published).Round(time.Millisecond), searches.Load())
	}
	close(stop)
	end()
	require.NoError(t, g.Wait())
}
