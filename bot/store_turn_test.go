package bot

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whoever takes a conversation over may answer before the one before them has read what waits.
func TestTurnOvertakenBeforeItIsLoaded(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "how"))
		at := time.Now().Add(QuietPeriod)
		late, _, err := w.store.claimTurns(t.Context(), at, time.Minute, 1)
		require.NoError(t, err)
		require.Len(t, late, 1)
		require.NoError(t, w.conversations().Say(t.Context(), late[0].turn.Conversation.ID, "k", Reply{Text: "I am here", Agent: "ann"}))
		c, ok, err := w.claimTurn(at, time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
		o, err := echo{}.Turn(t.Context(), c.turn)
		require.NoError(t, err)
		require.NoError(t, w.store.commitTurn(t.Context(), c, o, at))
		require.ErrorIs(t, w.store.loadTurn(t.Context(), &late[0]), errFenced)
	})
}

// A claim ends with its commit: what its holder does later, unsure whether the commit came through,
// must not make another turn due or keep the next one waiting.
func TestTurnClaimEndsWithItsCommit(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.accept(message("c", "u1", "how"))
		at := time.Now().Add(QuietPeriod)
		c, ok, err := w.claimTurn(at, time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
		o, err := echo{}.Turn(t.Context(), c.turn)
		require.NoError(t, err)
		require.NoError(t, w.store.commitTurn(t.Context(), c, o, at))
		require.NoError(t, w.store.deferTurn(t.Context(), c, at, false))
		require.NoError(t, w.store.renewTurn(t.Context(), c, at.Add(time.Hour)))
		require.Zero(t, w.count(`SELECT COUNT(*) FROM conversations WHERE turn_due_at > 0 OR lease_until > 0`))
		require.ErrorIs(t, w.store.commitTurn(t.Context(), c, o, at), errFenced)
	})
}
