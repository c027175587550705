package suite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/eval/suite"
	"faqbot/knowledge"
)

// Questions change and are the same each time; all else stays.
func TestPerturb(t *testing.T) {
	s, err := suite.Read(write(t, filepath.Join(t.TempDir(), "a.yaml"), "- {id: 1, ask: 'How do you pay, and when are you paying? Thanks!', answer: pay}\n- {id: 2, turns: [Can I have it with the Visa card, {tap: x}], answer: b}\n"))
	require.NoError(t, err)
	for how, want := range map[string]string{
		"capitals": "HOW DO YOU PAY, AND WHEN ARE YOU PAYING? THANKS!", "no-case": "how do you pay, and when are you paying? thanks!",
		"no-punctuation": "How do you pay and when are you paying Thanks", "sms": "hw do u pay, n wen r u paying? thx",
	} {
		require.Equal(t, want, s.Perturb(how).Cases[0].Last().Say)
	}
	require.Equal(t, s.Perturb("typos"), s.Perturb("typos"))
	require.Empty(t, s.Perturb("capitals").Perturb("capitals").Cases, "what does not change is left out")
	require.NotEqual(t, s.Cases[0].Last().Say, s.Perturb("typos").Cases[0].Last().Say)
	require.Equal(t, "x", s.Perturb("typos").Cases[1].Last().Tap)
	require.Equal(t, "How do you pay, and when are you paying? Thanks!", s.Cases[0].Last().Say, "the suite itself stays")
}

// A question about a country that an entry names, asked about another one, has no answer; one about an entry that names
// none may have.
func TestSwapEntities(t *testing.T) {
	s, err := suite.Read(write(t, filepath.Join(t.TempDir(), "a.yaml"), "- {id: 1, ask: 'how much is shipping to france please', answer: fr}\n- {id: 2, ask: can you deliver to Norway, answer: where}\n"))
	require.NoError(t, err)
	swapped := s.SwapEntities([]knowledge.Entry{{ID: "fr", Question: "What does shipping to France cost?", Answer: "Ten euros."}, {ID: "where", Question: "Where do you ship to?", Answer: "All of Europe."}})
	require.Len(t, swapped.Cases, 1)
	c := swapped.Cases[0]
	require.True(t, c.Last().Expect.None)
	require.Regexp(t, "^how much is shipping to [a-z ]+ please$", c.Last().Say)
	require.NotContains(t, c.Last().Say, "france")
}

func TestNegativeQuestions(t *testing.T) {
	s, err := suite.Read(write(t, filepath.Join(t.TempDir(), "a.yaml"), "- {id: 1, ask: Do you ship to France, answer: a}\n- {id: 2, ask: do not call me, answer: a}\n- {id: 3, ask: how do I pay, answer: a}\n"))
	require.NoError(t, err)
	negative := s.Perturb("negative").Cases
	require.Len(t, negative, 1)
	require.Equal(t, "Don't you ship to France", negative[0].Last().Say)
}
