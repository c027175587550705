package sqldb

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestIDsAreInOrderOfTimeAndNeverTheSame(t *testing.T) {
	seen, inOrder := map[string]bool{}, []string{}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for range 1000 {
		now = now.Add(time.Microsecond)
		id := NewID(now)
		require.Regexp(t, `^[A-Z2-7]{26}$`, id, "as networks give them back")
		inOrder = append(inOrder, id)
		for _, id := range []string{id, NewID(now)} {
			require.False(t, seen[id])
			seen[id] = true
		}
	}
	require.True(t, slices.IsSorted(inOrder))
}

// Each is greater than the one before, whatever the clock says.
func TestOrderOfIDs(t *testing.T) {
	var o Sequence
	last, now := "", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 3000 {
		if i%1000 == 999 {
			now = now.Add(time.Duration(i-1998) * time.Millisecond) // back, and then ahead
		}
		id := o.Next(now)
		require.Regexp(t, `^[A-Z2-7]{26}$`, id)
		require.Greater(t, id, last)
		last = id
	}
	o.last = [16]byte{15: 255}
	require.Greater(t, o.Next(time.UnixMilli(0)), idText([16]byte{15: 255}), "a carry")
}
