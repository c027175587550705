package faqsite_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// manyEntries are as long as those of real FAQs, 60 characters that ask and 280 that answer, in words that do not repeat much.
func manyEntries(n int) (list []knowledge.Entry) {
	words := strings.Fields("commission payout cookie tracking newsletter coupon invoice partner customer refund order merchant approval threshold banner network report deadline currency account transfer bonus campaign product link season")
	state := uint32(7)
	next := func() string { state = state*1664525 + 1013904223; return words[state>>16%uint32(len(words))] }
	text := func(size int) string {
		var b strings.Builder
		for b.Len() < size {
			fmt.Fprintf(&b, "%s%d ", next(), state>>8%1000)
		}
		return strings.TrimSpace(b.String())
	}
	for i := range n {
		list = append(list, knowledge.Entry{Key: fmt.Sprintf("k%05d", i), Question: fmt.Sprintf("Question %d about %s?", i, text(35)), Answer: text(280) + ".", Topic: words[i%8], Locale: "en"})
	}
	return list
}

// What a hundred entries weigh, and what a page of thousands lists.
func TestBudgets(t *testing.T) {
	t.Parallel()
	d := newDesk(t, sqldbtest.Migrated(t, schemas()...))
	d.publish(manyEntries(100)...)
	d.open(brand.Brand{})
	w := d.ask("GET", "/faq/acme", "", "Accept-Encoding", "gzip")
	t.Logf("100 entries: %d bytes gzip", w.Body.Len())
	require.LessOrEqual(t, w.Body.Len(), 30_000)
	z, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
	require.NoError(t, err)
	body, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Len(t, ldOf(t, string(body)), 100)
	require.NotRegexp(t, `<script(?: src="[^"]*")?>`, string(body), "no script that the page waits for")
	d.publish(manyEntries(1500)...)
	list := d.read("/faq/acme")
	require.Less(t, len(list), 30_000)
	topic := d.read("/faq/acme/in/en/commission?page=2")
	require.Contains(t, topic, `aria-current="page">2</a>`)
	require.Equal(t, 404, d.status("/faq/acme/in/en/commission?page=99"))
	linked := map[string]bool{}
	for _, m := range regexp.MustCompile(`<loc>`+home+`([^<]+)</loc>`).FindAllStringSubmatch(d.read2("/faq/acme/sitemap.xml"), -1) {
		linked[html.UnescapeString(m[1])] = true
	}
	require.Contains(t, linked, "/faq/acme/in/en/commission?page=2")
	require.Greater(t, len(linked), 1500)
	files, err := filepath.Glob("assets/*")
	require.NoError(t, err)
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Less(t, len(data), 9_000, name)
	}
}
