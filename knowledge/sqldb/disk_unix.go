//go:build unix

package sqldb

import (
	"path/filepath"
	"syscall"
)

// FreeDisk returns how many bytes are free on the disk that a SQLite file lies on. ok is false for
// Postgres, whose disk is the server's own.
func (db *DB) FreeDisk() (bytes int64, ok bool) {
	if db.postgres {
		return 0, false
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(db.dsn), &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true // the types differ between systems
}
