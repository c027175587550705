package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	logtest "github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/require"
)

func TestRenewing(t *testing.T) {
	renewed := make(chan struct{}, 100)
	KeepLease(t.Context(), time.Millisecond, func(context.Context) error { renewed <- struct{}{}; return nil }, func(context.Context) {
		for range 3 {
			<-renewed
		}
	})
	close(renewed) // a renewal after the work would panic
}

// What has been done is stored however long the database is away.
func TestPersistOutlastsTheDatabase(t *testing.T) {
	log, _ := logtest.NewNullLogger()
	n := 0
	require.NoError(t, Persist(t.Context(), log, "test", func(ctx context.Context) error {
		if n++; n < 4 {
			return context.DeadlineExceeded
		}
		return nil
	}))
	require.Equal(t, 4, n)
	want := errors.New("its own fault")
	require.Equal(t, want, Persist(t.Context(), log, "test", func(context.Context) error { return want }))
}
