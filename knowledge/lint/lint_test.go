package lint

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
)

func TestFind(t *testing.T) {
	entry := func(id, locale, question, answer string, variants ...string) knowledge.Entry {
		return knowledge.Entry{ID: knowledge.EntryID(id + locale), Key: id, Locale: locale, Question: question, Answer: answer, Variants: variants}
	}
	spring := entry("spring", "en", "What is the sale?", "Ten per cent.")
	spring.To = time.Date(2030, 4, 1, 0, 0, 0, 0, time.UTC)
	summer := entry("summer", "en", "What is the sale?", "Twenty per cent.")
	summer.From = spring.To
	for name, test := range map[string]struct {
		entries []knowledge.Entry
		want    []Finding
	}{
		"one wording, two answers": {[]knowledge.Entry{entry("a", "en", "When do you pay?", "On the 15th."), entry("b", "en", "Payday", "On the 1st.", "when do you PAY", "when do you pay?!")},
			[]Finding{{Contradiction, "ben", "aen", "when do you PAY", ""}}},
		"one wording, one answer":                      {[]knowledge.Entry{entry("a", "en", "Pay?", "Soon."), entry("b", "en", "Pay", "soon")}, []Finding{{SameWording, "ben", "aen", "Pay", ""}}},
		"not in another language, nor at another time": {[]knowledge.Entry{entry("a", "en", "Wifi?", "Yes."), entry("b", "es", "Wifi?", "Sí."), spring, summer}, nil},
		"C++ is not C#":                                {[]knowledge.Entry{entry("a", "en", "Do you know C++?", "Yes, very well."), entry("b", "en", "Do you know C#?", "No, not at all.")}, nil},
		"one answer": {[]knowledge.Entry{entry("a", "en", "A?", "We pay on the 15th of each month."), entry("b", "en", "B?", "We pay on the 15th of each month!"), entry("c", "en", "C?", "Yes."), entry("d", "en", "D?", "Yes.")},
			[]Finding{{SameAnswer, "ben", "aen", "", ""}}},
		"only a link": {[]knowledge.Entry{entry("a", "en", "A?", "Please see https://a.example/terms for that."), entry("b", "en", "B?", "Within 30 days: https://a.example"), entry("c", "en", "C?", "Ask your bank for the form and send it to us, or see www.a.example/form")},
			[]Finding{{Pointer, "aen", "", "", ""}}},
		"a language is missing": {[]knowledge.Entry{entry("a", "en", "A?", "1"), entry("a", "es", "A?", "1"), entry("b", "en", "B?", "2"), entry("b", "es", "B?", "2"), entry("c", "en", "C?", "3"), entry("c", "fr", "C?", "3")},
			[]Finding{{NoLocale, "cen", "", "es", ""}}},
		"each entry in one language": {[]knowledge.Entry{entry("a", "en", "A?", "1"), entry("b", "es", "B?", "2")}, nil},
		"too long for a channel":     {[]knowledge.Entry{entry("long", "en", "A?", "a long answer")}, []Finding{{Cut, "longen", "", "Instagram", ""}}},
		"a picture that nothing describes": {[]knowledge.Entry{{ID: "p", Question: "A?", Answer: "1", Media: []knowledge.Media{{Kind: "photo", Link: "https://a.example/x.png"}, {Kind: "photo", Name: "y.png", File: "f", Alt: "a plan"}, {Kind: "document", Name: "z.pdf"}}}},
			[]Finding{{NoAlt, "p", "", "https://a.example/x.png", ""}}},
		"an affiliate link that nothing discloses": {[]knowledge.Entry{entry("a", "en", "A?", "The best one is this: https://www.amazon.de/dp/1?tag=me-21 and it lasts for years."),
			entry("b", "en", "B?", "The second best (affiliate link): https://shop.example/?aff=7 which is cheaper still."), entry("c", "en", "C?", "See the terms on https://shop.example/?page=2 for all that, they are short."),
			entry("d", "es", "D?", "La mejor es esta: https://shop.example/x?aff_id=7 y dura muchos años de verdad.")},
			[]Finding{{Undisclosed, "aen", "", "https://www.amazon.de/dp/1?tag=me-21", ""}, {Undisclosed, "des", "", "https://shop.example/x?aff_id=7", ""}}},
	} {
		got := Find(test.entries, func(e knowledge.Entry) string {
			if e.Key == "long" {
				return "Instagram"
			}
			return ""
		})
		require.Equal(t, test.want, got, name)
	}
}

func TestLinks(t *testing.T) {
	require.Equal(t, []string{"https://a.example/x", "http://b.example/wiki/A_(b)", "https://c.example/?q=1"}, Links(knowledge.Entry{Answer: "See https://a.example/x. (Or http://b.example/wiki/A_(b)) and https://a.example/x, ftp://d.example",
		Media: []knowledge.Media{{Link: "https://c.example/?q=1"}, {File: "f"}}}))
}

func TestUnsaid(t *testing.T) {
	entries := []knowledge.Entry{{ID: "a", Question: "How do I effect remittance?"}, {ID: "b", Question: "Remittance schedule?", Variants: []string{"when am I paid"}}, {ID: "c", Question: "Remuneration?"}}
	got := func(id knowledge.EntryID) bool { return id == "c" }
	asked := slices.Repeat([]string{"when will I be paid", "how do you pay"}, 150)
	require.Equal(t, []Finding{{UnsaidWords, "a", "", "effect, remittance", ""}}, Unsaid(entries, asked, got), "one is asked for in other words, one was got")
	require.Empty(t, Unsaid(entries, append(asked, "the effects of a remittance"), got), "in any form")
	require.Empty(t, Unsaid(entries, asked[1:], got), "too few questions to say")
}
