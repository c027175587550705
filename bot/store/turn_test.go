package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/store"
)

// Whoever takes a conversation over may answer before the one before them has read what waits.
func TestTurnOvertakenBeforeItIsLoaded(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "how"))
		at := time.Now().Add(store.QuietPeriod)
		late, _, err := w.Store.ClaimTurns(t.Context(), at, time.Minute, 1)
		require.NoError(t, err)
		require.Len(t, late, 1)
		require.NoError(t, w.Conversations().Say(t.Context(), late[0].Turn.Conversation.ID, "k", bot.Reply{Text: "I am here", Agent: "ann"}))
		c, ok, err := w.ClaimTurn(at, time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
		o, err := bottest.Echo{}.Turn(t.Context(), c.Turn)
		require.NoError(t, err)
		require.NoError(t, w.Store.CommitTurn(t.Context(), c, o, at))
		require.ErrorIs(t, w.Store.LoadTurn(t.Context(), &late[0]), store.ErrFenced)
	})
}

// A claim ends with its commit: what its holder does later, unsure whether the commit came through,
// must not make another turn due or keep the next one waiting.
func TestTurnClaimEndsWithItsCommit(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		w.Accept(bottest.Message("c", "u1", "how"))
		at := time.Now().Add(store.QuietPeriod)
		c, ok, err := w.ClaimTurn(at, time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
		o, err := bottest.Echo{}.Turn(t.Context(), c.Turn)
		require.NoError(t, err)
		require.NoError(t, w.Store.CommitTurn(t.Context(), c, o, at))
		require.NoError(t, w.Store.DeferTurn(t.Context(), c, at, false))
		require.NoError(t, w.Store.RenewTurn(t.Context(), c, at.Add(time.Hour)))
		require.Zero(t, w.Count(`SELECT COUNT(*) FROM turn_queue WHERE due_at > 0 OR lease_until > 0`))
		require.ErrorIs(t, w.Store.CommitTurn(t.Context(), c, o, at), store.ErrFenced)
	})
}
