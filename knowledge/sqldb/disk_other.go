//go:build !unix

package sqldb

// FreeDisk is not told on this system.
func (db *DB) FreeDisk() (bytes int64, ok bool) { return 0, false }
