package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
)

func TestListAndFind(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "Where is my PAYOUT of 100%?"), message("d", "u2", "hello_there"), message("c", "u3", "bye"))
		conversations := w.conversations()
		c, err := conversations.Find(t.Context(), Address{"test", "one", "c"})
		require.NoError(t, err)
		require.Equal(t, w.conversation("c").ID, c.ID)
		_, err = conversations.Find(t.Context(), Address{"test", "one", "nobody"})
		require.ErrorIs(t, err, ErrNotFound)

		find := func(s Search) (customers []string) {
			list, err := conversations.List(t.Context(), s)
			require.NoError(t, err)
			for _, l := range list {
				customers = append(customers, l.Address.Customer+": "+l.Last.Text)
			}
			return customers
		}
		acme := []knowledge.AffiliateID{"acme"}
		require.ElementsMatch(t, []string{"c: bye", "d: hello_there"}, find(Search{Affiliates: acme}))
		require.Equal(t, []string{"c: Where is my PAYOUT of 100%?"}, find(Search{Affiliates: acme, Words: "payout 100%"}))
		require.Empty(t, find(Search{Affiliates: acme, Words: "hello%there"}), "a sign is a sign, not a pattern")
		require.Empty(t, find(Search{Affiliates: []knowledge.AffiliateID{"other"}}))
		require.Empty(t, find(Search{}), "no affiliate named means none")
		require.Len(t, find(Search{Affiliates: []knowledge.AffiliateID{knowledge.Everyone}, Limit: 1}), 1)
		require.Empty(t, find(Search{Affiliates: acme, Before: time.Now().Add(-time.Hour)}))

		w.run(w.runner(echo{}).Run)
		w.soon("answered", func() bool { return w.count(`SELECT COUNT(*) FROM turns`) == 2 })
		turns, err := conversations.Turns(t.Context(), c.ID)
		require.NoError(t, err)
		require.Len(t, turns, 1)
		require.Equal(t, []any{ActionAnswer, "echo"}, []any{turns[0].Decision.Action, turns[0].Trace.Rule})

		photo := message("e", "u9", "")
		photo.Message.Attachments = []Attachment{{Kind: "photo", Kept: "a%b", Name: `"kept":"forged"`}}
		w.accept(photo)
		with, err := conversations.WithFile(t.Context(), "a%b")
		require.NoError(t, err)
		require.Len(t, with, 1)
		for _, other := range []string{"a", "forged", "%", `forged\`} {
			with, err = conversations.WithFile(t.Context(), other)
			require.NoError(t, err)
			require.Empty(t, with, other)
		}
	})
}

// A transaction reads no more than it can hold.
func TestReceiveLarge(t *testing.T) {
	withPosts(t, func(t *testing.T, w *world) {
		large := strings.Repeat("x", maxBatchBytes/2)
		w.receive("c 1 "+large, "c 2 "+large, "c 3 "+large)
		list, err := EventWriter{Store: w.store}.DuePosts(t.Context(), MaxBatch, time.Now())
		require.NoError(t, err)
		require.Len(t, list, 2)
	})
}
