package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/store"
	"faqbot/knowledge"
)

func TestListAndFind(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "Where is my PAYOUT of 100%?"), bottest.Message("d", "u2", "hello_there"), bottest.Message("c", "u3", "bye"))
		conversations := w.Conversations()
		c, err := conversations.Find(t.Context(), bot.Address{Channel: "test", Account: "one", Customer: "c"})
		require.NoError(t, err)
		require.Equal(t, w.Conversation("c").ID, c.ID)
		_, err = conversations.Find(t.Context(), bot.Address{Channel: "test", Account: "one", Customer: "nobody"})
		require.ErrorIs(t, err, bot.ErrNotFound)

		find := func(s bot.Search) (customers []string) {
			list, err := conversations.List(t.Context(), s)
			require.NoError(t, err)
			for _, l := range list {
				customers = append(customers, l.Address.Customer+": "+l.Last.Text)
			}
			return customers
		}
		acme := []knowledge.AffiliateID{"acme"}
		require.ElementsMatch(t, []string{"c: bye", "d: hello_there"}, find(bot.Search{Affiliates: acme}))
		require.Equal(t, []string{"c: Where is my PAYOUT of 100%?"}, find(bot.Search{Affiliates: acme, Words: "payout 100%"}))
		require.Empty(t, find(bot.Search{Affiliates: acme, Words: "hello%there"}), "a sign is a sign, not a pattern")
		require.Empty(t, find(bot.Search{Affiliates: []knowledge.AffiliateID{"other"}}))
		require.Empty(t, find(bot.Search{}), "no affiliate named means none")
		require.Len(t, find(bot.Search{Affiliates: []knowledge.AffiliateID{knowledge.Everyone}, Limit: 1}), 1)
		require.Empty(t, find(bot.Search{Affiliates: acme, Before: time.Now().Add(-time.Hour)}))

		w.Run(w.Runner(bottest.Echo{}).Run)
		w.Soon("answered", func() bool { return w.Count(`SELECT COUNT(*) FROM turns`) == 2 })
		turns, err := conversations.Turns(t.Context(), c.ID)
		require.NoError(t, err)
		require.Len(t, turns, 1)
		require.Equal(t, []any{bot.ActionAnswer, "echo"}, []any{turns[0].Decision.Action, turns[0].Trace.Rule})

		photo := bottest.Message("e", "u9", "")
		photo.Message.Attachments = []bot.Attachment{{Kind: "photo", Kept: "a%b", Name: `"kept":"forged"`}}
		w.Accept(photo)
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
	bottest.WithPosts(t, func(t *testing.T, w *bottest.World) {
		large := strings.Repeat("x", store.MaxBatchBytes/2)
		w.Receive("c 1 "+large, "c 2 "+large, "c 3 "+large)
		list, err := store.EventWriter{Store: w.Store}.DuePosts(t.Context(), store.MaxBatch, time.Now())
		require.NoError(t, err)
		require.Len(t, list, 2)
	})
}
