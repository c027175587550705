package dialogue

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval"
)

// A library is a retriever that finds what it has for a text, and notes what it was asked.
type library struct {
	finds map[string]retrieval.Result
	asked *[]retrieval.Query
}

func (l library) Search(_ context.Context, q retrieval.Query) (retrieval.Result, error) {
	*l.asked = append(*l.asked, q)
	return l.finds[q.Text], nil
}

func (library) FollowUps(knowledge.Entry) []knowledge.Entry { return nil }

func (l library) Entry(_ []knowledge.AffiliateID, id knowledge.EntryID) (knowledge.Entry, bool) {
	if id == "gone" {
		return knowledge.Entry{}, false
	}
	return hit(string(id), 0, 0).Entry, true
}

// What was said in the last hours goes along with a question that needs it, and with no other.
func TestContextOfAFollowUp(t *testing.T) {
	asked := new([]retrieval.Query)
	e := NewEngine(library{asked: asked}, phrases(t), DefaultPolicy())
	tn := turn("hi, and in Germany?")
	long := tn.Now.Add(-5 * time.Hour)
	ago := tn.Now.Add(-time.Hour)
	tn.History = []bot.Message{
		{Author: bot.AuthorCustomer, Text: "do you sell lamps", At: long},
		{Author: bot.AuthorCustomer, Text: "hello, how long does delivery take? thanks", At: ago},
		{Author: bot.AuthorBot, Text: "Three days.", Entries: []knowledge.EntryID{"A"}, At: ago},
		{Author: bot.AuthorBot, Text: "Did you mean one of these?", At: ago},
		{Author: bot.AuthorCustomer, Text: "Something", Choice: "e:B", At: ago},
		{Author: bot.AuthorBot, Text: "Gone since.", Entries: []knowledge.EntryID{"gone"}, At: ago},
		{Author: bot.AuthorAgent, Text: "This is Ann.", At: ago},
		{Author: bot.AuthorCustomer, Text: "/help", At: ago},
		{Author: bot.AuthorCustomer, Text: "ok thanks", At: ago},
		{Author: bot.AuthorCustomer, Text: "👍", At: ago},
	}
	o, err := e.Turn(t.Context(), tn)
	require.NoError(t, err)
	require.Equal(t, []string{"how long does delivery take?", "question A"}, (*asked)[0].Before)
	require.Equal(t, "and in Germany?", (*asked)[0].Text)
	require.Equal(t, 1., (*asked)[0].ContextDependence)
	require.Equal(t, (*asked)[0].Before, o.Trace.Before)

	tn.Waiting[0].Text = "Where do I download the annual tax report for affiliate income?"
	o, err = e.Turn(t.Context(), tn)
	require.NoError(t, err)
	require.Empty(t, (*asked)[1].Before, "it stands alone")
	require.Zero(t, (*asked)[1].ContextDependence)
	require.Empty(t, o.Trace.Before)

	tn.Waiting[0].Text, tn.History = "and in Germany?", nil
	_, err = e.Turn(t.Context(), tn)
	require.NoError(t, err)
	require.Zero(t, (*asked)[2].ContextDependence, "nothing was said before")
}

// Two questions in one message are both answered, in order, when each is likely by itself.
func TestTwoQuestions(t *testing.T) {
	const text, first, second = "How do I cancel? And do you ship to Canada?", "How do I cancel?", "And do you ship to Canada?"
	whole := hits(hit("A", .4, .2), hit("B", .3, .2))
	low := hit("B", .45, .1)
	for _, row := range []struct {
		name          string
		first, second retrieval.Result
		clarify       int
		replies       []knowledge.EntryID // "" is a question back
		action        bot.Action
		entries       []knowledge.EntryID
	}{
		{"both", hits(hit("A", .9, 0), hit("B", .1, 0)), hits(hit("B", .8, 0)), 0, []knowledge.EntryID{"A", "B"}, bot.ActionAnswer, []knowledge.EntryID{"A", "B"}},
		{"the second is asked back about", hits(hit("A", .9, 0)), hits(low, hit("C", .4, 0)), 0, []knowledge.EntryID{"A", ""}, bot.ActionAnswer, []knowledge.EntryID{"A"}},
		{"asked back too often", hits(hit("A", .9, 0)), hits(low, hit("C", .4, 0)), 2, []knowledge.EntryID{""}, bot.ActionClarify, nil},
		{"the second is not understood", hits(hit("A", .9, 0)), hits(hit("B", .1, 0)), 0, []knowledge.EntryID{""}, bot.ActionClarify, []knowledge.EntryID{"A", "B"}},
		{"the first is not understood", hits(hit("A", .3, 0)), hits(hit("B", .9, 0)), 0, []knowledge.EntryID{""}, bot.ActionClarify, []knowledge.EntryID{"A", "B"}},
		{"the same twice", hits(hit("A", .9, 0)), hits(hit("A", .9, 0)), 0, []knowledge.EntryID{""}, bot.ActionClarify, []knowledge.EntryID{"A", "B"}},
		{"one answers the other too", hits(hit("A", .9, 0)), hits(hit("B", .9, 0), hit("A", .6, 0)), 0, []knowledge.EntryID{""}, bot.ActionClarify, []knowledge.EntryID{"A", "B"}},
		{"a part is a close call", hits(hit("A", .9, 0)), hits(hit("B", .9, 0), hit("C", .9, 0)), 0, nil, bot.ActionAnswer, []knowledge.EntryID{"A"}},
	} {
		asked := new([]retrieval.Query)
		e := NewEngine(library{map[string]retrieval.Result{text: whole, first: row.first, second: row.second}, asked}, phrases(t), DefaultPolicy())
		tn := turn(text)
		tn.Conversation.Clarify = row.clarify
		o, err := e.Turn(t.Context(), tn)
		require.NoError(t, err)
		require.Equal(t, row.action, o.Decision.Action, row.name)
		require.Equal(t, row.entries, o.Decision.Entries, row.name)
		if row.replies != nil {
			var replies []knowledge.EntryID
			for _, r := range o.Replies {
				replies = append(replies, r.Entry)
			}
			require.Equal(t, row.replies, replies, row.name)
		}
		require.Len(t, o.Trace.Parts, 2, row.name)
		require.Empty(t, (*asked)[2].Before, "each must be likely by itself")
	}
}

// After an answer and a question back, "2" is the second choice, and a tap takes it.
func TestAnswerAndQuestionBack(t *testing.T) {
	asked := new([]retrieval.Query)
	e := NewEngine(library{map[string]retrieval.Result{"How do I cancel?": hits(hit("A", .9, 0)), "Do you ship?": hits(hit("B", .45, 0), hit("C", .4, 0))}, asked},
		phrases(t), DefaultPolicy())
	o, err := e.Turn(t.Context(), turn("How do I cancel?", "Do you ship?"))
	require.NoError(t, err)
	require.Len(t, o.Replies, 2)
	require.Equal(t, "answer A", o.Replies[0].Text)
	require.Equal(t, bot.Reply{Text: "And your other question: did you mean one of these?", Choices: []bot.Choice{
		{Label: "question B", Payload: "e:B"}, {Label: "question C", Payload: "e:C"}, {Label: "None of these", Payload: "none"}, {Label: "Talk to a person", Payload: "person"}}}, o.Replies[1])
	next := turn("2")
	next.Conversation = o.Next
	next.History = []bot.Message{{Author: bot.AuthorBot, Text: o.Replies[0].Text}, {Author: bot.AuthorBot, Choices: o.Replies[1].Choices}}
	o, err = e.Turn(t.Context(), next)
	require.NoError(t, err)
	require.Equal(t, []knowledge.EntryID{"C"}, o.Decision.Entries)
}
