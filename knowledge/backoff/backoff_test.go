package backoff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/backoff"
)

func TestWaits(t *testing.T) {
	waits := backoff.Waits{0, 2, 30}
	for n, want := range map[int]int{-1: 0, 0: 0, 1: 0, 2: 2, 3: 30, 1000: 30} {
		require.EqualValues(t, want, waits.After(n), "after %d", n)
	}
	require.Equal(t, backoff.Waits{100, 200, 400, 500}, backoff.Doubling(100, 500))
	require.Equal(t, backoff.Waits{100, 200}, backoff.Doubling(100, 200))
	require.Equal(t, backoff.Waits{50}, backoff.Doubling(100, 50))
}
