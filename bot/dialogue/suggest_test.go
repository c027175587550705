package dialogue

import (
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/fit"
	"faqbot/knowledge"
)

// leadingOn is shop, in which two questions follow how one is paid.
type leadingOn struct{ shop }

func (s leadingOn) FollowUps(e knowledge.Entry) []knowledge.Entry {
	if e.ID != "paid" {
		return nil
	}
	late, _ := s.Entry(nil, "late")
	news, _ := s.Entry(nil, "news")
	return []knowledge.Entry{late, news}
}

// What follows an answer stands under it as buttons, and is asked by a tap, by its number or by its words. Nothing was
// asked: yes and no mean what they mean without them, and that an answer did not help is heard.
func TestSuggestionsAfterAnAnswer(t *testing.T) {
	begin := func() *talk {
		k := newTalk(t, leadingOn{}, "telegram")
		o := k.say("how do I get paid?")
		require.Equal(t, "answer paid [Why is my payout late?] [How do I unsubscribe from the newsletter?]", words(o))
		require.Equal(t, bot.ReasonConfident, o.Decision.Reason)
		require.Equal(t, []knowledge.EntryID{"paid"}, o.Decision.Entries)
		require.Equal(t, bot.AskedNext, o.Next.Asked)
		return k
	}
	for _, m := range []bot.Message{{Choice: "e:late", Text: "Why is my payout late?"}, {Text: "1"}, {Text: "why is my payout late"}} {
		o := begin().send(m)
		require.Contains(t, words(o), "answer late", m.Text)
		require.Equal(t, bot.AskedNothing, o.Next.Asked)
	}
	require.Contains(t, words(begin().say("2")), "answer news")
	plain := newTalk(t, shop{}, "telegram")
	plain.say("how do I get paid?")
	for _, text := range []string{"no", "yes", "both", "thanks"} {
		require.Equal(t, words(plain.say(text)), words(begin().say(text)), text)
	}
	helped := begin()
	o := helped.say("that did not help")
	require.Equal(t, &bot.Feedback{Entry: "paid"}, o.Feedback)
	require.NotContains(t, words(o), "answer paid")
	k := newTalk(t, leadingOn{}, "telegram")
	require.Equal(t, "answer late", words(k.send(bot.Message{Choice: "e:late", Text: "Why is my payout late?"})), "nothing follows")
	listed := fit.Split(begin().say("how do I get paid?").Replies[0], bot.Limits{Text: 1000})
	require.Equal(t, "answer paid\n1. Why is my payout late?\n2. How do I unsubscribe from the newsletter?", listed[0].Text, "where there are no buttons")
}
