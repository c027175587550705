package faqfile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A file says what to suggest after an answer by the ids of entries, and where an entry is found.
func TestFollowUpsAndSlugs(t *testing.T) {
	rows, problems := Parse("faq.csv", []byte("id,question,answer,follow_ups,slug\na,A?,1,b; c,How To A\nb,B?,2,-,\nc,C?,3,,\nd,D?,4,a|b|c|d|a,\n"), Options{})
	require.Len(t, problems, 1)
	require.Contains(t, problems[0].Text, "At most 3 entries")
	require.Equal(t, "follow_ups", problems[0].Field)
	require.Equal(t, []string{"b", "c"}, rows[0].FollowUps)
	require.Equal(t, "how-to-a", rows[0].Slug)
	require.NotNil(t, rows[1].FollowUps, "none")
	require.Empty(t, rows[1].FollowUps)
	require.Nil(t, rows[2].FollowUps, "as they are")
	require.Equal(t, []string{"a", "b", "c"}, rows[3].FollowUps)

	rows, problems = Parse("faq.json", []byte(`[{"slug":"pay","question":"Pay?","answer":"1","follow_ups":["x;y","z"]},{"slug":"Join!","id":"j","question":"Join?","answer":"2","followUps":"pay"}]`), Options{})
	require.Empty(t, problems)
	require.Equal(t, "pay", rows[0].Key, "a slug names its entry where nothing else does")
	require.Equal(t, []string{"x;y", "z"}, rows[0].FollowUps)
	require.Equal(t, "j", rows[1].Key)
	require.Equal(t, "join", rows[1].Slug)
	require.Equal(t, []string{"pay"}, rows[1].FollowUps)
	rows, _ = Parse("faq.csv", []byte("slug,question,answer\nPay Me,Pay?,1\n"), Options{})
	require.Equal(t, "Pay Me", rows[0].Key)
	require.Equal(t, "pay-me", rows[0].Slug)

	// A table that we wrote before there were these columns is still known as ours.
	rows, _ = Parse("old.csv", []byte("question,answer,id,topic,variants,locale,from,to,media\nWhat?,'=1+1,a,,,,,,\n"), Options{})
	require.Equal(t, "=1+1", rows[0].Answer)
}
