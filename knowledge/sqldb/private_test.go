//go:build unix

package sqldb_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// Database, log, index and snapshot are their owner's alone, whatever the umask.
func TestFilesArePrivate(t *testing.T) {
	for _, mask := range []int{0, 0o277} {
		dir := t.TempDir()
		old := syscall.Umask(mask)
		path := filepath.Join(dir, "test.db")
		db := sqldbtest.Open(t, path, numbers()...)
		require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO numbers (n) VALUES (1)`)
			return err
		}))
		err := db.Snapshot(t.Context(), filepath.Join(dir, "copy.db"))
		syscall.Umask(old)
		require.NoError(t, err)
		require.Equal(t, []string{path, path + "-wal", path + "-shm"}, sqldb.Files(path))
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, files, 4)
		for _, f := range files {
			info, err := f.Info()
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f.Name())
		}
	}
}
