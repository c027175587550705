package language_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/language"
)

// A few words show their language, one often does, and a name or an "ok" shows none.
func TestOf(t *testing.T) {
	d, err := language.New()
	require.NoError(t, err)
	for text, want := range map[string]string{
		"where is my order": "en", "hello": "en", "me regresan mi dinero": "es", "hola": "es", "gracias": "es", "dónde está mi pedido": "es",
		"cadê meu pedido": "pt", "obrigado": "pt", "oi, tudo bem?": "pt", "bonjour je veux parler à quelqu'un": "fr", "merci": "fr",
		"ich will mein geld zurück": "de", "danke": "de", "grazie mille": "it", "dove si trova il mio pacco": "it", "waar is mijn bestelling": "nl",
		"hvor er min ordre henne": "da", "siparişim nerede": "tr", "di mana pesanan saya": "id", "terima kasih": "id", "मेरा ऑर्डर कहाँ है": "hi",
		"kya mera order aa gaya": "hi-Latn", "mera paisa kab milega bhai": "hi-Latn", "أين طلبي": "ar", "フォームはどこですか": "ja", "我的订单在哪里": "zh",
		"где мой заказ": "ru", "менің тапсырысым қайда": "kk", "gdje je moja narudžba": "sr", "где је моја поруџбина": "sr", "جمع\u200cآوری پول من کجاست": "fa",
		"สวัสดีครับ": "th", "내 주문은 어디에 있나요": "ko", "πού είναι η παραγγελία μου": "el", "איפה ההזמנה שלי": "he", "gdzie jest moja paczka": "pl",
		"je voudrais the return policy": "fr", "mi pedido de Harry Potter no llega": "es", "طلبي من Amazon لم يصل": "ar",
		"ok": "", "PayPal": "", "no": "", "👍": "", "42": "", "": "", "iPhone 15 Pro Max": "", "Amazon": "", "si": "", "DHL": "", "😂😂": "",
	} {
		require.Equal(t, want, d.Of(text), text)
	}
}

// How much surer a text is of its language than of another decides whether an answer is in another language.
func TestGuess(t *testing.T) {
	d, err := language.New()
	require.NoError(t, err)
	g := d.Guess("¿cuándo recibo mi dinero?")
	require.Equal(t, "es", g.Language)
	require.Zero(t, g.Odds["es"])
	require.Less(t, g.Odds["en"], -5.0)
	require.Greater(t, g.Odds["pt"], g.Odds["en"], "their words are alike")
	require.NotContains(t, g.Odds, "ru", "never written so")
	require.Empty(t, d.Guess("").Odds)
	require.Equal(t, "fr", d.Guess(strings.Repeat("je voudrais un remboursement ", 1000)).Language)
}
