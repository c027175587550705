package eval_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/dialogue"
	"faqbot/eval"
	"faqbot/knowledge"
	"faqbot/retrieval"
	"faqbot/retrieval/encoder"
)

// shelf is a corpus of entries that are published nowhere.
type shelf []knowledge.Entry

func (shelf) Revisions(context.Context) (map[knowledge.AffiliateID]knowledge.Revision, error) {
	return map[knowledge.AffiliateID]knowledge.Revision{"acme": 1}, nil
}

func (s shelf) Published(context.Context, knowledge.AffiliateID) ([]knowledge.Entry, knowledge.Revision, error) {
	return s, 1, nil
}

var acme = bot.Account{Affiliates: []knowledge.AffiliateID{"acme"}}

func engine(t *testing.T, entries []knowledge.Entry) *dialogue.Engine {
	t.Helper()
	e, err := encoder.New()
	require.NoError(t, err)
	s := retrieval.NewSearcher(shelf(entries), e, retrieval.SearcherOptions{})
	require.NoError(t, s.Refresh(t.Context()))
	p, err := dialogue.LoadPhrases()
	require.NoError(t, err)
	return dialogue.NewEngine(s, p, dialogue.DefaultPolicy())
}

// Two follow-ups with the same words mean different things: without the context one of them is wrong.
func TestMeasureFollowUps(t *testing.T) {
	rows := []eval.FollowUp{
		{Text: "How long does delivery to Germany take?", Rewrite: "How long does delivery to Germany take?"},
		{Text: "and to France?", Context: []string{"How long does delivery to Germany take?"}, Rewrite: "How long does delivery to France take?"},
		{Text: "and to France?", Context: []string{"What does insurance to Germany cost?"}, Rewrite: "What does insurance to France cost?"},
		{Text: "and to France?", Context: []string{"What does insurance to Germany cost?"}, Rewrite: "What does insurance to France cost?"},
	}
	entries := eval.Rewrites("acme", rows)
	require.Len(t, entries, 3, "the same rewrite is one entry")
	f, err := eval.MeasureFollowUps(t.Context(), engine(t, entries), acme, rows)
	require.NoError(t, err)
	require.Equal(t, 4, f.Queries)
	require.Less(t, f.Alone, 1.)
	require.Equal(t, 1., f.InContext)
	require.Equal(t, 1., f.Share())
	require.InDelta(t, .5, eval.FollowUpFigures{Alone: .6, InContext: .8}.Share(), 1e-9)
}

func TestMeasureTopicChange(t *testing.T) {
	entries := []knowledge.Entry{
		{ID: "pay", Key: "pay", Affiliate: "acme", Question: "How do I get paid?", Answer: "By bank."},
		{ID: "ship", Key: "ship", Affiliate: "acme", Question: "How long does delivery to Germany take?", Answer: "Three days."}}
	rows := []eval.Labelled{
		{Text: "how do I get paid", Relevant: []knowledge.EntryID{"pay"}},
		{Text: "how long does delivery to Germany take", Relevant: []knowledge.EntryID{"ship"}},
		{Text: "how long does delivery to Germany take", Relevant: []knowledge.EntryID{"pay"}}, // a wrong label
	}
	alone, after, err := eval.MeasureTopicChange(t.Context(), engine(t, entries), acme, rows, 2)
	require.NoError(t, err)
	require.InDelta(t, 2./3, alone, 1e-9)
	require.InDelta(t, 2./3, after, 1e-9)
}

func TestMeasureSplits(t *testing.T) {
	entries := []knowledge.Entry{
		{ID: "pay", Key: "pay", Affiliate: "acme", Question: "How do I get paid?", Answer: "By bank."},
		{ID: "ship", Key: "ship", Affiliate: "acme", Question: "How long does delivery to Germany take?", Answer: "Three days."}}
	e := engine(t, entries)
	both := "How do I get paid? How long does delivery to Germany take?"
	answered, asked, err := eval.MeasureFalseSplits(t.Context(), e, acme, []string{"How do I get paid?", both, "hi", "How do I get paid? Tell me please."})
	require.NoError(t, err)
	require.Equal(t, []float64{.25, 0}, []float64{answered, asked})
	pay, ship := eval.Labelled{Relevant: []knowledge.EntryID{"pay"}}, eval.Labelled{Relevant: []knowledge.EntryID{"ship"}}
	f, err := eval.MeasurePairs(t.Context(), e, acme, []eval.Pair{{Text: both, First: pay, Second: ship}, {Text: both, First: ship, Second: pay},
		{Text: "How do I get paid?", First: pay, Second: ship}, {Text: "hi", First: pay, Second: ship}})
	require.NoError(t, err)
	require.Equal(t, eval.PairFigures{Both: .25, Wrong: .25}, f)
}

func TestMeasureSignal(t *testing.T) {
	p, err := dialogue.LoadPhrases()
	require.NoError(t, err)
	texts := []string{"this is unacceptable", "where is my money", "I am furious", "how do I pay"}
	d := eval.MeasureSignal(p, "complaint", texts, func(i int) bool { return i < 2 })
	require.Equal(t, eval.Detection{Messages: 4, Should: 2, Fired: 2, Right: 1}, d)
	require.Equal(t, []float64{.5, .5, .5, .5}, []float64{d.Precision(), d.Recall(), d.F1(), d.FalseAlarms()})

	talk := []string{"hi", "hi, how do I get paid?", "thanks, bye", "bye"}
	only := func(k int) func(int) bool { return func(i int) bool { return i == k } }
	require.Equal(t, 1., eval.MeasureSmallTalk(p, "greeting", talk, only(0)).F1())
	require.Equal(t, 1., eval.MeasureSmallTalk(p, "thanks", talk, only(2)).F1())
	require.Equal(t, 1., eval.MeasureSmallTalk(p, "goodbye", talk, only(3)).F1())
	none := eval.MeasureSignal(p, "abuse", []string{"hello"}, only(0))
	require.Equal(t, []float64{1, 0, 0}, []float64{none.Precision(), none.Recall(), none.FalseAlarms()})
}
