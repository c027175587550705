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
