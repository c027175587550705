package sqldb_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/waittest"
)

// What is written reaches the file while the service runs, also what is read at the time and however much
// it is; the log does not grow for ever.
func TestLogGoesIntoTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := sqldb.Open(t.Context(), path)
	require.NoError(t, err)
	write := func(n int) {
		require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO t (x) VALUES (zeroblob($1))`, n)
			return err
		}))
	}
	size := func(name string) int64 {
		info, err := os.Stat(name)
		require.NoError(t, err)
		return info.Size()
	}
	_, err = db.ExecContext(t.Context(), `CREATE TABLE t (x BYTEA)`)
	require.NoError(t, err)
	write(1 << 20)
	require.Eventually(t, func() bool { return size(path) > 1<<20 }, waittest.Hang, 10*time.Millisecond)

	const all = 200 // megabytes, which is more than the log may have
	for range all {
		write(1 << 20)
	}
	require.Less(t, size(path+"-wal"), int64(all<<20*3/4))
	require.Eventually(t, func() bool { return size(path) > all<<20 }, waittest.Hang, 10*time.Millisecond)
	require.NoError(t, db.Close())
	require.NoFileExists(t, path+"-wal")
}
