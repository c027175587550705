package label_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/eval/label"
	"faqbot/eval/suite"
	"faqbot/knowledge"
)

func entries() []knowledge.Entry {
	return []knowledge.Entry{{ID: "pay", Question: "How am I paid?"}, {ID: "ship", Question: "Do you ship?"}}
}

func read(t *testing.T, name, content string) (label.Sheet, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return label.Read(path, entries())
}

// What two people agree on, or somebody settled, becomes a suite; what they differ on does not. Order and case of a label
// are no difference.
func TestSheets(t *testing.T) {
	table := "id,question,context,first,second,settled,note\n" +
		"1,when do I get it,,pay,pay,,\n2,money or parcel,\"hello\nI bought it\",ship; pay,pay;ship,,\n3,a human,,Person,none,,\n4,hm,,none,pay,menu: ship; pay,talked it over\n5,thanks,,small talk,,,\n6,later,,,,,\n"
	s, err := read(t, "a.csv", table)
	require.NoError(t, err)
	first, second := s.Both()
	require.Equal(t, []string{"pay", "pay; ship", "person", "none"}, first)
	require.Equal(t, []string{"pay", "pay; ship", "none", "pay"}, second)
	require.Len(t, s.Differing(), 1)
	require.Equal(t, "a human", s.Differing()[0].Question)
	made := s.Suite("labels")
	require.Len(t, made.Cases, 4)
	require.Equal(t, suite.Expect{Answer: []knowledge.EntryID{"pay", "ship"}}, made.Cases[1].Last().Expect)
	require.Equal(t, []string{"hello", "I bought it"}, made.Cases[1].Context)
	require.Equal(t, suite.Expect{Clarify: []knowledge.EntryID{"pay", "ship"}}, made.Cases[2].Last().Expect)
	require.True(t, made.Cases[3].Last().Expect.SmallTalk)

	for _, name := range []string{"b.csv", "b.tsv", "b.jsonl"} {
		var b bytes.Buffer
		require.NoError(t, label.Write(&b, name, s.Rows))
		again, err := read(t, name, b.String())
		require.NoError(t, err)
		require.Equal(t, made, again.Suite("labels"), name)
	}
}

func TestBrokenSheets(t *testing.T) {
	for content, says := range map[string]string{
		"question,label\nx,pay\n":                         `line 1: there is no column "first"`,
		"question,first\nx,payy\n":                        `line 2: "payy" is neither the id of an entry nor one of none, person`,
		"question,first\n,pay\n":                          `line 2: there is no "question"`,
		"id,question,first\n1,x,pay\n1,y,pay\n":           `line 3: the id or question stood on line 2 before`,
		"question,first,second\n\"x\ny\",pay,menu: pay;z": `line 2: "z" is neither`,
	} {
		_, err := read(t, "a.csv", content)
		require.ErrorContains(t, err, says)
	}
	_, err := read(t, "a.jsonl", "{\"question\":\"x\"}\n{]\n")
	require.ErrorContains(t, err, "line 2: this is no row of labels")
}
