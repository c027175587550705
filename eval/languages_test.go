package eval

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/language"
)

func TestLanguagesTold(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "xsid/faq.jsonl", `{"id":"x","question":"x"}`)
	write(t, dir, "xsid/queries.jsonl", `{"id":"1","text":"zeige mir alle Bestellungen","relevant":["x"],"lang":"de"}
{"id":"2","text":"Harry Potter und der Stein der Weisen wird nicht geliefert","relevant":["x"],"lang":"de"}
{"id":"3","text":"我 的 订 单 在 哪 里","relevant":["x"],"lang":"zh"}
{"id":"4","text":"PayPal","relevant":["x"],"lang":"en"}`)
	r := &Report{}
	require.NoError(t, r.languagesTold(dir))
	require.Equal(t, Confusion{"de": {"de": 2}, "zh": {"zh": 1}, "en": {"": 1}}, r.Languages)
	require.InDelta(t, .75, r.Checks[0].Value, 1e-9)
	require.InDelta(t, .75, r.Checks[1].Value, 1e-9)
	var table strings.Builder
	r.Languages.print(&table)
	require.Contains(t, table.String(), "en\t1\t.000\tnone 1")
}

// What is fitted to words tells them, and is as the package reads it.
func TestFitLanguages(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "words/en.txt", "where is my order the and")
	write(t, dir, "words/de.txt", "wo ist meine Bestellung die und")
	write(t, dir, "lists/de.txt", "nicht 3.5\nund 100\n")
	packed, err := FitLanguages(dir)
	require.NoError(t, err)
	head, weights, _ := strings.Cut(string(packed), "\n")
	require.Equal(t, "de en", head)
	require.Len(t, weights, 2*language.Buckets)
	odds := 0
	for _, at := range language.Features("nicht") {
		odds += int(int8(weights[2*at])) - int(int8(weights[2*at+1]))
	}
	require.Positive(t, odds)
	_, err = FitLanguages(t.TempDir())
	require.ErrorContains(t, err, "no words")
	write(t, dir, "lists/en.txt", "the many")
	_, err = FitLanguages(dir)
	require.ErrorContains(t, err, "en.txt")
}
