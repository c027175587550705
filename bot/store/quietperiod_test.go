package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuietPeriod(t *testing.T) {
	began := time.UnixMilli(1_000_000)
	c := ConversationTx{now: began, event: &eventState{}}
	require.Equal(t, began.Add(QuietPeriod).UnixMilli(), c.turnDue(false))
	require.Equal(t, began.UnixMilli(), c.turnDue(true), "a tapped button waits for nothing")
	c.event.waitingSince = began.Add(-2800 * time.Millisecond).UnixMilli()
	require.Equal(t, began.Add(200*time.Millisecond).UnixMilli(), c.turnDue(false), "somebody who keeps typing is answered")
}
