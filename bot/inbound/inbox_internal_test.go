package inbound

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/store"
)

func TestBatchesGrowWithAge(t *testing.T) {
	require.Equal(t, minBatch, batchSize(0))
	require.Equal(t, minBatch, batchSize(2*maxBatchWait-1))
	require.Equal(t, 2*minBatch, batchSize(2*maxBatchWait))
	require.Equal(t, 4*minBatch, batchSize(5*maxBatchWait))
	require.Equal(t, store.MaxBatch, batchSize(time.Hour))
}
