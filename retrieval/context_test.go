package retrieval_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/retrieval"
	"faqbot/retrieval/encoder"
)

// A follow-up is understood from what was said; a question that stands alone is not touched by it.
func TestSearchInContext(t *testing.T) {
	e, err := encoder.New()
	require.NoError(t, err)
	c := newCorpus()
	c.publish("acme",
		question("How long does delivery to Germany take?"), question("How long does delivery to France take?"),
		question("What does delivery to Germany cost?"), question("What does delivery to France cost?"),
		question("How do I return a parcel?"), question("How do I get paid?"))
	s := fresh(t, c, e, retrieval.SearcherOptions{})
	best := func(text string, leans float64, before ...string) retrieval.Hit {
		res, err := s.Search(t.Context(), retrieval.Query{Text: text, Affiliates: []knowledge.AffiliateID{"acme"}, Before: before, ContextDependence: leans})
		require.NoError(t, err)
		require.NotEmpty(t, res.Hits)
		return res.Hits[0]
	}
	require.Equal(t, "How long does delivery to Germany take?", best("and to Germany?", 1, "How long does delivery to France take?").Entry.Question)
	require.Equal(t, "What does delivery to Germany cost?", best("and to Germany?", 1, "What does delivery to France cost?").Entry.Question)
	require.Equal(t, "What does delivery to Germany cost?", best("what does that cost?", 1, "Hello, I live in Munich", "How long does delivery to Germany take?").Entry.Question)
	require.Equal(t, "How do I get paid?", best("how do I get paid", 1, "How long does delivery to Germany take?", "What does delivery to Germany cost?").Entry.Question,
		"a change of topic is not dragged along")

	alone := best("how do I send a parcel back", 0)
	for _, hit := range []retrieval.Hit{
		best("how do I send a parcel back", 0, "What does delivery to France cost?"),
		best("how do I send a parcel back", 1),
		best("how do I send a parcel back", 1, " ", ""),
		best("how do I send a parcel back", -1, "What does delivery to France cost?"),
	} {
		require.Equal(t, alone, hit, "bit for bit")
	}
}

// What was said before is not read where the question is an entry's own, and always where it leaves doubt.
func TestPastIsReadOnlyInDoubt(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("delivery to france"), question("delivery to spain"), question("returns from france"))
	builtin := newBag("b")
	s := fresh(t, c, builtin, retrieval.SearcherOptions{})
	for text, calls := range map[string]int{"delivery to spain": 1, "and spain": 2} {
		asked := builtin.called()
		res, err := s.Search(t.Context(), retrieval.Query{Text: text, Affiliates: []knowledge.AffiliateID{"acme"}, Before: []string{"delivery to france"}, ContextDependence: 1})
		require.NoError(t, err)
		require.Equal(t, "delivery to spain", res.Hits[0].Entry.Question)
		require.Equal(t, calls, builtin.called()-asked, text)
	}
}

// The configured embedder reads follow-ups too; one that fails on them is stood in for.
func TestPrimaryInContext(t *testing.T) {
	c := newCorpus()
	c.publish("acme", question("delivery to france"), question("delivery to spain"), question("returns from france"))
	primary := newBag("p")
	s := fresh(t, c, newBag("b"), retrieval.SearcherOptions{Primary: primary})
	asked := primary.called()
	res, err := s.Search(t.Context(), retrieval.Query{Text: "and spain", Affiliates: []knowledge.AffiliateID{"acme"}, Before: []string{"delivery to france"}, ContextDependence: 1})
	require.NoError(t, err)
	require.Equal(t, "p", res.Space)
	require.Equal(t, "delivery to spain", res.Hits[0].Entry.Question)
	require.Equal(t, 2, primary.called()-asked, "the question, and the question with its past")
}
