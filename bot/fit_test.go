package bot

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Where a network counts bytes, no part has more, and no character is cut in two.
func TestFitBytes(t *testing.T) {
	l := Limits{Text: 1000, Bytes: 1000}
	for _, letter := range []string{"x", "é", "漢", "😀", "ab ", "שלום "} {
		text := strings.TrimSpace(strings.Repeat(letter, 900))
		var got []string
		for _, r := range Fit(Reply{Text: text}, l) {
			require.LessOrEqual(t, len(r.Text), 1000)
			require.NotContains(t, r.Text, "\uFFFD")
			got = append(got, r.Text)
		}
		bare := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		require.Equal(t, bare(text), bare(strings.Join(got, "")))
	}
}

// A file goes with its words under it, before them, or as a link, as the network can.
func TestFitMedia(t *testing.T) {
	file := &Media{Kind: "photo", Link: "https://x.example/a.jpg"}
	full := Limits{Text: 100, Media: true, Caption: 10, Choices: 3, Label: 20}
	require.Equal(t, []Reply{{Text: "see", Media: file, Quote: "q"}}, Fit(Reply{Text: "see", Media: file, Quote: "q"}, full))
	require.Equal(t, []Reply{{Media: file, Quote: "q"}, {Text: "more than ten letters"}}, Fit(Reply{Text: "more than ten letters", Media: file, Quote: "q"}, full))
	choices := []Choice{{Label: "A", Payload: "a"}}
	require.Equal(t, []Reply{{Media: file}, {Text: "see", Choices: choices}}, Fit(Reply{Text: "see", Media: file, Choices: choices}, full))
	sound := &Media{Kind: "audio", Link: "https://x.example/a.mp3"}
	require.Equal(t, []Reply{{Media: sound}, {Text: "see"}}, Fit(Reply{Text: "see", Media: sound}, full))
	require.Equal(t, []Reply{{Media: sound}}, Fit(Reply{Media: sound}, full))
	require.Equal(t, []Reply{{Media: file}}, Fit(Reply{Media: file}, Limits{Text: 100, Media: true}))
	require.Equal(t, []Reply{{Text: "see\nhttps://x.example/a.jpg"}}, Fit(Reply{Text: "see", Media: file}, Limits{Text: 100}))
}
