package dialogue

import (
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval"
	"faqbot/retrieval/contrast"
	"faqbot/retrieval/encoder"
)

// borders has entries about France, Germany and an app for one phone.
func borders(t *testing.T) Retriever {
	t.Helper()
	e, err := encoder.New()
	require.NoError(t, err)
	entry := func(id, question, answer string) knowledge.Entry {
		return knowledge.Entry{ID: knowledge.EntryID(id), Key: id, Question: question, Answer: answer}
	}
	s := retrieval.NewSearcher(NewUnpublished("acme", []knowledge.Entry{
		entry("fr", "How long does delivery to France take?", "Delivery to France takes 3 to 5 working days."),
		entry("de", "How long does delivery to Germany take?", "Delivery to Germany takes 2 to 4 working days."),
		entry("visa", "Can I pay with Visa?", "Yes. Visa is accepted at the checkout."),
		entry("ios", "Is there an app for iPhone?", "Yes, look for AcmeShop in the App Store."),
		entry("email", "How do I change my email address?", "Under Settings, Profile, Email."),
		entry("paid", "How do I get paid?", "By bank transfer on the 15th."),
	}), e, retrieval.SearcherOptions{})
	require.NoError(t, s.Refresh(t.Context()))
	return s
}

// customerOf talks to acme.
func customerOf(t *testing.T, r Retriever) *talk {
	k := newTalk(t, r, "webchat")
	k.turn.Account.Affiliates = []knowledge.AffiliateID{"acme"}
	return k
}

// Who asks about Spain learns that there is nothing about it and what there is, never how long it takes to France.
func TestAnotherMemberOfAKindIsSaidNotToBeThere(t *testing.T) {
	r := borders(t)
	for _, c := range []struct{ asked, says string }{
		{"How long does delivery to Spain take?", "I have nothing about “Spain”. This is the closest I have: [How long does delivery to France take?]"},
		{"Can I pay with PayPal?", "I have nothing about “PayPal”. This is the closest I have: [Can I pay with Visa?]"},
		{"is there an app for android?", "I have nothing about “android”. This is the closest I have: [Is there an app for iPhone?]"},
	} {
		o := customerOf(t, r).say(c.asked)
		require.Equal(t, bot.ActionClarify, o.Decision.Action, c.asked)
		require.Contains(t, words(o), c.says)
		require.Contains(t, words(o), "[Talk to a person]")
	}
	for _, asked := range []string{"How long does delivery to Germany take?", "when will my parcel reach France", "is visa ok", "do you have an iphone app"} {
		require.Equal(t, bot.ActionAnswer, customerOf(t, r).say(asked).Decision.Action, asked)
	}
}

// A follow-up about another member of the kind is not answered with what was answered before.
func TestFollowUpAboutAnotherMember(t *testing.T) {
	k := customerOf(t, borders(t))
	require.Equal(t, bot.ActionAnswer, k.say("How long does delivery to France take?").Decision.Action)
	o := k.say("and to Spain?")
	require.Equal(t, bot.ActionClarify, o.Decision.Action)
	require.Contains(t, words(o), "I have nothing about “Spain”.")
	o = k.say("and to Germany?")
	require.Equal(t, []knowledge.EntryID{"de"}, o.Decision.Entries)
	require.Equal(t, bot.ActionAnswer, o.Decision.Action)
}

func TestContrastIsSaidInTheCustomersLanguage(t *testing.T) {
	found := hits(hit("fr", .98, 0))
	found.Hits[0].Entry.Locale = ""
	found.Hits[0].Contrast = &contrast.Contrast{Asked: "España", Known: "Francia", Nowhere: true, Sure: true}
	for asked, says := range map[string]string{
		"¿Cuánto tarda el envío a España?":         "No tengo nada sobre «España».",
		"Quanto tempo demora a entrega na España?": "Não tenho nada sobre “España”.",
	} {
		require.Contains(t, words(newTalk(t, fixed{found: found}, "webchat").say(asked)), says)
	}
	found.Hits[0].Contrast = &contrast.Contrast{Asked: "España", Known: "Francia", Sure: true}
	o := newTalk(t, fixed{found: found}, "webchat").say("how long does delivery to España take?")
	require.Contains(t, words(o), "Did you mean this?", "another entry speaks of it")
}

// A menu of neighbours is shown twice in a row at most; then a person is offered.
func TestContrastsLeadToAPersonInTheEnd(t *testing.T) {
	k := customerOf(t, borders(t))
	handed := false
	for _, asked := range []string{"How long does delivery to Spain take?", "How long does delivery to Italy take?", "How long does delivery to Poland take?", "How long does delivery to Norway take?", "How long does delivery to Malta take?"} {
		o := k.say(asked)
		require.NotEqual(t, bot.ActionAnswer, o.Decision.Action, asked)
		handed = handed || o.Decision.Action == bot.ActionHandoff
	}
	require.True(t, handed)
}
