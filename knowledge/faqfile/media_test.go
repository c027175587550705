package faqfile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
)

// What is written reads back as it was, once the files are found.
func TestMediaReadsBack(t *testing.T) {
	files := []knowledge.Media{{Kind: "photo", File: strings.Repeat("a", 64), Name: "plan.png", Type: "image/png", Size: 3},
		{Kind: "document", File: strings.Repeat("b", 64), Name: "plan.png", Type: "application/pdf", Size: 4}}
	want := []knowledge.Media{files[0], {Kind: "video", Link: "https://x.example/v.mp4?a=1&b=2"}, files[1]}
	entries := []knowledge.Entry{{Key: "a", Question: "One?", Answer: "Yes.", Media: want}, {Key: "b", Question: "Two?", Answer: "No."}}
	for _, format := range Formats() {
		name, write := "faq"+format.Extension, format.Write
		data, err := write(entries)
		require.NoError(t, err)
		rows, problems := Parse(name, data, Options{})
		require.Empty(t, problems)
		require.Empty(t, knowledge.FindFiles(rows, files))
		require.Equal(t, want, rows[0].Media, name)
		require.Empty(t, rows[1].Media)
	}
}

func TestMediaIsMended(t *testing.T) {
	data := []byte("id,question,answer,media\na,One?,Yes.,http://x.example/a.png\n")
	rows, problems := Parse("faq.csv", data, Options{})
	require.Len(t, problems, 1)
	require.Equal(t, 1, problems[0].Row)
	require.Len(t, rows, 1, "the row is not lost for it")
	rows, problems = Parse("faq.csv", data, Options{Reading: knowledge.Reading{Mends: []knowledge.Fix{{Row: 1, Field: "media", Value: "https://x.example/a.png\nb.pdf"}}}})
	require.Empty(t, problems)
	require.Equal(t, []knowledge.Media{{Kind: "photo", Link: "https://x.example/a.png"}, {Kind: "document", Name: "b.pdf"}}, rows[0].Media)
	rows, _ = Parse("faq.csv", []byte("Frage,Antwort,Kram\nOne?,Yes.,https://x.example/a.png\n"),
		Options{Reading: knowledge.Reading{Columns: map[string]string{"Frage": "question", "Antwort": "answer", "Kram": "media"}}})
	require.Len(t, rows[0].Media, 1)
}
