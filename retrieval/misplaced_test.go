package retrieval

import (
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/lint"
	"faqbot/retrieval/encoder"
)

// A wording that asks what another entry answers is found, and no other.
func TestMisplaced(t *testing.T) {
	t.Parallel()
	e, err := encoder.New()
	require.NoError(t, err)
	entries := []knowledge.Entry{
		{ID: "pay", Locale: "en", Question: "When do I get paid?", Variants: []string{"What day is payday?", "When does my commission arrive?", "How do I reset my password?"}},
		{ID: "password", Locale: "en", Question: "I forgot my password", Variants: []string{"Reset my password", "I cannot log in, my password is wrong"}},
		{ID: "few", Locale: "en", Question: "Where are you?", Variants: []string{"I forgot the password"}},
		{ID: "spanish", Locale: "es", Question: "¿Cuándo pagan?", Variants: []string{"Reset my password", "¿Qué día se cobra?"}},
	}
	found, err := Misplaced(t.Context(), e, entries)
	require.NoError(t, err)
	require.Equal(t, []lint.Finding{{Kind: lint.Nearer, Entry: "pay", Other: "password", Words: "How do I reset my password?"}}, found)
}
