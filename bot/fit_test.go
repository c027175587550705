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

func TestFit(t *testing.T) {
	l := Limits{Text: 10, Choices: 2, Label: 5}
	require.Equal(t, []Reply{{Text: "short"}}, Fit(Reply{Text: "short"}, l))
	require.Equal(t, []Reply{{Text: "one two"}, {Text: "three four", Choices: []Choice{{"labe…", "p"}}}},
		Fit(Reply{Text: "one two three four", Choices: []Choice{{"labels", "p"}}}, l))
	require.Equal(t, []Reply{{Text: "😀😀😀😀😀"}, {Text: "😀"}}, Fit(Reply{Text: strings.Repeat("😀", 6)}, l))
	require.Equal(t, []Reply{{Text: "a\n1. x\n2. y\n3. z"}},
		Fit(Reply{Text: "a", Choices: []Choice{{"x", "1"}, {"y", "2"}, {"z", "3"}}}, Limits{Text: 100, Choices: 2}))
	for _, part := range Fit(Reply{Text: strings.Repeat("para one.\n\npara two ", 2000)}, Limits{Text: 4096}) {
		require.LessOrEqual(t, UTF16Len(part.Text), 4096)
	}
}

// A network that takes no files gets links; one without room for words under a file gets them after it.
func TestFitFiles(t *testing.T) {
	long := strings.Repeat("word ", 30)
	m := &Media{Kind: "photo", Link: "https://x.example/a.png"}
	ours := &Media{Kind: "photo", File: "f"}
	choices := []Choice{{Label: "A", Payload: "a"}}
	all := Limits{Text: 4096, Media: true, Caption: 100, Choices: 3, Label: 20}
	require.Equal(t, []Reply{{Text: "hi", Media: m}}, Fit(Reply{Text: "hi", Media: m}, all))
	require.Equal(t, []Reply{{Media: m}, {Text: strings.TrimSpace(long)}}, Fit(Reply{Text: strings.TrimSpace(long), Media: m}, all))
	require.Equal(t, []Reply{{Media: m}, {Text: "hi", Choices: choices}}, Fit(Reply{Text: "hi", Media: m, Choices: choices}, all))
	require.Equal(t, []Reply{{Text: "hi\nhttps://x.example/a.png"}}, Fit(Reply{Text: "hi", Media: m}, Limits{Text: 4096}))
	require.Equal(t, []Reply{{Media: ours}, {Text: "hi"}}, Fit(Reply{Text: "hi", Media: ours}, Limits{Text: 4096}), "its link is made when it is sent")
	require.Equal(t, []Reply{{Text: "hi", Media: m}, {Media: ours, Choices: choices}}, Carrying(Reply{Text: "hi", Choices: choices}, []Media{*m, *ours}))
	require.Equal(t, []Reply{{Text: "hi"}}, Carrying(Reply{Text: "hi"}, nil))
}
