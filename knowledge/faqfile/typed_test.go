package faqfile

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
)

// What somebody types is read as a row of a file is, as far as it can be.
func TestReadTyped(t *testing.T) {
	e, problems := ReadTyped(map[string]string{"question": " How do I  join? ", "answer": "Fill in **the form**:\r\n[here](https://a.example/join)", "variants": "sign up\n\nhow to join\nsign up",
		"topic": "Joining", "locale": "pt-br", "from": "2026-03-01", "to": "2026-03-31", "media": "https://a.example/form.png"})
	require.Len(t, problems, 1, "it says that marks were removed")
	require.Equal(t, knowledge.Entry{Question: "How do I join?", Answer: "Fill in the form:\nhere (https://a.example/join)", Variants: []string{"sign up", "how to join"}, Topic: "Joining", Locale: "pt-BR",
		From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), Media: []knowledge.Media{{Kind: "photo", Link: "https://a.example/form.png"}}}, e)

	e, problems = ReadTyped(map[string]string{"question": "Q", "topic": strings.Repeat("t", 300), "from": "someday", "media": "http://a.example/x.png"})
	var fields []string
	for _, p := range problems {
		fields = append(fields, p.Field)
	}
	require.Equal(t, []string{"from", "topic", "media"}, fields)
	require.Equal(t, knowledge.Entry{Question: "Q"}, e)
}
