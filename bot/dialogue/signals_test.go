package dialogue

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What each signal must hear, in every language there is, and what it must not.
func TestSignals(t *testing.T) {
	p := phrases(t)
	for name, rows := range map[string]struct{ fires, not []string }{
		"wants_person": {
			[]string{"Can I talk to a real person?", "put me through to your customer service please", "let me speak with a supervisor", "I NEED A HUMAN", "agent",
				"connect me with one of your support agents", "i want an agent", "quiero hablar directamente con un asesor", "pásame con alguien", "preciso falar com uma pessoa de verdade", "quero um atendente"},
			[]string{"am I talking to a real person?", "are you a human being?", "I don't want to talk to a person", "how do I transfer money to another person?",
				"no quiero hablar con una persona", "Can a person have two accounts?", "how do I become an agent", "I want a representative sample of your fees"},
		},
		"complaint": {
			[]string{"This is unacceptable, where is my money", "your service is the worst", "I am sick and tired of this", "WHERE IS MY ORDER!!", "I want to file a complaint",
				"esto es una vergüenza", "estoy harta de esperar", "que palhaçada, ninguém responde", "Isso é um absurdo"},
			[]string{"where is my money", "why did my payment fail?", "How many times can I use the card?", "I have no complaints", "WHERE IS MY ORDER", "Great!!", "is it worth it?"},
		},
		"danger": {
			[]string{"someone hacked my account", "I was charged twice", "this payment was not authorized by me", "I will open a chargeback", "you will hear from my lawyer", "the charger caught fire",
				"me cobraron dos veces", "han hackeado mi cuenta, me hackearon", "fui hackeada", "cobraram duas vezes", "vou processar vocês"},
			[]string{"how do I pay", "can I pay in two parts?", "is there a fee", "quero processar um pagamento"},
		},
		"abuse": {
			[]string{"fuck you", "you stupid bot", "what a bunch of idiots", "vete a la mierda", "eres imbécil", "filho da puta", "vai se foder"},
			[]string{"this may be a stupid question", "I was stupid and lost my card", "do you deliver to Scunthorpe?", "class assessment", "my name is Dick", "burrito delivery"},
		},
		"gibberish": {
			[]string{"asdfgh", "sdkjfhskdjfh", "qwertyuiop", "zxcvbnm asdf", "aaaaaaa", "hjgkfdsl jkhgfdjkh"},
			[]string{"hlp", "where is IMEI", "strengths", "Knightsbridge", "BX1234567", "property", "hmm", "https", "where is my ordr", "Angstschweiß", "haha", "मुझे भुगतान", "XKCD", "pymnt"},
		},
		"greeting": {
			[]string{"hi", "Hiiii", "helo", "hellooo there", "Good morning sir", "hey, how are you?", "buenos dias", "ola, tudo bem?"},
			[]string{"history of orders", "do you offer hello kitty toys"},
		},
		"thanks": {
			[]string{"thanks", "Thank you so much for your help", "it works now, thanks!", "thankss", "ok thx", "mil gracias", "obrigada pela ajuda", "👍"},
			[]string{"ok", "no", "no thanks", "where is the tx id"},
		},
		"goodbye": {
			[]string{"bye", "thanks, bye!", "ok byee", "have a wonderful day", "hasta luego", "tchau"},
			[]string{"can I pay later", "bye-law 7 applies?"},
		},
		"noted": {
			[]string{"ok", "yes", "No.", "no thanks", "great, got it", "vale", "beleza"},
			[]string{"ok thanks", "yes, but how", "no refund yet"},
		},
	} {
		for _, text := range rows.fires {
			require.Contains(t, Read(p, turn(text)).Names(), name, "%q", text)
		}
		for _, text := range rows.not {
			require.NotContains(t, Read(p, turn(text)).Names(), name, "%q", text)
		}
	}
	require.NotContains(t, Read(p, turn(strings.Repeat("the delivery was late and then ", 6)+"I could not talk to a person")).Names(), "wants_person", "a story")
}

// Thanks with a remark need no answer; with a question they do.
func TestPolite(t *testing.T) {
	p := phrases(t)
	for text, want := range map[string]bool{
		"hi Riley": true, "thanks, my sister is happy": true, "hi, my card was declined yesterday": false, "thanks, but where is my card?": false, "my card was declined": false,
	} {
		require.Equal(t, want, Read(p, turn(text)).Polite, "%q", text)
	}
}

func TestLeans(t *testing.T) {
	p := phrases(t)
	for _, text := range []string{"and in Germany?", "how long does that take?", "what about the fees", "why?", "¿y en Alemania?", "quanto tempo isso leva?", "opening hours"} {
		require.GreaterOrEqual(t, leans(p, text), .3, "%q", text)
	}
	require.Zero(t, leans(p, "Where do I download the annual tax report for affiliate income?"))
	require.Zero(t, leans(p, ""))
	require.Greater(t, leans(p, "how long does that take?"), leans(p, "how long does that international bank transfer take in winter?"), "the more it says, the less it leans")
}

func TestSplit(t *testing.T) {
	p := phrases(t)
	for text, want := range map[string][]string{
		"How do I cancel? And do you ship to Canada?":                     {"How do I cancel?", "And do you ship to Canada?"},
		"how do I cancel my order and do you ship to Canada":              {"how do I cancel my order", "and do you ship to Canada"},
		"My card was declined. Why is that? How do I get a refund?":       {"My card was declined. Why is that? How do I get a refund?"},
		"My card was declined. Is my card blocked? How do I get a refund": {"My card was declined. Is my card blocked?", "How do I get a refund"},
		"when do you pay\ncan I be paid by PayPal":                        {"when do you pay", "can I be paid by PayPal"},
		"how do I\nget paid": nil,
		"I ordered a lamp. It has not come. What should I do?": nil,
		"Is version 2.0 out?":                                                              nil,
		"fish and chips and how they are made":                                             nil,
		"¿Cuándo me pagan? ¿Y hacen envíos a Chile?":                                       {"¿Cuándo me pagan?", "¿Y hacen envíos a Chile?"},
		"como cancelo o pedido e também quando recebo meu dinheiro":                        {"como cancelo o pedido", "e também quando recebo meu dinheiro"},
		"What is A1? What is B1? What is C1? What is D1?":                                  nil,
		"Do you ship to Canada? I live in Toronto. Can I pay with PayPal? I have no card.": {"Do you ship to Canada?", "I live in Toronto. Can I pay with PayPal? I have no card."},
	} {
		got := split(p, text)
		for i := range got {
			got[i] = strings.TrimLeft(got[i], "¿ ")
		}
		for i := range want {
			want[i] = strings.TrimLeft(want[i], "¿ ")
		}
		if len(want) == 1 {
			want = nil
		}
		require.Equal(t, want, got, "%q", text)
	}
	require.Equal(t, "a b", squeeze("aa bb"))
	require.True(t, slices.Contains(Read(p, turn("Hellooo")).Names(), "greeting"))
}
