package dialogue

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/retrieval"
)

// brands holds a brand for each affiliate.
type brands map[knowledge.AffiliateID]brand.Brand

func (b brands) Of(_ context.Context, affiliate knowledge.AffiliateID) (brand.Brand, error) {
	return b[affiliate], nil
}

// The bot speaks as the affiliate wants it to, on every channel, and as ever where they said nothing.
func TestBrand(t *testing.T) {
	own := brand.Brand{Name: "Acme Deals", SaysLinks: true, Imprint: "https://acme.example/imprint", Privacy: "https://acme.example/privacy", Locale: "es",
		Phrases: map[string]map[string]string{"en": {"start": "Ahoy!", "thanks": "Any time."}}}
	talkOf := func(channel string, b brand.Brand) *talk {
		k := newTalk(t, shop{}, channel)
		k.turn.Account.Affiliates, k.turn.Conversation.Affiliate = []knowledge.AffiliateID{"acme"}, "acme"
		k.e = k.e.WithBrands(brands{"acme": b})
		return k
	}
	for _, channel := range []string{"telegram", "whatsapp"} {
		k := talkOf(channel, own)
		links := k.e.phrases.Say("en", PhraseAffiliateLinks)
		k.turn.Disclose = true
		require.Equal(t, "Ahoy!\n\n"+links+" [Talk to a person]", words(k.say("hello")))
		first := words(k.say("how do I get paid?"))
		require.Contains(t, first, links+"\n\nanswer paid", "before the answer, in the same message")
		k.turn.Disclose = false
		require.NotContains(t, words(k.say("how do I get paid?")), links)
		require.Equal(t, "Any time.", words(k.say("thank you")))
		who := words(k.say("who are you?"))
		require.Contains(t, who, "the automated assistant of Acme Deals")
		require.Contains(t, who, "\n\nImprint: https://acme.example/imprint\nPrivacy: https://acme.example/privacy")
		require.NotContains(t, who, "Ahoy")
		require.Equal(t, "¡De nada!", words(k.say("gracias"))[:len("¡De nada!")], "another language has ours")
	}
	k := talkOf("telegram", own)
	k.turn.Conversation.Locale = ""
	require.Contains(t, words(k.say("👋")), "¡Hola!", "in the affiliate's language where the customer's does not show")
	plain, ever := talkOf("telegram", brand.Brand{}), newTalk(t, shop{}, "telegram")
	ever.turn.Account.Affiliates, ever.turn.Conversation.Affiliate = []knowledge.AffiliateID{"acme"}, "acme"
	for _, text := range []string{"hello", "who are you?", "how do I get paid?", "thanks", "xyzzy qwerty"} {
		plain.turn.Disclose, ever.turn.Disclose = true, true
		require.Equal(t, words(ever.say(text)), words(plain.say(text)), text)
	}
}

// A topic that a person answers goes to one, with the bot's answer as a draft if the affiliate wants that.
func TestTopicPolicy(t *testing.T) {
	for policy, want := range map[brand.Policy]string{brand.PolicyAnswer: "", brand.PolicyDraft: "answer paid", brand.PolicyPerson: ""} {
		k := newTalk(t, topical{}, "telegram")
		k.e = k.e.WithBrands(brands{"acme": {Topics: map[string]brand.Policy{"payouts": policy}}})
		o := k.say("how do I get paid?")
		if policy == brand.PolicyAnswer {
			require.Contains(t, words(o), "answer paid")
			continue
		}
		require.Equal(t, bot.Decision{Action: bot.ActionHandoff, Reason: bot.ReasonTopicPolicy, Score: .9}, o.Decision)
		require.NotContains(t, words(o), "answer paid")
		require.Equal(t, bot.ModePerson, o.Next.Mode)
		require.Equal(t, want, o.Escalate.Draft)
		require.Equal(t, "Payouts", o.Escalate.Topic)
		require.Equal(t, knowledge.AffiliateID("acme"), o.Escalate.Affiliate)
		require.Equal(t, []knowledge.EntryID{"paid"}, o.Escalate.Tried)
		k = newTalk(t, topical{}, "telegram")
		k.e = k.e.WithBrands(brands{"acme": {Topics: map[string]brand.Policy{"payouts": policy}}})
		require.Equal(t, bot.ReasonTopicPolicy, k.send(bot.Message{Choice: "e:paid", Text: "How do I get paid?"}).Decision.Reason, "a tap asks the same")
	}
}

func (s topical) Search(ctx context.Context, q retrieval.Query) (retrieval.Result, error) {
	found, err := s.shop.Search(ctx, q)
	for i := range found.Hits {
		found.Hits[i].Entry.Affiliate, found.Hits[i].Entry.Topic = "acme", "Payouts"
	}
	return found, err
}

// topical is shop, whose entries are acme's and about payouts.
type topical struct{ shop }

func (s topical) Entry(a []knowledge.AffiliateID, id knowledge.EntryID) (knowledge.Entry, bool) {
	e, ok := s.shop.Entry(a, id)
	e.Affiliate, e.Topic = "acme", "Payouts"
	return e, ok
}
