package fit_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/fit"
)

// Where a network counts bytes, no part has more, and no character is cut in two.
func TestFitBytes(t *testing.T) {
	l := bot.Limits{Text: 1000, Bytes: 1000}
	for _, letter := range []string{"x", "é", "漢", "😀", "ab ", "שלום "} {
		text := strings.TrimSpace(strings.Repeat(letter, 900))
		var got []string
		for _, r := range fit.Split(bot.Reply{Text: text}, l) {
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
	file := &bot.Media{Kind: "photo", Link: "https://x.example/a.jpg"}
	full := bot.Limits{Text: 100, Media: true, Caption: 10, Choices: 3, Label: 20}
	require.Equal(t, []bot.Reply{{Text: "see", Media: file, Quote: "q"}}, fit.Split(bot.Reply{Text: "see", Media: file, Quote: "q"}, full))
	require.Equal(t, []bot.Reply{{Media: file, Quote: "q"}, {Text: "more than ten letters"}}, fit.Split(bot.Reply{Text: "more than ten letters", Media: file, Quote: "q"}, full))
	choices := []bot.Choice{{Label: "A", Payload: "a"}}
	require.Equal(t, []bot.Reply{{Media: file}, {Text: "see", Choices: choices}}, fit.Split(bot.Reply{Text: "see", Media: file, Choices: choices}, full))
	sound := &bot.Media{Kind: "audio", Link: "https://x.example/a.mp3"}
	require.Equal(t, []bot.Reply{{Media: sound}, {Text: "see"}}, fit.Split(bot.Reply{Text: "see", Media: sound}, full))
	require.Equal(t, []bot.Reply{{Media: sound}}, fit.Split(bot.Reply{Media: sound}, full))
	require.Equal(t, []bot.Reply{{Media: file}}, fit.Split(bot.Reply{Media: file}, bot.Limits{Text: 100, Media: true}))
	require.Equal(t, []bot.Reply{{Text: "see\nhttps://x.example/a.jpg"}}, fit.Split(bot.Reply{Text: "see", Media: file}, bot.Limits{Text: 100}))
}

func TestFit(t *testing.T) {
	l := bot.Limits{Text: 10, Choices: 2, Label: 5}
	require.Equal(t, []bot.Reply{{Text: "short"}}, fit.Split(bot.Reply{Text: "short"}, l))
	require.Equal(t, []bot.Reply{{Text: "one two"}, {Text: "three four", Choices: []bot.Choice{{Label: "labe…", Payload: "p"}}}},
		fit.Split(bot.Reply{Text: "one two three four", Choices: []bot.Choice{{Label: "labels", Payload: "p"}}}, l))
	require.Equal(t, []bot.Reply{{Text: "😀😀😀😀😀"}, {Text: "😀"}}, fit.Split(bot.Reply{Text: strings.Repeat("😀", 6)}, l))
	require.Equal(t, []bot.Reply{{Text: "a\n1. x\n2. y\n3. z"}},
		fit.Split(bot.Reply{Text: "a", Choices: []bot.Choice{{Label: "x", Payload: "1"}, {Label: "y", Payload: "2"}, {Label: "z", Payload: "3"}}}, bot.Limits{Text: 100, Choices: 2}))
	for _, part := range fit.Split(bot.Reply{Text: strings.Repeat("para one.\n\npara two ", 2000)}, bot.Limits{Text: 4096}) {
		require.LessOrEqual(t, fit.UTF16Len(part.Text), 4096)
	}
}

// A network that takes no files gets links; one without room for words under a file gets them after it.
func TestFitFiles(t *testing.T) {
	long := strings.Repeat("word ", 30)
	m := &bot.Media{Kind: "photo", Link: "https://x.example/a.png"}
	ours := &bot.Media{Kind: "photo", File: "f"}
	choices := []bot.Choice{{Label: "A", Payload: "a"}}
	all := bot.Limits{Text: 4096, Media: true, Caption: 100, Choices: 3, Label: 20}
	require.Equal(t, []bot.Reply{{Text: "hi", Media: m}}, fit.Split(bot.Reply{Text: "hi", Media: m}, all))
	require.Equal(t, []bot.Reply{{Media: m}, {Text: strings.TrimSpace(long)}}, fit.Split(bot.Reply{Text: strings.TrimSpace(long), Media: m}, all))
	require.Equal(t, []bot.Reply{{Media: m}, {Text: "hi", Choices: choices}}, fit.Split(bot.Reply{Text: "hi", Media: m, Choices: choices}, all))
	require.Equal(t, []bot.Reply{{Text: "hi\nhttps://x.example/a.png"}}, fit.Split(bot.Reply{Text: "hi", Media: m}, bot.Limits{Text: 4096}))
	require.Equal(t, []bot.Reply{{Media: ours}, {Text: "hi"}}, fit.Split(bot.Reply{Text: "hi", Media: ours}, bot.Limits{Text: 4096}), "its link is made when it is sent")
	require.Equal(t, []bot.Reply{{Text: "hi", Media: m}, {Media: ours, Choices: choices}}, bot.Carrying(bot.Reply{Text: "hi", Choices: choices}, []bot.Media{*m, *ours}))
	require.Equal(t, []bot.Reply{{Text: "hi"}}, bot.Carrying(bot.Reply{Text: "hi"}, nil))
}
