package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// What a search in a public FAQ costs, by how many entries there are, while somebody types the question:
//
//	go test -run '^$' -bench FAQSearch ./cmd/faqbot
func BenchmarkFAQSearch(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := config{}
			c.Database.DSN = secret(filepath.Join(b.TempDir(), "faqbot.db"))
			sqldbtest.Copy(b, string(c.Database.DSN), schemas()...)
			require.NoError(b, c.complete())
			log := logrus.New()
			log.SetOutput(io.Discard)
			s, err := newService(b.Context(), c, log, nil)
			require.NoError(b, err)
			defer func() { require.NoError(b, s.close()) }()
			require.NoError(b, s.corpus.EnsureAffiliate(b.Context(), "acme"))
			var rows []knowledge.Row
			for i := range n {
				what := []string{"the commission", "a payout", "the cookie", "my report", "the newsletter", "a coupon", "the contract", "my account"}[i%8]
				where := []string{"in shop", "for network", "of merchant", "with plan", "in country"}[i/8%5]
				rows = append(rows, knowledge.Row{Line: i + 1, Entry: knowledge.Entry{Key: fmt.Sprint(i), Locale: "en", Question: fmt.Sprintf("How do I change %s %s number %d?", what, where, i), Answer: fmt.Sprintf("Write to us about %d.", i)}})
			}
			u, err := s.corpus.Preview(b.Context(), knowledge.Upload{Affiliate: "acme", File: "a.csv", Digest: knowledge.Digest(nil), By: "b"}, rows)
			require.NoError(b, err)
			_, err = s.corpus.Publish(b.Context(), u.ID, "b")
			require.NoError(b, err)
			require.NoError(b, s.brands.Save(b.Context(), "acme", brand.Brand{PublicFAQ: true}, "b", 0))
			require.NoError(b, s.searcher.Refresh(b.Context()))
			routes, typed := s.routes(), "how can i change my payout"
			one := func(i int) {
				r := httptest.NewRequest(http.MethodGet, "/faq/acme?part=1&q="+url.QueryEscape(typed[:2+i%(len(typed)-1)]), nil)
				r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", i>>16&255, i>>8&255, i&255)
				w := httptest.NewRecorder()
				routes.ServeHTTP(w, r)
				require.Equal(b, http.StatusOK, w.Code)
				require.Contains(b, w.Body.String(), "answers found")
			}
			one(0)
			for i := 0; b.Loop(); i++ {
				one(i)
			}
		})
	}
}
