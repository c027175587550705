package locale_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/locale"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		preferred    []string
		match, first string
		rtl          bool
	}{
		{nil, "en", "en", false},
		{[]string{"", "?*", "<script>", "und"}, "en", "en", false},
		{[]string{"es-MX"}, "es", "es-MX", false},
		{[]string{"", "pt,en;q=0.5"}, "pt-BR", "pt", false},
		{[]string{"pt-PT"}, "pt-BR", "pt-PT", false},
		{[]string{"de", "es"}, "es", "de", false},
		{[]string{"de, es;q=0.8, en;q=0.5"}, "es", "de", false},
		{[]string{"ar"}, "en", "ar", true},
		{[]string{"", "he-IL;q=0.9, en"}, "en", "he-IL", true},
		{[]string{"fa"}, "en", "fa", true},
		{[]string{"ur-PK", "es"}, "en", "ur-PK", true}, // CLDR: who reads Urdu rather reads English
		{[]string{"az-Arab"}, "en", "az-Arab", true},
		{[]string{strings.Repeat("x", 5000), "es"}, "es", "es", false},
	} {
		require.Equal(t, c.match, locale.Match(c.preferred...), "%.60q", c.preferred)
		require.Equal(t, c.first, locale.First(c.preferred...), "%.60q", c.preferred)
		require.Equal(t, c.rtl, locale.RightToLeft(c.first), c.first)
	}
}

func TestRead(t *testing.T) {
	files := fstest.MapFS{"words/en.json": {Data: []byte("e")}, "words/es.json": {Data: []byte("s")}, "words/pt-BR.json": {Data: []byte("p")}, "words/de.json": {Data: []byte("d")}}
	read := ""
	add := func(_ string, data []byte) error { read += string(data); return nil }
	require.NoError(t, locale.Read(files, "words", add))
	require.Equal(t, "esp", read)
	delete(files, "words/es.json")
	err := locale.Read(files, "words", add)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "texts in es")
	broken := errors.New("no phrase")
	require.ErrorIs(t, locale.Read(files, "words", func(string, []byte) error { return broken }), broken)
}

func TestOtherScript(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "2️⃣ 👍": false, "¿Dónde está mi pedido?": false, "PayPal で払うことはできますか。": true, "когда": true, "Wo ist Straße 7?": false,
	} {
		require.Equal(t, want, locale.OtherScript(text), text)
	}
}
