package suite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/eval/suite"
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
	require.NotEqual(t, s.Cases[0].Last().Say, s.Perturb("typos").Cases[0].Last().Say)
	require.Equal(t, "x", s.Perturb("typos").Cases[1].Last().Tap)
	require.Equal(t, "How do you pay, and when are you paying? Thanks!", s.Cases[0].Last().Say, "the suite itself stays")
}
