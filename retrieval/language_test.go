package retrieval_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval"
	"faqbot/retrieval/encoder"
)

// multilingual returns a Searcher with both built-in encoders over what c has.
func multilingual(t *testing.T, c *corpus) *retrieval.Searcher {
	t.Helper()
	e, err := encoder.New()
	require.NoError(t, err)
	m, err := encoder.NewMultilingual()
	require.NoError(t, err)
	if m == nil {
		t.Skip("built for English alone")
	}
	return fresh(t, c, e, retrieval.SearcherOptions{Multilingual: m})
}

func find(t *testing.T, s *retrieval.Searcher, language, text string, a knowledge.AffiliateID) retrieval.Result {
	t.Helper()
	found, err := s.Search(t.Context(), retrieval.Query{Text: text, Language: language, Affiliates: []knowledge.AffiliateID{a}})
	require.NoError(t, err)
	require.NotEmpty(t, found.Hits)
	return found
}

func TestEntriesInAnyLanguageAreFound(t *testing.T) {
	c := newCorpus()
	c.publish("tienda",
		knowledge.Entry{ID: "envio", Affiliate: "tienda", Question: "¿Cuánto tarda el envío?", Answer: "Los pedidos llegan en tres días laborables."},
		knowledge.Entry{ID: "devolver", Affiliate: "tienda", Question: "¿Cómo devuelvo un artículo?", Answer: "Imprime la etiqueta y déjalo en un punto de recogida."},
		knowledge.Entry{ID: "pago", Affiliate: "tienda", Question: "¿Qué formas de pago hay?", Answer: "Tarjeta, transferencia y Bizum."})
	s := multilingual(t, c)
	for text, want := range map[string]knowledge.EntryID{
		"cuándo me llega el paquete":              "envio",
		"quiero mandar de vuelta los zapatos":     "devolver",
		"when will my parcel arrive":              "envio",
		"kann ich die Schuhe zurückschicken":      "devolver",
		"クレジットカードで払えますか":                          "pago",
		"можно ли вернуть товар, если не подошёл": "devolver",
	} {
		found := find(t, s, "", text, "tienda")
		require.Equal(t, want, found.Hits[0].Entry.ID, text)
		require.True(t, found.Multilingual, text)
	}
}

func TestEnglishEntriesAreFoundInAnyLanguage(t *testing.T) {
	c := newCorpus()
	c.publish("shop",
		knowledge.Entry{ID: "delivery", Affiliate: "shop", Question: "How long does delivery take?", Answer: "Orders arrive within three working days."},
		knowledge.Entry{ID: "return", Affiliate: "shop", Question: "How do I return an item?", Answer: "Print the label and take it to a parcel shop."},
		knowledge.Entry{ID: "pay", Affiliate: "shop", Question: "Which ways to pay are there?", Answer: "You can pay by card or by bank transfer."})
	s := multilingual(t, c)
	for _, ask := range []struct {
		language, text string
		want           knowledge.EntryID
		multilingual   bool
	}{
		{"en", "when will my parcel arrive", "delivery", false},
		{"", "delivery", "delivery", false},
		{"es", "¿cuándo llega mi paquete?", "delivery", true},
		{"pt-BR", "como faço para devolver os sapatos?", "return", true},
		{"other", "можно ли вернуть товар, если не подошёл", "return", true},
		{"en", "how can I pay", "pay", false},
	} {
		found := find(t, s, ask.language, ask.text, "shop")
		require.Equal(t, ask.want, found.Hits[0].Entry.ID, ask.text)
		require.Equal(t, ask.multilingual, found.Multilingual, ask.text)
	}
}

func TestAFewForeignEntriesLeaveAnFAQEnglish(t *testing.T) {
	entries := []knowledge.Entry{{ID: "es", Affiliate: "shop", Locale: "es", Question: "¿Cuánto tarda el envío?"}}
	english := []string{"How long does delivery take?", "Can I return what I bought?", "refund", "Where is my order now?", "How do I pay?",
		"Do you ship to Spain?", "What are the fees?", "Who are you?", "Is there a discount for students?", "How can I reach the support?"}
	for _, q := range english {
		entries = append(entries, knowledge.Entry{ID: knowledge.EntryID(q), Affiliate: "shop", Question: q})
	}
	e, m := newBag("english"), newBag("multilingual")
	both := retrieval.Builtin{English: e, Multilingual: m}
	require.Equal(t, "english", both.For(entries).Space())
	require.Equal(t, "multilingual", both.For(entries[:5]).Space(), "one of five")
	require.Equal(t, "english", retrieval.Builtin{English: e}.For(entries[:1]).Space(), "built for English alone")
	require.Equal(t, "multilingual", both.For([]knowledge.Entry{{Question: "Hvor lang tid tager leveringen, og hvad koster det at sende til Sverige?"}}).Space())
	require.Equal(t, "multilingual", both.For([]knowledge.Entry{{Question: "送料はいくらですか"}}).Space())
}
