package eval

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/retrieval/encoder"
)

func builtin(t *testing.T) *Vectors {
	t.Helper()
	e, err := encoder.New()
	require.NoError(t, err)
	return NewVectors(e)
}

// noted is the one figure of that name.
func noted(t *testing.T, r *Report, name string) Metric {
	t.Helper()
	for _, n := range r.Noted {
		if n.Name == name {
			return n
		}
	}
	require.Fail(t, "not noted: "+name, r.Noted)
	return Metric{}
}

// Two follow-ups with the same words mean different things: without the context one of them is wrong.
func TestFollowUps(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cast/queries.jsonl", `{"id":"1_1","text":"How long does delivery to Germany take?","rewrite":"How long does delivery to Germany take?"}
{"id":"1_2","text":"and to France?","context":["How long does delivery to Germany take?"],"rewrite":"How long does delivery to France take?"}
{"id":"2_2","text":"and to France?","context":["What does insurance to Germany cost?"],"rewrite":"What does insurance to France cost?"}
{"id":"3_12","text":"and to France?","context":["What does insurance to Germany cost?"],"rewrite":"What does insurance to France cost?"}
`)
	set, err := readFollowUps("cast", dir+"/cast/queries.jsonl")
	require.NoError(t, err)
	require.Len(t, set.Entries, 3, "the same rewrite is one entry")
	require.Equal(t, set.Cases[2].Relevant, set.Cases[3].Relevant)
	require.Equal(t, set.Cases[0].Dialog, set.Cases[1].Dialog)
	require.NotEqual(t, set.Cases[2].Dialog, set.Cases[3].Dialog)

	r := &Report{}
	require.NoError(t, r.followUps(t.Context(), dir, "cast", builtin(t)))
	require.Less(t, noted(t, r, "acc alone").Value, 1.)
	require.InDelta(t, 1, noted(t, r, "acc in context").Value, 1e-9)
	require.Len(t, r.Checks, 1)
	require.InDelta(t, 1, r.Checks[0].Value, 1e-9)
	require.Equal(t, AtGoal, r.Checks[0].Reached)

	write(t, dir, "cast/queries.jsonl", `{"id":"1_1","text":"and to France?"}`)
	require.ErrorContains(t, r.followUps(t.Context(), dir, "cast", builtin(t)), `queries.jsonl, line 1: "1_1" has no "text" or no "rewrite"`)
}

// No follow-up is left to gain on when every question is right alone: that says nothing, and is no pass.
func TestFollowUpsThatNeedNoContextMissTheirTarget(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cast/queries.jsonl", `{"id":"1_1","text":"How do I pay?","rewrite":"How do I pay?"}
{"id":"1_2","text":"Where is my order?","context":["How do I pay?"],"rewrite":"Where is my order?"}`)
	r := &Report{}
	require.NoError(t, r.followUps(t.Context(), dir, "cast", builtin(t)))
	require.Equal(t, []TargetCheck{{Set: "cast", Target: Target{"way from alone to 1", .33, .50}, Reached: Missing}}, r.Checks)
}

// payAndShip are two entries, and questions about them.
func payAndShip() Set {
	pay, ship := []knowledge.EntryID{"pay"}, []knowledge.EntryID{"ship"}
	return Set{Name: "shop", Entries: []knowledge.Entry{
		{ID: "pay", Key: "pay", Question: "How do I get paid?", Answer: "By bank."},
		{ID: "ship", Key: "ship", Question: "How long does delivery to Germany take?", Answer: "Three days."}},
		Cases: []Case{{ID: "1", Text: "How do I get paid?", Relevant: pay},
			{ID: "2", Text: "How long does delivery to Germany take?", Relevant: ship},
			{ID: "3", Text: "zebra"}}}
}

func asked(t *testing.T, set Set) (*Asker, *Sample) {
	t.Helper()
	b, err := NewAsker(t.Context(), set.Entries, builtin(t))
	require.NoError(t, err)
	results, err := b.AskAll(t.Context(), set.Cases, nil)
	require.NoError(t, err)
	return b, NewSample(results)
}

func TestTopicChange(t *testing.T) {
	set := payAndShip()
	b, alone := asked(t, set)
	r := &Report{}
	require.NoError(t, r.topicChange(t.Context(), b, set, alone))
	const name = "acc after 2 other questions, difference"
	require.Zero(t, noted(t, r, name).Value, "whole questions stand alone")
	require.Empty(t, set.Cases[0].Context, "the set is as it was")

	wrong := slices.Clone(alone.judged) // had all been wrong before, others would have helped
	for i := range wrong {
		wrong[i].Right = false
	}
	r = &Report{}
	require.NoError(t, r.topicChange(t.Context(), b, set, SampleOf(wrong)))
	require.InDelta(t, 1, noted(t, r, name).Value, 1e-9)
}

func TestFalseSplits(t *testing.T) {
	set := payAndShip()
	set.Cases = append(set.Cases, Case{ID: "4", Text: "How do I get paid? How long does delivery to Germany take?", Relevant: set.Cases[0].Relevant})
	_, s := asked(t, set)
	r := &Report{}
	r.falseSplits("shop", s)
	two := noted(t, r, "one question, two answers")
	require.InDelta(t, .25, two.Value, 1e-9)
	require.InDelta(t, .005, two.Ceiling, 1e-9)
	require.Zero(t, noted(t, r, "one question, answer and offer").Value)
	require.Empty(t, r.Checks, "shown, not enforced")
}

func TestPairs(t *testing.T) {
	set := payAndShip()
	list := drawPairs(set.Cases)
	require.NotEmpty(t, list)
	for _, p := range list {
		require.True(t, p.first.InScope() && p.second.InScope())
		require.NotEqual(t, p.first.Relevant, p.second.Relevant)
	}
	require.Contains(t, []string{"How do I get paid? How long does delivery to Germany take?", "How long does delivery to Germany take? How do I get paid?"}, list[0].text)
	require.Contains(t, []string{"How do I get paid and how long does delivery to Germany take", "How long does delivery to Germany take and how do I get paid"}, list[4].text)

	b, _ := asked(t, set)
	r := &Report{}
	require.NoError(t, r.pairs(t.Context(), b, set))
	require.Greater(t, noted(t, r, "two questions, both answered right").Value, .3)
	require.NoError(t, r.pairs(t.Context(), b, Set{Cases: set.Cases[:1]}), "one question makes no pair")
}

func TestPairIsJudged(t *testing.T) {
	cases := payAndShip().Cases
	p := pair{first: cases[0], second: cases[1]}
	answered := func(a bot.Action, entries ...knowledge.EntryID) (o bot.Outcome) {
		o.Decision.Action = a
		for _, e := range entries {
			o.Replies = append(o.Replies, bot.Reply{Entry: e})
		}
		return o
	}
	offered := answered(bot.ActionAnswer, "pay", "")
	offered.Replies[1].Choices = []bot.Choice{{Payload: "e:ship"}, {Payload: "e:pay"}}
	for name, c := range map[string]struct {
		outcome bot.Outcome
		verdict [3]bool
	}{
		"both":               {answered(bot.ActionAnswer, "pay", "ship"), [3]bool{true, false, false}},
		"the wrong way":      {answered(bot.ActionAnswer, "ship", "pay"), [3]bool{false, false, true}},
		"one":                {answered(bot.ActionAnswer, "pay"), [3]bool{}},
		"neither":            {answered(bot.ActionHandoff, "", ""), [3]bool{}},
		"the second offered": {offered, [3]bool{false, true, false}},
	} {
		both, asked, wrong := p.judge(c.outcome)
		require.Equal(t, c.verdict, [3]bool{both, asked, wrong}, name)
	}
}
