package contrast

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func find(t *testing.T, question, before, answer string, wordings ...string) *Contrast {
	t.Helper()
	l := Load()
	read := l.Read
	e := Entry{Answer: read(answer)}
	for _, w := range wordings {
		e.Wordings = append(e.Wordings, read(w))
	}
	var said []Text
	if before != "" {
		said = append(said, read(before))
	}
	return l.Find([]Text{read(question)}, said, e, func(word string) bool { return word != "Acme" })
}

func TestContrasts(t *testing.T) {
	for _, c := range []struct{ wording, answer, question, asked, known string }{
		{"How long does delivery to France take?", "Three days.", "How long does delivery to Spain take?", "Spain", "France"},
		{"How long does delivery to France take?", "Three days.", "i live in spain, when will my parcel come", "spain", "France"},
		{"¿Hacen envíos a Francia?", "Sí.", "¿y a Mexico?", "Mexico", "Francia"},
		{"Vocês entregam na Alemanha?", "Sim.", "e em Portugal, entregam?", "Portugal", "Alemanha"},
		{"What is the commission in the US?", "8 %.", "What is the commission in the UK?", "UK", "US"},
		{"Can I pay with Visa?", "Yes.", "Can I pay with American Express?", "American Express", "Visa"},
		{"Can I pay with Visa?", "Yes.", "is bank transfer ok", "bank transfer", "Visa"},
		{"Are you open on Monday?", "Yes, on Mondays.", "Are you open on Sundays?", "Sundays", "Monday"},
		{"Is there a webinar in March?", "Yes.", "Is there a webinar in May?", "May", "March"},
		{"What does the Basic plan cost?", "9 EUR.", "What does the Premium plan cost?", "Premium", "Basic"},
		{"How do I change my email address?", "Under Settings.", "How do I delete my email address?", "delete", "change"},
		{"Where is the manual of the X200?", "Below Downloads.", "I need the manual for a X300", "X300", "X200"},
		{"What does error 404 mean?", "Nothing is there.", "what does error 500 mean", "500", "404"},
		{"How do I pair the speaker with my phone?", "Hold the button.", "connecting the speaker to a laptop", "laptop", "phone"},
		{"Do you sell Zalando cards?", "Yes.", "Do you sell AcmePhone cards?", "AcmePhone", "Zalando"},
	} {
		got := find(t, c.question, "", c.answer, c.wording)
		require.NotNil(t, got, c.question)
		require.Equal(t, Contrast{Asked: c.asked, Known: c.known, Sure: true}, *got, c.question)
	}
}

func TestNoContrast(t *testing.T) {
	for name, c := range map[string]struct {
		question, answer string
		wordings         []string
	}{
		"the same member":              {"does it get to norway", "Yes.", []string{"Do you ship to Norway?"}},
		"another name of it":           {"Do you ship to Great Britain?", "Yes.", []string{"Do you ship to the UK?"}},
		"a part of it":                 {"Do you ship to Scotland?", "Yes.", []string{"Do you ship to the UK?"}},
		"us is no country":             {"Can you ship to us?", "Yes.", []string{"Do you ship to Norway?"}},
		"may is no month":              {"may I join", "Yes.", []string{"Is there a webinar in March?"}},
		"the answer has it":            {"Can I pay with PayPal?", "With Visa, Mastercard or PayPal.", []string{"Can I pay with Visa?"}},
		"the question has both":        {"Is delivery to Spain dearer than to France?", "No.", []string{"What does delivery to France cost?"}},
		"a place that takes anything":  {"How do I say hello in Greek?", "Ask me.", []string{"How do I say hello in Spanish?", "how do i say dog in german"}},
		"paraphrase with another verb": {"I would like to delete the old one and use another address", "Under Settings.", []string{"How do I change my email address?"}},
		"inflected":                    {"cancellation of orders", "Press Cancel.", []string{"How do I cancel an order?"}},
		"a date":                       {"my order of the 14th", "Look below Orders.", []string{"Where is my order of the 12th?"}},
		"days are a number":            {"can I send it back in 21 days", "Yes, within 14.", []string{"Can I return it in 14 days?"}},
		"a code in two parts":          {"symptoms of covid 19", "Cough.", []string{"What are the symptoms of COVID-19?"}},
		"most wordings do without":     {"a table on friday please", "Call us.", []string{"book a table", "can I reserve", "a table for saturday"}},
		"what everything is about":     {"does Globex charge a fee", "No.", []string{"Does Acme charge a fee?"}},
		"a card of that kind":          {"can I use my visa", "Yes.", []string{"Can I pay by credit card?"}},
		"a list of examples":           {"is cotton fine", "Yes.", []string{"Can I wash wool, silk etc. in it?"}},
		"sequel to the same":           {"and how long does it take?", "Three days.", []string{"How long does delivery to France take?"}},
	} {
		if got := find(t, c.question, "", c.answer, c.wordings...); got != nil {
			require.False(t, got.Sure, "%s: %+v", name, got)
		}
	}
}

func TestOneOtherWordMayMeanTheSame(t *testing.T) {
	got := find(t, "How do I view my invoice?", "", "Below Orders.", "How do I see my invoice?")
	require.Equal(t, &Contrast{Asked: "view", Known: "see"}, got)
	require.Nil(t, find(t, "How do I view my invoice?", "", "Below Orders.", "How do I see my invoice?", "show me my invoice", "where can I look at my invoice", "my invoice"), "an entry with many wordings shows what may stand there")
	require.Nil(t, find(t, "Where can somebody view an invoice?", "", "Below Orders.", "How do I see my invoice?"), "more than that word is other")
}

func TestWhatWasSaidBefore(t *testing.T) {
	wording := "How long does delivery to France take?"
	require.Equal(t, "Spain", find(t, "and how long?", "Do you deliver to Spain?", "Three days.", wording).Asked)
	require.Nil(t, find(t, "and to France?", "Do you deliver to Spain?", "Three days.", wording), "the question counts where it says")
}

func TestLexicon(t *testing.T) {
	l := Load()
	require.Greater(t, len(l.members), 600)
	for _, list := range l.names {
		for _, n := range list {
			require.NotEmpty(t, n.words)
		}
	}
	for i, m := range l.members {
		if m.within >= 0 {
			require.Equal(t, m.kind, l.members[m.within].kind, "%v", l.nameOf(i))
		}
	}
}

func (l *Lexicon) nameOf(member int) (list []string) {
	for _, names := range l.names {
		for _, n := range names {
			if n.member == member {
				list = append(list, strings.Join(n.words, " "))
			}
		}
	}
	return list
}
