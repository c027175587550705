package dialogue

import (
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge"
)

const story = "I have been a customer of yours since 2019 and my sister, who lives in the countryside with two dogs, told me about you. Last week we talked about it in the kitchen for an hour. "

// Of a long message the one sentence that asks decides; what is told around it is no reason to ask back, and where
// nothing asks nothing changes.
func TestTheSentenceThatAsksDecides(t *testing.T) {
	r := borders(t)
	o := customerOf(t, r).say(story + "When will a parcel reach Germany? Thanks a lot for your help.")
	require.Equal(t, bot.ActionAnswer, o.Decision.Action)
	require.Equal(t, []knowledge.EntryID{"de"}, o.Decision.Entries)
	require.Equal(t, "When will a parcel reach Germany?", o.Trace.Query)
	require.NotEqual(t, bot.ActionAnswer, customerOf(t, r).say(story+"What do dogs eat in winter? Thanks a lot for your help.").Decision.Action)
	o = customerOf(t, r).say(story)
	require.NotEqual(t, bot.ActionAnswer, o.Decision.Action)
	require.Contains(t, o.Trace.Query, "countryside")

	p, err := LoadPhrases()
	require.NoError(t, err)
	require.Empty(t, asking(p, "When will it reach Germany?"), "a short message is read as a whole")
	require.Empty(t, asking(p, story+"When will it reach Germany? And do you take Visa?"), "two questions are answered by themselves")
}
