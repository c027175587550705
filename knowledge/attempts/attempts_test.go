package attempts_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/attempts"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// Attempts are counted before they begin, whoever dies, and wait longer and longer; what succeeded is forgotten.
func TestCounter(t *testing.T) {
	sqldbtest.Run(t, []sqldb.Schema{attempts.Schema()}, func(t *testing.T, db *sqldb.DB) {
		now := time.Now().Truncate(time.Millisecond)
		begin := func(id string) (int, time.Duration) { // as a process that was just started
			n, wait, err := attempts.NewCounter(db, func() time.Time { return now }).Begin(t.Context(), "index", id)
			require.NoError(t, err)
			return n, wait
		}
		for want := 1; want <= 6; want++ {
			if before := attempts.Backoff(want - 1); want > 2 {
				n, wait := begin("a")
				require.Equal(t, []any{0, before}, []any{n, wait})
				now = now.Add(before)
			}
			n, wait := begin("a")
			require.Equal(t, []any{want, time.Duration(0)}, []any{n, wait})
		}
		n, _ := begin("b")
		require.Equal(t, 1, n, "others do not wait")
		c := attempts.NewCounter(db, nil)
		require.NoError(t, c.End(t.Context(), "index", "a", errors.New("bad \x00\xff")))
		var reason string
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT reason FROM attempts WHERE id = 'a'`).Scan(&reason))
		require.Equal(t, "bad \uFFFD", reason)
		require.NoError(t, c.End(t.Context(), "index", "b", context.DeadlineExceeded))
		n, _ = begin("b")
		require.Equal(t, 1, n, "the database's trouble is no attempt")
		require.NoError(t, c.End(t.Context(), "index", "a", nil))
		n, _ = begin("a")
		require.Equal(t, 1, n)
	})
}
