package inbound

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/store"
)

func TestBitesGrowWithAge(t *testing.T) {
	require.Equal(t, postsLeast, bite(0))
	require.Equal(t, postsLeast, bite(2*patience-1))
	require.Equal(t, 2*postsLeast, bite(2*patience))
	require.Equal(t, 4*postsLeast, bite(5*patience))
	require.Equal(t, store.MaxBatch, bite(time.Hour))
}
