package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/bottest"
	"faqbot/knowledge/sqldb"
)

// A file that two customers sent stays as long as one of them does.
func TestEraseLeavesTheFilesOfOthers(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Kept("f1")
		w.Accept(bottest.Message("ana", "1", "look"), bottest.Message("ben", "2", "look"))
		_, err := w.Db.Change(t.Context(), `UPDATE messages SET attachments = '[{"kind":"photo","kept":"f1"}]'`)
		require.NoError(t, err)
		none := func(string) []sqldb.Selection { return nil }
		require.NoError(t, w.Store.Erase(t.Context(), w.Conversation("ana").Customer, none, time.Now()))
		require.Equal(t, 1, w.Count(`SELECT COUNT(*) FROM blobs`))
		require.NoError(t, w.Store.Erase(t.Context(), w.Conversation("ben").Customer, none, time.Now()))
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM blobs`))
	})
}

// What could not be read goes with the customer whom it names, not with one whose ID is a part of that name.
func TestEraseLeavesPostsAboutOthers(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("4915", "1", "hello"))
		for id, body := range map[string]string{"longer": `{"from":"49151"}`, "behind": `{"from":"14915"}`, "same": `{"from":"4915"}`} {
			_, err := w.Db.Change(t.Context(), `INSERT INTO rejects (id, channel, account, reason, body, at, post) VALUES ($1, 'test', 'one', 'odd', $2, 1, $3)`, id, []byte(body), []byte{})
			require.NoError(t, err)
		}
		none := func(string) []sqldb.Selection { return nil }
		require.NoError(t, w.Store.Erase(t.Context(), w.Conversation("4915").Customer, none, time.Now()))
		require.Equal(t, 2, w.Count(`SELECT COUNT(*) FROM rejects`))
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM rejects WHERE id = 'same'`))
	})
}
